"""Which file stands behind a reference that inputs hold for a local image?

Written when a manifest is taken in, with its jobs: a run without the manifest knows the files as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..staging import LocalImage
from .store import Store


def know_images(store: Store, images: Iterable[LocalImage]) -> None:
    """Keep where each of *images* is; of two files with the same bytes, the latest."""
    store.connection.executemany(
        "REPLACE INTO images (reference, path, written, bytes) VALUES (?, ?, ?, ?)",
        [(image.reference, image.path, image.written, image.size_bytes) for image in images],
    )


def has_images(store: Store) -> bool:
    return store.connection.execute("SELECT 1 FROM images LIMIT 1").fetchone() is not None


def image_file(store: Store, reference: str) -> tuple[str, int] | None:
    """Return the path of an image's file, and its length; None for a reference nobody made."""
    row = store.connection.execute(
        "SELECT path, bytes FROM images WHERE reference = ?", (reference,)
    ).fetchone()
    return (row[0], row[1]) if row else None


def file_paths(store: Store) -> dict[str, str]:
    """Return where the file of each image is, by reference."""
    return dict(store.connection.execute("SELECT reference, path FROM images").fetchall())


def written_paths(store: Store) -> dict[str, str]:
    """Return how the manifest wrote the path of each image, by reference."""
    return dict(store.connection.execute("SELECT reference, written FROM images").fetchall())
