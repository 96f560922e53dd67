"""Addresses at which anybody can fetch stored films for a while: made on request, never kept in the ledger.

``s3://`` and its kin are names, which only programs with credentials can follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from ..objects import FOLDER, Bucket, Place, split_url


class Presigner:
    """Signs addresses of stored films that are good for a while."""

    def __init__(self, life_s: float) -> None:
        self._life = timedelta(seconds=life_s)
        self._buckets: dict[Place, Bucket] = {}

    def address_of(self, url: str) -> str:
        """Return the address for a film's *url*: of a file, which needs no signature, the very same.

        Raises Usage and StoreTrouble.
        """
        place, name = split_url(url)
        if place.scheme == FOLDER:
            return url
        bucket = self._buckets.get(place) or self._buckets.setdefault(place, Bucket(place))
        return bucket.sign_at_once(name, self._life)


def with_addresses(lines: Iterable[dict[str, Any]], signer: Presigner) -> Iterator[dict[str, Any]]:
    """Yield lines of results, each stored output with its address as ``presigned``."""
    for line in lines:
        for output in line["outputs"]:
            if "store" in output:
                output["presigned"] = signer.address_of(output["store"])
        yield line
