"""Is this text an address that the service can fetch?

The formats RunComfy's schemas name (`image_uri` and its family, `uri`) all mean a public https address:
the service fetches it itself, without login (API page, "File inputs").
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

ADDRESS_FORMATS: Final = frozenset(
    {"uri"} | {f"{kind}_uri{plural}" for kind in ("image", "video", "audio") for plural in ("", "s")}
)

MAX_CHARACTERS: Final = 8192  # what common web servers accept as one address


class BadAddress(ValueError):
    """Text that is no fetchable address: the message says why, `hint` what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check_address(text: str) -> None:
    """Raise BadAddress unless *text* is an https address with a host and nothing secret or unescaped."""
    if len(text) > MAX_CHARACTERS:
        raise BadAddress(f"an address of {len(text):,} characters, at most {MAX_CHARACTERS:,} allowed")
    _check_scheme(text)
    _check_characters(text)
    _check_host(text)


PUBLIC: Final = "the service fetches files itself: put it on a public host and give its https:// address"


def _check_scheme(text: str) -> None:
    scheme = text.partition(":")[0].strip().lower()
    if scheme == "https":
        return
    if scheme == "http":
        raise BadAddress(
            "an http:// address, only https:// is allowed", "write https:// if the host serves it"
        )
    if scheme == "data":
        raise BadAddress("a data: address, only https:// is allowed", PUBLIC)
    if not text.strip():
        raise BadAddress("an empty address, an https:// address is needed")
    if "://" in text and scheme != "file":
        raise BadAddress(f"the address begins with {scheme[:20]}://, only https:// is allowed")
    raise BadAddress("not an https:// address but what looks like a local file", PUBLIC)


def _check_characters(text: str) -> None:
    if text != text.strip():
        raise BadAddress("a blank or line break before or after the address", "remove it")
    if "\\" in text:
        raise BadAddress(
            "a backslash in the address", "an address has / only; a real backslash is written %5C"
        )
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text):
        raise BadAddress("a control character (such as a line break) in the address")
    if any(c.isspace() for c in text):
        raise BadAddress("a blank in the address", "percent-encode it: %20")


def _check_host(text: str) -> None:
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"not a valid address: {error}") from None
    if "@" in parts.netloc:
        raise BadAddress(
            "a user name or password in the address", "give an address that works without a login"
        )
    if not host or not any(c.isalnum() for c in host):
        raise BadAddress("an https:// address without a host")
