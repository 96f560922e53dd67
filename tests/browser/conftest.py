"""A real Chromium, and a folder with a report to open in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from batchrunner.causes import Address
from batchrunner.errors import ErrorCode
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.report import write_report
from tests.builders import a_job, an_error, bring, take

HOSTILE = (
    "</script><script>owned()</script>", "<img src=x onerror=owned()>", "\u202egnp.exe\u202c", "a\u2028b",
    "\U0001f98a family \U0001f468\u200d\U0001f469\u200d\U0001f467", "long " * 1_000,
    "{{ 7 * 7 }}", "'\"`&amp;",
)  # fmt: skip
FILMS = 30

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(slots=True)
class Opened:
    """A report in the browser, and everything it said or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    """Console errors and warnings, errors, dialogs."""
    requests: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def wait_until(self, condition: str) -> None:
        """Look until the script *condition* holds; Playwright's own way to wait is barred by the policy."""
        for _ in range(400):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never came true: {condition}")

    @property
    def network(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser a module.  Skips where there is none: `make browser` installs it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine: `make browser` installs it (as root, with apt)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with thirty films, one of two outputs, and one job for each hostile text; its report."""
    folder = tmp_path_factory.mktemp("films of may")
    jobs = [
        a_job(f"film-{n:02d}", row=n, seed=n, text=f"film number {n}",
              images=["https://pictures.example.com/fox.png"])
        for n in range(1, FILMS + 1)
    ]  # fmt: skip
    jobs += [
        a_job(text, row=100 + n, text=text, meta={text: text}, images=["javascript:owned()"])
        for n, text in enumerate(HOSTILE)
    ]
    with closing(Store.in_memory()) as store:
        take(store, jobs)
        for job in jobs[:FILMS]:
            bring(store, State.SUCCEEDED, job.id, outputs=2 if job.id == "film-02" else 1)
        for text in HOSTILE:
            seq = bring(store, State.SUBMITTED, text).seq
            store.gave_up(seq, an_error(ErrorCode.GENERATION_FAILED, text), 0.5, 3.0)
        (folder / "videos").mkdir()
        for row in store.connection.execute("SELECT file FROM artifacts"):
            shutil.copy("batchrunner/simulator/tiny.mp4", folder / row["file"])
        write_report(store, folder / "report.html", Address(folder=folder))
    return folder / "report.html"


def open_report(browser: Any, path: Path, *, width: int = 1440, scheme: str = "light") -> Opened:
    """Open the report in a window of its own, as from the disk."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = Opened(context.new_page())
    opened.on("console", lambda said: opened.complaints.append(f"{said.type}: {said.text}"))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("dialog", lambda dialog: opened.complaints.append(f"dialog {dialog.message}"))
    opened.on("request", lambda request: opened.requests.append(request.url))
    opened.page.add_init_script("window.owned = () => { throw new Error('owned'); }")
    opened.goto(path.as_uri())
    return opened
