"""The generated parts of the manual say all that the program has: states, ways, codes, commands, flags."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

import batchrunner
from batchrunner.errors import ErrorCode, Exit
from batchrunner.lifecycle import TRANSITIONS, Event, State
from manual import PARTS
from manual.beside import words_beside
from manual.commands import command_contexts
from manual.diagram import BOX, HEIGHT, PLACES, WIDTH, life_drawing, ways

from .pages import DOCS, PAGES

PLACE = re.compile(r"<!-- generated: (.+?) -->")


@pytest.mark.parametrize("kind", [State, Event, Exit, ErrorCode])
def test_every_word_has_its_meaning_beside_it(kind):
    meanings = words_beside(kind)

    assert set(meanings) == {member.name for member in kind}
    assert all(meanings.values())


def test_every_generated_part_has_its_place_and_every_place_its_part():
    named = [name for page in PAGES for name in PLACE.findall(page.read_text("utf-8"))]

    assert sorted(named) == sorted(PARTS)


def test_the_drawing_has_every_state_and_every_way_but_those_that_its_boxes_name():
    drawing = life_drawing()
    drawn = {tuple(way.split()) for way in re.findall(r'data-way="([^"]+)"', drawing)}

    assert set(PLACES) == set(State)
    assert drawn == {(a, b) for a in TRANSITIONS for b in ways(a) if b is not State.PENDING}
    for state in TRANSITIONS:
        for event in ways(state).get(State.PENDING, []):
            assert event in drawing


def test_no_state_is_drawn_over_another_or_outside():
    (w, h), places = BOX, list(PLACES.values())

    assert all(w / 2 < x < WIDTH - w / 2 and h / 2 < y < HEIGHT - h / 2 for x, y in places)
    assert all(abs(a[0] - b[0]) > w or abs(a[1] - b[1]) > h for a, b in combinations(places, 2))


def test_the_table_of_states_names_every_way():
    table = PARTS["states"]()

    for state, row in TRANSITIONS.items():
        line = next(line for line in table.splitlines() if line.startswith(f"| `{state}`"))
        assert line.count("→") == len(row)


def test_the_page_of_commands_names_every_flag():
    page = PARTS["commands"]()

    for context in command_contexts():
        assert f"## {context.info_name}\n" in page
        for parameter in context.command.params:
            for name in parameter.opts:
                assert f"`{name}`" in page or name in page


def test_the_library_page_names_everything_that_is_public():
    named = re.findall(
        r"^::: batchrunner\.(\w+)$", (DOCS / "reference/library.md").read_text("utf-8"), re.MULTILINE
    )

    assert sorted(named) == sorted(batchrunner.__all__)
