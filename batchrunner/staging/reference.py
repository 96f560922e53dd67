"""What do inputs hold for a local image, and where in them does it stand?

Pure.  A reference is ``stage:sha256:HEX.png``: the same for the same bytes, whatever the file is called and
wherever it is staged, so a job's fingerprint changes with the picture and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from .._types import Inputs, Json

REFERENCE: Final = re.compile(r"stage:sha256:([0-9a-f]{64}\.[a-z]{3,4})")

_SCHEMES: Final = frozenset({"http", "https", "data", "file", "stage"})
"""What begins an address also without ``//`` behind it: more likely a typo than the name of a file."""


def reference_to(sha256: str, extension: str) -> str:
    """Return the reference to an image with these bytes; *extension* begins with a dot."""
    return f"stage:sha256:{sha256}{extension}"


def is_reference(text: str) -> bool:
    return REFERENCE.fullmatch(text) is not None


def staged_name(reference: str) -> str:
    """Return the name below the stage's prefix: the hash, and the extension of the image's kind."""
    found = REFERENCE.fullmatch(reference)
    assert found is not None
    return found[1]


def is_path(text: str) -> bool:
    """Return whether *text*, given where an address is due, names a file rather than an address."""
    if not text.strip() or "://" in text:
        return False
    return text.partition(":")[0].strip().lower() not in _SCHEMES or ":" not in text


def references_in(value: Json) -> Iterator[str]:
    """Yield every reference in *value*, as often as it stands there."""
    match value:
        case str() if is_reference(value):
            yield value
        case list():
            for item in value:
                yield from references_in(item)
        case dict():
            for item in value.values():
                yield from references_in(item)


def with_addresses(inputs: Inputs, addresses: Mapping[str, str]) -> Inputs:
    """Return *inputs* with each reference that *addresses* knows replaced by its address."""
    return {name: _addressed(value, addresses) for name, value in inputs.items()}


def _addressed(value: Json, addresses: Mapping[str, str]) -> Json:
    match value:
        case str():
            return addresses.get(value, value)
        case list():
            return [_addressed(item, addresses) for item in value]
        case dict():
            return {name: _addressed(item, addresses) for name, item in value.items()}
        case _:
            return value
