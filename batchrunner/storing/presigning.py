"""Addresses at which anybody can fetch stored films for a while: made on request, never kept.

``s3://`` and its kin are names, which only programs with credentials can follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from ..objects import FOLDER, Bucket, split_url


def with_addresses(lines: Iterable[dict[str, Any]], life_s: float) -> Iterator[dict[str, Any]]:
    """Yield lines of results, each stored output with a ``presigned`` address that is good for *life_s*.

    Raises Usage and StoreTrouble.
    """
    buckets: dict[str, Bucket] = {}
    for line in lines:
        for output in line["outputs"]:
            url = output.get("store")
            if url is None:
                continue
            place, name = split_url(url)
            if place.scheme == FOLDER:
                output["presigned"] = url  # a file needs no signature
                continue
            bucket = buckets.get(str(place)) or buckets.setdefault(str(place), Bucket(place))
            output["presigned"] = bucket.sign_at_once(name, timedelta(seconds=life_s))
        yield line
