"""One transfer of one link into a part: from where it stopped where that is safe, else from the beginning.

Knows HTTP's rules of ranges (RFC 9110, 14) and of lengths; whether the bytes are a whole film is the
container check's to say, whatever the headers call them.  What went wrong is one exception,
DownloadFailed; trying again is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from .client import Client, Download, DownloadBroken, DownloadRefused
from .files.shelf import Part

CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class DownloadFailed(Exception):
    """This transfer brought no whole file; the bytes so far are kept where they can be gone on from."""


class Transfer(Struct):
    """An output on its way: the part, and what identifies the bytes already in it."""

    part: Part
    max_bytes: int
    validator: str | None = None
    """The strong ETag (or the date) of the body the part belongs to; None: it can't be gone on from."""

    async def fetch(self, client: Client, url: str) -> None:
        """Bring the part to the end of the body behind *url*.  Raises DownloadFailed."""
        resume_at = self.part.size_bytes if self.validator else 0
        headers = {"Range": f"bytes={resume_at}-", "If-Range": self.validator or ""} if resume_at else {}
        try:
            async with client.download(url, headers) as answer:
                total = await self._place(answer, resume_at)
                await self._receive(answer, total)
        except (DownloadBroken, DownloadRefused) as error:
            raise DownloadFailed(str(error)) from error

    async def _place(self, answer: Download, resume_at: int) -> int | None:
        """Set the part to where the body of *answer* begins; return the size the whole file will have."""
        if answer.status == 206 and resume_at:
            total = _total_of_range(answer.headers, resume_at)
            if total is None or _validator(answer.headers) not in (None, self.validator):
                await self.forget()
                raise DownloadFailed("the server went on with another file; beginning anew")
            return total
        await self.forget()
        if answer.status != 200:
            raise DownloadFailed(f"HTTP {answer.status}")
        self.validator = _validator(answer.headers)
        return _length(answer.headers)

    async def _receive(self, answer: Download, total: int | None) -> None:
        if total is not None and total > self.max_bytes:
            raise DownloadFailed(f"{total:,} bytes, more than the {self.max_bytes:,} a file may have")
        async for chunk in answer.chunks():
            if self.part.size_bytes + len(chunk) > self.max_bytes:
                raise DownloadFailed(f"more than the {self.max_bytes:,} bytes a file may have")
            await self.part.write(chunk)
        if total is not None and self.part.size_bytes != total:
            raise DownloadFailed(f"{self.part.size_bytes:,} of {total:,} bytes arrived")

    async def forget(self) -> None:
        """Begin anew the next time."""
        self.validator = None
        if self.part.size_bytes:
            await self.part.restart()


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may name: a strong ETag, else the date (RFC 9110, 13.1.5)."""
    if "content-encoding" in headers and headers["content-encoding"] != "identity":
        return None  # a range of the coded bytes is of no use to decoded ones
    etag = headers.get("etag", "")
    if etag.startswith('"'):
        return etag
    return None if etag else headers.get("last-modified")


def _length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length where it speaks of the bytes we write."""
    if headers.get("content-encoding", "identity") != "identity":
        return None
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _total_of_range(headers: Mapping[str, str], resume_at: int) -> int | None:
    """Return the whole file's size from a Content-Range that goes on exactly where we stopped."""
    match = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if match is None or int(match[1]) != resume_at or match[3] == "*":
        return None
    return int(match[3]) if int(match[2]) + 1 == int(match[3]) else None
