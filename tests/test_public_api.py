"""What ``import batchrunner`` gives: exactly the names it lists, and nothing slow before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from importlib.metadata import version
from importlib.resources import files
from inspect import signature
from typing import get_type_hints

import pytest
from msgspec import Struct
from msgspec.structs import fields

import batchrunner
from batchrunner import Rerun, Selection, Settings

HEAVY = ("httpx", "anyio", "jsonschema", "yaml", "rich", "av", "PIL", "sqlite3")


@pytest.mark.parametrize("name", batchrunner.__all__)
def test_every_listed_name_is_there(name):
    assert getattr(batchrunner, name).__module__.startswith("batchrunner.")


def test_the_list_is_sorted_and_without_repeats():
    assert batchrunner.__all__ == sorted(set(batchrunner.__all__))


def test_a_name_that_is_not_listed_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'wish'"):
        batchrunner.wish  # noqa: B018


def test_everything_needed_to_write_down_settings_is_public():
    hints = [hint for kind in (Settings, Rerun, Selection) for hint in get_type_hints(kind).values()]
    ours = {hint for hint in hints if isinstance(hint, type) and issubclass(hint, (Struct, StrEnum))}

    assert {hint.__name__ for hint in ours} <= set(batchrunner.__all__)


def test_run_and_its_async_twin_take_the_same_arguments():
    def asked_for(function) -> list[tuple[str, object, object]]:
        return [(each.name, each.kind, each.annotation) for each in signature(function).parameters.values()]

    assert asked_for(batchrunner.run) == asked_for(batchrunner.run_async)


def test_settings_are_values():
    assert Settings() == Settings()
    assert all(hasattr(Settings(), field.name) for field in fields(Settings))
    with pytest.raises(AttributeError):
        Settings().concurrency = 9


def test_the_package_carries_its_types_and_its_version():
    assert files("batchrunner").joinpath("py.typed").is_file()
    assert batchrunner.__version__ == version("batchrunner")


def test_importing_the_package_loads_nothing_heavy():
    script = f"import sys, batchrunner; print([name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )

    assert loaded.stdout.strip() == "[]"
