"""What will inputs be once their local images are staged?

The model's schema judges them as if they were: whatever a local file is called, what is sent is an address.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from .._types import Inputs
from ..models.findings import Path
from ..models.images import with_images
from ..models.schema import InputSchema
from .reference import is_path, with_addresses

STAND_IN: Final = "https://stage.invalid/"


def as_hosted(
    schema: InputSchema, inputs: Inputs, refer: Callable[[Path, str], str | None]
) -> tuple[Inputs, Inputs]:
    """Return *inputs* with addresses that stand in for their local images, and with references to them.

    *refer* gives the reference to an image, by the way to it and its path as written; None for a file that
    cannot be sent.  Without local images both are *inputs* as they are.
    """
    references: dict[str, str] = {}
    numbers = count()

    def hosted(path: Path, written: str) -> str:
        if not is_path(written):
            return written
        reference = refer(path, written)
        if reference is None:
            return f"{STAND_IN}{next(numbers)}"
        address = f"{STAND_IN}{reference}"  # twice the same image: twice the same
        references[address] = reference
        return address

    stood_in = with_images(schema, inputs, hosted)
    return stood_in, with_addresses(stood_in, references) if references else inputs
