"""What does jsonschema have against a row's inputs?

Asked for wrong rows only, and of those a manifest may have tens of thousands.  So each input is judged by its
own part of the schema, which costs less than the way through the whole, and what was found in a plain value
is remembered: a column that is wrong is mostly wrong in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from jsonschema import Draft202012Validator, FormatChecker
from msgspec.structs import replace

from .._types import Inputs, Json
from .findings import Finding, findings, missing
from .formats import ADDRESS_FORMATS, BadAddress, check_address
from .lenient import Schema

SEPARABLE: Final = frozenset({"type", "title", "description", "properties", "required"})
"""Rules of a whole schema that look at each input by itself, or only at whether it is there."""

MOST_REMEMBERED: Final = 2_000
LONGEST_REMEMBERED: Final = 100  # characters; longer text is hardly the same in two rows


class Explainer:
    """Says what is wrong with the inputs of one model."""

    def __init__(self, schema: Schema) -> None:
        formats = FormatChecker(formats=())  # the formats named here and no others: unknown ones are ignored
        for name in sorted(ADDRESS_FORMATS):
            formats.checks(name, raises=BadAddress)(_is_address)
        properties, required = schema.get("properties"), schema.get("required")
        self._properties = properties if isinstance(properties, dict) else {}
        self._required = list(map(str, required)) if isinstance(required, list) else []
        self._is_separable = schema.keys() <= SEPARABLE
        self._parts = {
            name: Draft202012Validator(cast("Schema | bool", part), format_checker=formats)
            for name, part in self._properties.items()
        }
        self._whole = Draft202012Validator(schema, format_checker=formats)
        self._remembered: dict[tuple[str, type, Json], list[Finding]] = {}

    def findings(self, inputs: Inputs) -> Iterator[Finding]:
        """Yield one finding for each place in *inputs* that is wrong."""
        if not self._is_separable:
            yield from findings(self._whole.iter_errors(inputs))
            return
        for name in self._parts:
            if name in inputs:
                yield from self._in_value(name, inputs[name])
        for name in self._required:
            if name not in inputs:
                message, hint = missing(self._properties.get(name))
                yield Finding(path=(name,), message=message, hint=hint)

    def _in_value(self, name: str, value: Json) -> list[Finding]:
        if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > LONGEST_REMEMBERED):
            return self._found(name, value)
        key = (name, type(value), value)  # by type as well: 1 is 1.0 and True to a dictionary
        found = self._remembered.get(key)
        if found is None:
            found = self._found(name, value)
            if len(self._remembered) < MOST_REMEMBERED:
                self._remembered[key] = found
        return found

    def _found(self, name: str, value: Json) -> list[Finding]:
        found = findings(self._parts[name].iter_errors(value))
        return [replace(finding, path=(name, *finding.path)) for finding in found]


def _is_address(value: object) -> bool:
    if isinstance(value, str):
        check_address(value)
    return True
