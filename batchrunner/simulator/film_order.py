"""Which film does a request ask for: kind, size, length, and what is written on it?

Pure.  Models name their inputs differently, so each fact is looked for under the names that are in use;
what is missing or nonsense gets a plain default, because the simulated service is as lax as the real one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from .._types import Inputs, Json

SIZES: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    # Width and height as Seedance 1.0 Lite makes them.
    ("480p", "16:9"): (864, 480),
    ("480p", "4:3"): (736, 544),
    ("480p", "1:1"): (640, 640),
    ("480p", "3:4"): (544, 736),
    ("480p", "9:16"): (480, 864),
    ("480p", "21:9"): (960, 416),
    ("720p", "16:9"): (1248, 704),
    ("720p", "4:3"): (1120, 832),
    ("720p", "1:1"): (960, 960),
    ("720p", "3:4"): (832, 1120),
    ("720p", "9:16"): (704, 1248),
    ("720p", "21:9"): (1504, 640),
}

LONGEST_S: Final = 30.0
"""No model in the catalogue makes longer films; a nonsense duration must not make an endless one."""

_IMAGE_MODEL = re.compile(r"-to-image$|/edit(-sequential)?$|/sequential$")


class FilmOrder(Struct, frozen=True, kw_only=True):
    """Everything that shows on one output; equal orders give equal bytes."""

    is_image: bool
    width: int
    height: int
    duration_s: float
    text: str
    references: tuple[str, ...]
    """Names of the input images, for the cards."""
    request_id: str
    number: int
    """Which output of the request this is, from 1."""
    seed: str

    @property
    def extension(self) -> str:
        return ".png" if self.is_image else ".mp4"


def makes_images(model: str) -> bool:
    """Whether the model's id says that its outputs are pictures."""
    return _IMAGE_MODEL.search(model) is not None


def order_film(model: str, inputs: Inputs, *, request_id: str, number: int) -> FilmOrder:
    """Return what to make for output *number* of a request."""
    resolution = _first(inputs, "resolution", default="480p").lower()
    ratio = _first(inputs, "ratio", "aspect_ratio", default="16:9")
    width, height = SIZES.get((resolution, ratio)) or SIZES.get((resolution, "16:9")) or SIZES["480p", "16:9"]
    return FilmOrder(
        is_image=makes_images(model),
        width=width,
        height=height,
        duration_s=duration_s(inputs) or 5.0,
        text=_first(inputs, "text", "prompt"),
        references=tuple(url.rsplit("/", 1)[-1] for url in texts_of(inputs) if url.startswith("https://")),
        request_id=request_id,
        number=number,
        seed=_first(inputs, "seed"),
    )


def duration_s(inputs: Inputs) -> float | None:
    """The film's length where the inputs give a usable one."""
    asked = inputs.get("duration")
    if isinstance(asked, (int, float)) and not isinstance(asked, bool) and asked > 0:
        return min(float(asked), LONGEST_S)
    return None


def outputs_asked_for(model: str, inputs: Inputs) -> int | None:
    """How many pictures the inputs ask for; None where they do not say."""
    asked = inputs.get("num_images") if makes_images(model) else None
    return asked if isinstance(asked, int) and not isinstance(asked, bool) and 1 <= asked <= 99 else None


def texts_of(value: Json) -> Iterator[str]:
    """Every text in *value*, in order, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)


def _first(inputs: Inputs, *names: str, default: str = "") -> str:
    for name in names:
        value = inputs.get(name)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
    return default
