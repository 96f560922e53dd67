"""What is written and drawn on a simulated film?  Everything that does not move.

Colours depend on nothing but the inputs, so the films of a batch differ and a repeated one looks the same.
Needs Pillow (extra ``simulator``).
"""

from __future__ import annotations

import colorsys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias
from unicodedata import combining, normalize

from PIL import Image, ImageDraw, ImageFont

from .chance import uniform
from .film_order import FilmOrder

Colour: TypeAlias = tuple[int, int, int]

_INK: Final = (255, 255, 255, 240)
_FAINT_INK: Final = (255, 255, 255, 165)
_SHADOW: Final = (0, 0, 0, 110)
_CARD: Final = (255, 255, 255, 38)
_LARGEST, _SMALLEST = 0.075, 0.026
"""Sizes of the prompt's type, as shares of the shorter side."""

_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def gradient(order: FilmOrder) -> Image.Image:
    """The background: from one deep colour above to a neighbouring one below."""
    mask = Image.linear_gradient("L").resize((order.width, order.height))
    above = Image.new("RGB", mask.size, tint(order, shift=0.0, value=0.30))
    below = Image.new("RGB", mask.size, tint(order, shift=0.09, value=0.52))
    return Image.composite(below, above, mask)


def tint(order: FilmOrder, *, shift: float, value: float, saturation: float = 0.55) -> Colour:
    """A colour of this film; *shift* turns its hue (0 to 1)."""
    hue = uniform("hue", order.text, list(order.references), order.seed) + shift
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def lettering(order: FilmOrder) -> Image.Image:
    """A transparent layer with the reference cards, the prompt and the small print."""
    layer = Image.new("RGBA", (order.width, order.height))
    draw = ImageDraw.Draw(layer)
    side = min(layer.size)
    margin = side // 14
    small = _font(side * 0.032)
    top = margin + _draw_cards(draw, order, margin, small)
    bottom = order.height - margin - round(side * 0.06)
    _draw_prompt(draw, _clean(order.text), (margin, top, order.width - margin, bottom), side)
    _draw_small_print(draw, order, margin, small)
    return layer


def _draw_cards(draw: ImageDraw.ImageDraw, order: FilmOrder, margin: int, font: _Font) -> int:
    """Draw one card for each reference, in a row; return the height taken."""
    if not order.references:
        return 0
    shown = order.references[:4]  # the model takes four at most
    columns = 4 if order.width > order.height else 2
    gap = margin // 3
    height = round(min(order.width, order.height) * 0.11)
    width = min((order.width - 2 * margin + gap) // columns - gap, height * 3)
    for index, name in enumerate(shown):
        left = margin + index % columns * (width + gap)
        top = margin + index // columns * (height + gap)
        _draw_card(draw, (left, top, left + width, top + height), _clean(name), font)
    return -(-len(shown) // columns) * (height + gap)


def _draw_card(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], name: str, font: _Font) -> None:
    left, top, right, bottom = box
    height = bottom - top
    draw.rounded_rectangle(box, radius=height // 6, fill=_CARD, outline=_FAINT_INK)
    inner = height // 6
    hue = colorsys.hsv_to_rgb(uniform("card", name), 0.45, 0.9)
    picture = (left + inner, top + inner, left + height - inner, bottom - inner)
    draw.rounded_rectangle(picture, radius=inner // 2, fill=tuple(round(part * 255) for part in hue))
    room = right - inner - (left + height)
    draw.text((left + height, (top + bottom) // 2), _shortened(name, font, room), _INK, font, anchor="lm")


def _draw_prompt(draw: ImageDraw.ImageDraw, text: str, box: tuple[int, int, int, int], side: int) -> None:
    """Write *text* into *box*, as large as it goes."""
    left, top, right, bottom = box
    for size in _sizes(side):
        font = _font(size)
        lines = list(_wrapped(text, font.getlength, right - left))
        step = round(size * 1.32)
        if len(lines) * step <= bottom - top:
            break
    lines = lines[: max((bottom - top) // step, 1)]
    y = top + (bottom - top - len(lines) * step) // 2
    for line in lines:
        draw.text((left + 2, y + 2), line, _SHADOW, font)
        draw.text((left, y), line, _INK, font)
        y += step


def _draw_small_print(draw: ImageDraw.ImageDraw, order: FilmOrder, margin: int, font: _Font) -> None:
    facts = [f"request {order.request_id[:8]}"]
    facts += [f"output {order.number}"] if order.number > 1 else []
    facts += [f"seed {_clean(order.seed)[:20]}"] if order.seed else []
    base = order.height - margin
    draw.text((order.width - margin, base), "  ·  ".join(facts), _FAINT_INK, font, anchor="rs")
    if order.width > order.height // 2:
        draw.text((margin, base), "simulated", _FAINT_INK, font, anchor="ls")


def _sizes(side: int) -> Iterator[float]:
    share = _LARGEST
    while share > _SMALLEST:
        yield side * share
        share *= 0.88
    yield side * _SMALLEST


def _wrapped(text: str, length_of: Callable[[str], float], room: float) -> Iterator[str]:
    """Break *text* into lines of at most *room* pixels, inside a word only where it is too long itself."""
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if length_of(joined) <= room:
            line = joined
            continue
        if line:
            yield line
        while length_of(word) > room and len(word) > 1:
            fits = bisect_right(range(2, len(word)), room, key=lambda n: length_of(word[:n])) + 1
            yield word[:fits]
            word = word[fits:]
        line = word
    if line:
        yield line


def _shortened(text: str, font: _Font, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"


def _clean(text: str) -> str:
    """Text that the built-in type can show: no accents, no control characters, no lone surrogates, not
    endless.
    """
    plain = (sign for sign in normalize("NFKD", text[:1000]) if not combining(sign))
    return "".join(sign if sign.isprintable() else " " for sign in plain)


def _font(size: float) -> _Font:
    return ImageFont.load_default(size=size)
