"""The film of each prompt: one short picture, with bytes of its own in a box that every player skips."""

from __future__ import annotations

import struct
from hashlib import sha256
from pathlib import Path

PICTURE = (Path(__file__).parents[2] / "batchrunner/simulator/tiny.mp4").read_bytes()


def film_of(text: str, padding: int = 0) -> bytes:
    """Return the film of a prompt, *padding* bytes longer than it need be."""
    note = text.encode() + bytes(padding)
    return PICTURE + struct.pack(">I4s", 8 + len(note), b"free") + note


def hash_of(text: str, padding: int = 0) -> str:
    return sha256(film_of(text, padding)).hexdigest()
