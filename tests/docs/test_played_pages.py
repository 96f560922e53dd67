"""What the manual shows as output is what the program says: its pages are played, by hand as it were."""

from __future__ import annotations

import pytest

from .pages import DOCS, PAGES, PLAYED, ROOT, blocks, typed
from .player import play, steady

RECORD = "after a look at the change: python -m tests.docs.player writes down what is said now"


@pytest.mark.slow
@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_a_played_page_shows_what_the_program_says(page, tmp_path):
    for block, now in play(page, tmp_path):
        for shown, said in zip(typed(block), now, strict=True):
            assert steady(shown.said) == steady(said.said), f"{page.name}: $ {shown.command}\n{RECORD}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in PLAYED], ids=lambda page: str(page.relative_to(DOCS))
)
def test_no_other_page_shows_output(page):
    shown = [one for block in blocks(page) if block.language == "console" for one in typed(block) if one.said]

    assert shown == []


def test_the_readme_shows_what_validate_says_of_three_typos(tmp_path):
    """Its other output is that of `make demo`, which CI runs."""
    command = "$ batchrunner validate manifests/three_typos.csv"
    block = next(block for block in blocks(ROOT / "README.md") if command in block.lines)
    start = block.lines.index(command)
    shown = block.lines[start : block.lines.index("", start)]
    page = tmp_path / "page.md"
    page.write_text("```console\n" + "\n".join(shown) + "\n```\n", encoding="utf-8")
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")

    [(_, [said])] = play(page, tmp_path)

    assert steady(said.said) == steady(tuple(shown[1:]))
