"""Never run: the public API as a caller uses it, for the type checker to read (``mypy --strict``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import assert_type

import batchrunner
from batchrunner import (
    BatchrunnerError,
    Exit,
    ManifestInvalid,
    OnUnknown,
    Report,
    Rerun,
    RunEvent,
    Selection,
    Settings,
    State,
    run,
    run_async,
)


def the_shortest_use() -> Report:
    report = batchrunner.run("jobs.csv", "out", simulate=True)
    assert_type(report, Report)
    assert_type(report.exit_code, Exit)
    assert_type(report.states[State.SUCCEEDED], int)
    return report


def everything_given(on_event: Callable[[RunEvent], None]) -> Report:
    return run(
        Path("jobs.yaml"),
        Path("out"),
        model="acme/other",
        schemas=["other.json", Path("more.json")],
        settings=Settings(
            concurrency=4,
            limit=10,
            on_unknown=OnUnknown.HOLD,
            selection=Selection(only=("fox-*",), sample=5),
        ),
        rerun=Rerun(retry=frozenset({"failed"}), redo=("fox-1",)),
        base_url="https://model-api.example.com",
        token="from a vault",
        on_event=on_event,
        confirm=lambda question: "paid" in question,
    )


async def going_on_without_a_manifest() -> int:
    report = await run_async(None, "out")
    return int(report.exit_code)


def problems_as_values() -> list[str]:
    try:
        run("jobs.csv", "out")
    except ManifestInvalid as error:
        return [f"{problem.place.file}:{problem.place.line}: {problem.message}" for problem in error.problems]
    except BatchrunnerError as error:
        return [error.message, error.hint or ""]
    return []
