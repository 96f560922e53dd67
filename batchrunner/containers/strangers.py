"""What is this file, if it is neither a film nor a picture?

A person who reads why a download was refused should see the web page, the error of a storage host or the JSON
that came instead.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Final

from ..names import printable

LOOKED_AT: Final = 2_048
"""Bytes from the beginning of the file that decide."""

_QUOTED: Final = 80  # characters of foreign text in a message

_BY_FIRST_BYTES: Final = {
    b"\x1f\x8b": "it is compressed with gzip",
    b"PK\x03\x04": "it is a ZIP archive",
    b"%PDF": "it is a PDF document",
    b"ID3": "it is an MP3 file, which cannot be checked",
    b"\xff\xfb": "it is an MP3 file, which cannot be checked",
    b"OggS": "it is an Ogg file, which cannot be checked",
    b"fLaC": "it is a FLAC file, which cannot be checked",
    b"glTF": "it is a 3D model (glTF), which cannot be checked",
    b"BM": "it is a BMP picture, which cannot be checked",
}

_HTML: Final = re.compile(r"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_STORAGE_ERROR: Final = re.compile(r"<Code>([^<]*)</Code>")


def describe(head: bytes) -> str:
    """Return what a file that begins with *head* is, as the reason of NotWhole."""
    for first, words in _BY_FIRST_BYTES.items():
        if head.startswith(first):
            return words
    if not any(head):
        return "it begins with nothing but zeros"
    try:
        # Incremental, because reading only so far may have cut the last character.
        text = getincrementaldecoder("utf-8")().decode(head, final=len(head) < LOOKED_AT)
    except UnicodeDecodeError:
        return f"it is of no known kind (it begins with {head[:8].hex(' ')})"
    return _describe_text(text.strip())


def _describe_text(text: str) -> str:
    quoted = repr(printable(" ".join(text.split()), _QUOTED))
    if _HTML.search(text):
        return f"it is a web page (HTML): {quoted}"
    if code := _STORAGE_ERROR.search(text):
        return f"it is XML, an error of the storage host: {printable(code[1], _QUOTED)}"
    if text.startswith("<"):
        return f"it is XML: {quoted}"
    if text.startswith(("{", "[")):
        return f"it is JSON: {quoted}"
    return f"it is text: {quoted}"
