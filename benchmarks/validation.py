"""How fast is a manifest validated, against one pass of the plain parser over the same file?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .figures import Figure
from .inputs import MODEL, write_csv, write_jsonl, write_yaml
from .processes import batchrunner, python, run
from .scale import Scale

PASSES: Final = {
    "CSV": (
        write_csv,
        "csv module",
        "import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass",
    ),
    "JSON Lines": (
        write_jsonl,
        "json module",
        "import json, sys\nfor line in open(sys.argv[1]): json.loads(line)",
    ),
    "YAML": (
        write_yaml,
        "libyaml events",
        "import sys, yaml\nfor event in yaml.parse(open(sys.argv[1]), yaml.CSafeLoader): pass",
    ),
}
"""Per format: its writer, and the least work that reads it at all."""


def validation(scale: Scale, folder: Path) -> list[Figure]:
    """Validate the same jobs in each format."""
    return [figure for form in PASSES for figure in _one(form, scale.rows, folder)]


def _one(form: str, rows: int, folder: Path) -> list[Figure]:
    write, limit_is, program = PASSES[form]
    suffix = {"CSV": "csv", "JSON Lines": "jsonl", "YAML": "yaml"}[form]
    manifest = write(folder / f"jobs.{suffix}", rows)
    ours = run(batchrunner("validate", manifest, "--model", MODEL))
    limit = run(python("-c", program, manifest))
    name = f"validate {rows:,} rows of {form}"
    return [
        Figure(name=name, unit="s", ours=ours.wall_s, limit=limit.wall_s, limit_is=f"one pass, {limit_is}",
               how="whole processes"),
        Figure(name=f"{name}, memory", unit="MB", ours=ours.peak_mb, limit=limit.peak_mb,
               limit_is=f"one pass, {limit_is}", how="peak"),
    ]  # fmt: skip
