"""How is a simulated film made?  A real H.264 MP4 of the asked size and length, or a real PNG.

A slow light moves over a still poster (poster.py).  Only the light is drawn for each frame, and the encoder
runs in its fastest mode: five seconds at 480p take about half a second.  One thread, so equal orders give
equal bytes.  Needs PyAV and Pillow (extra ``simulator``).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
from PIL import Image

from .film_order import FilmOrder
from .poster import gradient, lettering, tint

FRAMES_PER_S: Final = 24
"""What Seedance 1.0 makes."""

_ENCODER: Final = {"preset": "ultrafast", "crf": "25", "threads": "1"}


def make_film(order: FilmOrder) -> bytes:
    """Return the file that *order* asks for.  Takes a good part of a second; not for an event loop."""
    return _picture(order) if order.is_image else _film(order)


def _picture(order: FilmOrder) -> bytes:
    target = io.BytesIO()
    next(_frames(order, 1)).save(target, "PNG", compress_level=1)
    return target.getvalue()


def _film(order: FilmOrder) -> bytes:
    # The index goes to the front in a second pass, for which the library opens the file by its name.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        _encode(order, path)
        return path.read_bytes()


def _encode(order: FilmOrder, path: Path) -> None:
    count = max(round(order.duration_s * FRAMES_PER_S), 1)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=FRAMES_PER_S, options=_ENCODER)
        stream.width, stream.height, stream.pix_fmt = order.width, order.height, "yuv420p"
        for number, picture in enumerate(_frames(order, count)):
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def _frames(order: FilmOrder, count: int) -> Iterator[Image.Image]:
    """The poster under a light that crosses it once, above a thin line that grows with time."""
    background = gradient(order)
    letters = lettering(order)
    box = letters.getbbox() or (0, 0, 1, 1)
    letters = letters.crop(box)
    glow = _glow(order)
    colour = tint(order, shift=0.16, value=0.95, saturation=0.4)
    line_height = max(order.height // 120, 2)
    for number in range(count):
        share = (number + 1) / count
        frame = background.copy()
        x = round(share * (order.width + glow.width) - glow.width)
        y = round((0.42 + 0.12 * math.sin(share * math.tau)) * order.height - glow.height / 2)
        frame.paste(colour, (x, y, x + glow.width, y + glow.height), glow)
        frame.paste(letters, box[:2], letters)
        frame.paste(colour, (0, order.height - line_height, round(share * order.width), order.height))
        yield frame


def _glow(order: FilmOrder) -> Image.Image:
    """A soft round mask, brightest in the middle."""
    size = round(min(order.width, order.height) * 0.95)
    fading = Image.radial_gradient("L").point(lambda distance: max(150 - distance, 0))
    return fading.resize((size, size))
