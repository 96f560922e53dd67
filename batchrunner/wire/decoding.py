"""The content codings that a response may have (RFC 9110, 8.4.1): gzip and deflate, alone or stacked."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final, Protocol

Piece = bytes | memoryview
"""Some of a body; whoever received it may keep it, and nobody writes into it any more."""

GZIP: Final = 16 + zlib.MAX_WBITS

MOST_CODINGS: Final = 4


class Decoder(Protocol):
    """Undoes a coding, piece by piece.  Raises ValueError for what is not coded so."""

    def piece(self, data: Piece) -> bytes: ...

    def rest(self) -> bytes: ...


def decoder(codings: str) -> Decoder:
    """Return what undoes *codings*, the last one first; unknown ones leave the bytes as they are."""
    names = [name.strip() for name in codings.split(",")][:MOST_CODINGS]
    return _Stacked([_ONE[name]() for name in reversed(names) if name in _ONE])


class _Zlib:
    def __init__(self, window_bits: int) -> None:
        self._unpack = zlib.decompressobj(window_bits)
        self._is_empty = True

    def piece(self, data: Piece) -> bytes:
        self._is_empty = self._is_empty and not data
        try:
            return self._unpack.decompress(data)
        except zlib.error as error:
            raise ValueError(str(error)) from error

    def rest(self) -> bytes:
        if not self._unpack.eof and not self._is_empty:
            raise ValueError("it ends too early")
        return b""


class _Deflate:
    """A zlib stream, as it should be; or a bare one, as some servers send it."""

    def __init__(self) -> None:
        self._inner = _Zlib(zlib.MAX_WBITS)
        self._is_first = True

    def piece(self, data: Piece) -> bytes:
        first, self._is_first = self._is_first and bool(data), self._is_first and not data
        try:
            return self._inner.piece(data)
        except ValueError:
            if not first:
                raise
            self._inner = _Zlib(-zlib.MAX_WBITS)
            return self._inner.piece(data)

    def rest(self) -> bytes:
        return self._inner.rest()


class _Stacked:
    def __init__(self, layers: list[Decoder]) -> None:
        self._layers = layers

    def piece(self, data: Piece) -> bytes:
        for layer in self._layers:
            data = layer.piece(data)
        return bytes(data)

    def rest(self) -> bytes:
        data = b""
        for layer in self._layers:
            data = layer.piece(data) + layer.rest()
        return data


_ONE: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": lambda: _Zlib(GZIP),
    "x-gzip": lambda: _Zlib(GZIP),
    "deflate": _Deflate,
}
