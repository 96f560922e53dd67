"""The site builds without a warning, and asks the network for nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from .pages import ROOT

pytest.importorskip("mkdocs", reason="make docs installs it")

ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source|video)\b[^>]*?(?:src|href)=["']?((?:https?:)?//[^"' >]+)"""
)


def test_the_site_builds_strictly_and_no_page_fetches_anything(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    pages = {page: page.read_text("utf-8") for page in (tmp_path / "site").rglob("*.html")}

    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    assert len(pages) > 20
    for page, text in pages.items():
        assert ELSEWHERE.findall(text) == [], page
        assert "<!-- generated" not in text
