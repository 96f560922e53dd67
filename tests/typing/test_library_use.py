"""A caller's code passes the strictest type check; misuse does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "pyproject.toml"

pytestmark = pytest.mark.slow


def check(*arguments: str) -> str:
    """Return mypy's complaints.  With our own settings it finds what `make types` has kept of the package."""
    out, err, _ = api.run(["--strict", f"--config-file={PROJECT}", "--no-error-summary", *arguments])
    return out + err


def test_the_public_api_is_used_without_a_type_error():
    assert check(str(HERE / "library_use.py")) == ""


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        ("batchrunner.run(7, 'out')", "[arg-type]"),
        ("batchrunner.Settings(concurency=4)", "[call-arg]"),
        ("batchrunner.Settings(concurrency='4')", "[arg-type]"),
        ("batchrunner.run('jobs.csv', 'out').exit", "[attr-defined]"),
        ("batchrunner.wish", "[attr-defined]"),
    ],
)
def test_misuse_is_seen_before_it_runs(misuse, message, tmp_path):
    (tmp_path / "misuse.py").write_text(f"import batchrunner\n{misuse}\n")

    assert message in check(str(tmp_path / "misuse.py"))
