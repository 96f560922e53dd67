"""The page's template is compiled once for all runs, and anew where it has changed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import jinja2
import pytest

from batchrunner.outputs.report import template


@pytest.fixture
def page(tmp_path, monkeypatch) -> Path:
    page = shutil.copytree(template.PAGE, tmp_path / "page", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(template, "PAGE", page)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return page


@pytest.fixture
def compiled(monkeypatch) -> list[str]:
    """Note each template that is compiled."""
    noted: list[str] = []
    compile_ = jinja2.Environment.compile

    def noting(self, source, name=None, *rest, **named):
        noted.append(name)
        return compile_(self, source, name, *rest, **named)

    monkeypatch.setattr(jinja2.Environment, "compile", noting)
    return noted


def load():
    template.asset.cache_clear()
    template.load_template.cache_clear()
    return template.load_template()


@pytest.fixture(autouse=True)
def forgotten():
    yield
    template.asset.cache_clear()
    template.load_template.cache_clear()


def test_the_second_run_compiles_nothing(page, compiled):
    load()
    load()

    assert compiled == ["report.html.j2"]


def test_a_changed_template_is_compiled_anew(page, compiled):
    load()
    (page / "report.html.j2").write_text("{{ name|count }}!")

    assert load().render(name=3) == "3!"
    assert len(compiled) == 2


def test_damaged_code_is_not_used(page, compiled):
    load()
    for kept in (page / "__pycache__").iterdir():
        kept.write_bytes(kept.read_bytes()[:40])

    load()

    assert len(compiled) == 2


def test_where_nothing_can_be_kept_it_is_compiled_each_time(page, compiled):
    (page / "__pycache__").write_text("a file in the way")

    load()
    load()

    assert len(compiled) == 2


def test_whoever_wants_no_bytecode_gets_none(page, compiled, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    load()

    assert not (page / "__pycache__").exists()
