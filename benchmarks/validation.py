"""How fast is a manifest validated, against one pass of the plain parser over the same file?

Memory is compared with the same command on ten rows: it should not grow with the manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .figures import Figure, Must
from .inputs import MODEL, write_csv, write_jsonl, write_yaml
from .processes import batchrunner, python, run
from .scale import Scale

FEW_ROWS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A manifest's format, and the least work that reads it at all."""

    name: str
    suffix: str
    write: Callable[[Path, int], Path]
    parser: str
    one_pass: str
    """A program that parses the file named by its argument and does nothing with it."""
    must: Must
    """For a million rows."""


CSV: Final = Form(
    name="CSV",
    suffix=".csv",
    write=write_csv,
    parser="csv module",
    one_pass="import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass",
    must=Must(ours=8, ratio=3),
)
JSON_LINES: Final = Form(
    name="JSON Lines",
    suffix=".jsonl",
    write=write_jsonl,
    parser="json module",
    one_pass="import json, sys\nfor line in open(sys.argv[1]): json.loads(line)",
    must=Must(ours=6),
)
YAML: Final = Form(
    name="YAML",
    suffix=".yaml",
    write=write_yaml,
    parser="libyaml events",
    one_pass="import sys, yaml\nfor event in yaml.parse(open(sys.argv[1]), yaml.CSafeLoader): pass",
    must=Must(ours=40),
)


def validation(scale: Scale, folder: Path) -> list[Figure]:
    """Validate the same jobs in each format."""
    return [figure for form in (CSV, JSON_LINES, YAML) for figure in _one(form, scale, folder)]


def _one(form: Form, scale: Scale, folder: Path) -> list[Figure]:
    rows = scale.rows
    manifest = form.write(folder / f"jobs{form.suffix}", rows)
    few = form.write(folder / f"few{form.suffix}", FEW_ROWS)
    ours = run(batchrunner("validate", manifest, "--model", MODEL))
    ours_of_few = run(batchrunner("validate", few, "--model", MODEL))
    limit = run(python("-c", form.one_pass, manifest))
    name = f"validate {rows:,} rows of {form.name}"
    return [
        Figure(name=name, unit="s", ours=ours.wall_s, limit=limit.wall_s, limit_is=f"one pass, {form.parser}",
               must=form.must if scale.is_full else None,
               how=f"whole processes; CPU {ours.cpu_s:.1f} s and {limit.cpu_s:.1f} s"),
        Figure(name=f"{name}: memory", unit="MB", ours=ours.peak_mb, limit=ours_of_few.peak_mb,
               limit_is=f"{FEW_ROWS} rows", must=Must(ours=100), how="peak"),
    ]  # fmt: skip
