"""What does one row say, put together with the matrix and the defaults?

A row's own value comes first, then the matrix, then the defaults.  A draft also knows where each of its
values was written, so that a problem names the right line: a wrong default is wrong once, not in every row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from .._types import Json, Place
from ..models.wording import did_you_mean
from .names import Field, Key, key_of, shown
from .rows import Row
from .template import BadTemplate, Shared, fill


class Draft(Struct, frozen=True, kw_only=True):
    """One row with one combination of the matrix, before its model has judged it."""

    row: Row
    own: Mapping[Key, Field]
    shared: Mapping[Key, Shared]
    """What the matrix and the defaults give where the row has nothing of its own."""

    def place(self, key: Key, inside: Sequence[str | int] = ()) -> Place:
        """Return where the value of *key* was written; the row's own place for one that was not."""
        if key in self.own:
            return self.row.at((*self.own[key].path, *inside))
        shared = self.shared.get(key)
        return shared.place if shared and not shared.fillers else self.row.place

    def file_of(self, key: Key) -> str:
        """Return the file in which the value of *key* was written, a default's template included."""
        shared = None if key in self.own else self.shared.get(key)
        return shared.place.file if shared else self.row.place.file

    def is_shared(self, key: Key) -> bool:
        """Return whether *key* has the same value, and the same fault, in every row that takes it."""
        shared = self.shared.get(key)
        return key not in self.own and shared is not None and not shared.fillers

    def value(self, key: Key) -> Json:
        """Return the value of *key*, templates filled.  Raises BadTemplate."""
        if key in self.own:
            return self.own[key].value
        shared = self.shared.get(key)
        if shared is None:
            return None
        return fill(shared.value, self._look_up) if shared.fillers else shared.value

    def all_keys(self) -> list[Key]:
        """Return every key that has a value, the row's own first."""
        return [*self.own, *(key for key in self.shared if key not in self.own)]

    def knows(self, key: Key) -> bool:
        """Return whether the row could fill *key*: False for a name that stands nowhere at all."""
        return key in self.own or key in self.shared or any(key_of(name) == key for name in self.row.columns)

    def _look_up(self, name: str) -> Json:
        key = key_of(name)
        if key in self.own:
            return self.own[key].value
        shared = self.shared.get(key)
        if shared is None:
            known = [shown(k) for k in self.all_keys()] + list(self.row.columns)
            message = f"nothing fills {{{name}}}: the row has no value of that name"
            hint = None if self.knows(key) else did_you_mean(name, known)
            raise BadTemplate(message, hint, unfilled=name)
        if shared.fillers:
            raise BadTemplate(f"{{{name}}} is filled from the row itself and cannot fill another value")
        return shared.value
