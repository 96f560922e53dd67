"""A caller's code passes the strictest type check; misuse does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


def check(*arguments: str) -> str:
    out, err, _ = api.run(["--strict", "--config-file=", "--no-error-summary", *arguments])
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
def test_misuse_is_seen_before_it_runs(misuse, message):
    assert message in check("-c", f"import batchrunner\n{misuse}")
