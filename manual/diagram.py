"""The drawing of a job's life: an SVG made of lifecycle.TRANSITIONS, which needs no script and no network.

Only the places of the eight states are drawn by hand.  What leads back to "pending" stands inside each state
as a word after ↩; drawn as arrows, these would hide the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Final

from batchrunner.lifecycle import TRANSITIONS, State

S = State

PLACES: Final[dict[State, tuple[int, int]]] = {
    S.CANCELLED: (250, 30),
    S.PENDING: (65, 150),
    S.SUBMITTING: (250, 150),
    S.SUBMITTED: (435, 150),
    S.READY: (620, 150),
    S.SUCCEEDED: (805, 150),
    S.UNKNOWN: (250, 280),
    S.FAILED: (550, 280),
}
"""The middle of each state: what goes well goes to the right, doubts and failures lie below."""

WIDTH: Final = 875
HEIGHT: Final = 310
BOX: Final = (122, 48)
GAP: Final = 6
"""Between an arrow's end and a box."""


def life_drawing() -> str:
    """Return the drawing, as SVG inside Markdown."""
    head = f'<svg class="life" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="The states of a job">'
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
    )
    drawn = [head, tip, *_arrows(), *map(_box, PLACES), "</svg>"]
    return "\n".join(['<div class="life-frame">', *drawn, "</div>"])


def _arrows() -> Iterator[str]:
    for state in TRANSITIONS:
        for follows, events in ways(state).items():
            if follows is not S.PENDING:
                yield _arrow(state, follows, " · ".join(events))


def ways(state: State) -> dict[State, list[str]]:
    """Return the states that may follow, each with the events that lead there."""
    found: dict[State, list[str]] = {}
    for event, follows in TRANSITIONS[state].items():
        found.setdefault(follows, []).append(event.replace("_", " "))
    return found


def _arrow(start: State, end: State, words: str) -> str:
    # Two states with an arrow in each direction would share one line: each arrow bends to its left.
    bend = 40 if start in ways(end) and start is not S.PENDING else 0
    (x1, y1), (x2, y2) = PLACES[start], PLACES[end]
    length = math.hypot(x2 - x1, y2 - y1)
    cx = (x1 + x2) / 2 + bend * (y2 - y1) / length
    cy = (y1 + y2) / 2 - bend * (x2 - x1) / length
    ax, ay = _edge(start, cx, cy)
    bx, by = _edge(end, cx, cy)
    tx, ty = (ax + 2 * cx + bx) / 4, (ay + 2 * cy + by) / 4
    line = f"M{ax:.0f} {ay:.0f} Q{cx:.0f} {cy:.0f} {bx:.0f} {by:.0f}"
    return (
        f'<path class="way" data-way="{start} {end}" d="{line}"/>'
        f'<text class="event" x="{tx:.0f}" y="{ty - 6:.0f}">{escape(words)}</text>'
    )


def _edge(state: State, x: float, y: float) -> tuple[float, float]:
    """Return where the line from a state's middle towards (x, y) leaves its box."""
    mx, my = PLACES[state]
    dx, dy = x - mx, y - my
    across = (BOX[0] / 2 + GAP) / abs(dx) if dx else math.inf
    down = (BOX[1] / 2 + GAP) / abs(dy) if dy else math.inf
    share = min(across, down)
    return mx + dx * share, my + dy * share


def _box(state: State) -> str:
    (x, y), (w, h) = PLACES[state], BOX
    back = ways(state).get(S.PENDING, [])
    name_y = y - 4 if back else y + 5
    words = f'<text class="back" x="{x}" y="{y + 15}">↩ {escape(" · ".join(back))}</text>' if back else ""
    corner = f'x="{x - w / 2:.0f}" y="{y - h / 2:.0f}"'
    return (
        f'<g class="state {state}"><rect {corner} width="{w}" height="{h}" rx="10"/>'
        f'<text class="name" x="{x}" y="{name_y}">{state}</text>{words}</g>'
    )
