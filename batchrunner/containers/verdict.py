"""What can be said of a downloaded file: whole and of which kind, or not whole and why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a person would call the file; written to the results."""

    VIDEO = "video"
    IMAGE = "image"
    AUDIO = "audio"


class Media(Struct, frozen=True, kw_only=True):
    """A whole file of a kind we know."""

    kind: Kind
    extension: str
    """With its dot, by content: a ``.png`` link that gave a WebP is ``.webp``."""


class NotWhole(Exception):
    """The file is no whole film, picture or sound; `reason` says what was found instead.

    A reason reads on after "not whole: ", has no full stop, and quotes foreign text only made printable.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
