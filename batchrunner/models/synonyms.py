"""What does this model call the input that another model calls something else?

RunComfy's models share no field naming; the groups are the names met in its schemas (API page, section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .lenient import Schema
from .wording import nearest

GROUPS: Final[tuple[tuple[str, ...], ...]] = (
    ("text", "prompt", "155_positive_prompt"),
    (
        "images",
        "image",
        "image_urls",
        "image_url",
        "img_url",
        "first_frame_image_url",
        "first_frame_url",
        "143_image",
    ),
    ("videos", "video", "video_url", "reference_video_url_1"),
    ("ratio", "aspect_ratio", "image_size"),
    ("audios", "audio", "audio_url"),
)


def called(name: str, properties: Mapping[str, Schema]) -> str | None:
    """Return the input of *properties* with the meaning of *name*, None when there is none."""
    every = [known for names in GROUPS for known in names]
    folded = nearest(name, every, cutoff=0.8) or name.casefold()
    group = next((names for names in GROUPS if folded in names), ())
    by_name = next((candidate for candidate in group if candidate in properties), None)
    return by_name or next((k for k, v in properties.items() if _title(v) == folded), None)


def _title(schema: Schema) -> str | None:
    title = schema.get("title")
    return title.casefold() if isinstance(title, str) else None
