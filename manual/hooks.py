"""What MkDocs asks while it builds the site: the generated parts, and the list of decision notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from manual import PARTS

PLACE: Final = re.compile(r"<!-- generated: (.+?) -->")

FETCHED: Final = "https://unpkg.com/iframe-worker/shim"
"""What the theme's offline search would load from the network when the manual is opened from a disk."""


def on_config(config: Any) -> Any:
    """List the decision notes in the order of their numbers: whoever adds one need not do it."""
    folder = Path(config.docs_dir)
    notes = [str(note.relative_to(folder)) for note in sorted(folder.glob("decisions/[0-9]*.md"))]
    for section in config.nav:
        if "Decisions" in section:
            section["Decisions"] += notes
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the generated parts in their places."""
    return PLACE.sub(lambda place: PARTS[place[1]](), markdown)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Take the script from our own assets."""
    return output.replace(FETCHED, _up(page.url) + "assets/iframe-worker.js")


def on_post_template(output: str, *, template_name: str, **_: Any) -> str:
    """The same for the page that says "not found"."""
    return output.replace(FETCHED, "assets/iframe-worker.js")


def _up(url: str) -> str:
    return "../" * url.count("/")
