"""``report.html``: the morning after, in one file that loads nothing but the films beside it.

What the page may do is in its Content-Security-Policy: our scripts and our style by their hashes, films and
pictures from the folder, nothing else.  Why a page like this: docs/decisions/0013-report.md
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ... import __version__
from ..._types import Json
from ...causes import FEW, Address
from ...files.disk import replaced_file
from ...ledger import Store, read_failures
from ..remembered import GoOn, NewTally, Part, look, read_tallies
from ..results import Interrupted, interruptible
from .embedded import FIELDS, Embedded, Sign, embed_jobs, inert_json
from .figures import Figures, figures_of
from .template import asset, load_template
from .wording import FILTERS, failures_for_people, headline, summary_line

NAME: Final = "report.html"


def write_report(
    store: Store,
    path: Path,
    address: Address,
    go_on: GoOn = lambda: True,
    *,
    sign: Sign | None = None,
    parts: Sequence[Part] | None = None,
) -> list[NewTally]:
    """Write the page to *path*, whole or not at all.  Raises Interrupted as soon as *go_on* says no.

    *sign* gives stored films addresses to fetch them from, by their URLs.  *parts* are all jobs, where the
    caller knows already which ones have not changed.  Returns the tallies to be kept.
    """
    with interruptible(store, go_on):
        tallied = read_tallies(store, look(store) if parts is None else parts, go_on)
        figures = figures_of(store, tallied.all)
        embedded = embed_jobs(store, go_on, sign=sign)
        page = load_template().generate(**_context(store, figures, embedded, address))
        with replaced_file(path) as file:
            for piece in page:
                if not go_on():
                    raise Interrupted
                file.write(piece)
    return tallied.new


def _context(store: Store, figures: Figures, embedded: Embedded, address: Address) -> dict[str, Any]:
    from markupsafe import Markup

    simulated = store.fact("simulated") == "1"
    style, theme, script = asset("uPlot.min.css") + asset("report.css"), asset("theme.js"), _scripts()
    settings: Json = {"fields": list(FIELDS), "models": list(embedded.models)}
    return {
        "version": __version__,
        "made_at": time.time(),
        "name": address.folder.absolute().name,
        "simulated": simulated,
        "figures": figures,
        "headline": headline(figures),
        "summary": summary_line(figures, simulated=simulated),
        "failures": failures_for_people(read_failures(store, rows=FEW), figures, address),
        "filters": FILTERS,
        "embedded": embedded,
        "again": address.command("report"),
        "policy": _policy(scripts=(theme, script), style=style),
        "style": Markup(style),  # noqa: S704 (our own files; everything else is escaped)
        "theme": Markup(theme),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "charts_json": Markup(inert_json(figures.charts())),  # noqa: S704 (inert_json leaves no markup)
        "settings_json": Markup(inert_json(settings)),  # noqa: S704
        "jobs_json": (Markup(job) for job in embedded.jobs),  # noqa: S704
    }


def _policy(*, scripts: tuple[str, ...], style: str) -> str:
    """Return what the page may load: our own lines by their hashes, files from the folder, no network."""
    ours = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {ours}; style-src {_hash(style)};"
        " media-src 'self' file:; img-src 'self' file: data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _scripts() -> str:
    return ";\n".join(asset(name) for name in ("uPlot.iife.min.js", "charts.js", "gallery.js"))
