"""How a test hands a manifest to the reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchrunner._types import Job, Problem
from batchrunner.manifest import read_jobs
from batchrunner.models import Schemas

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a manifest."""

    jobs: list[Job]
    problems: list[Problem]

    @property
    def said(self) -> list[str]:
        """The problems as people read them, with file names instead of whole paths."""
        return [
            str(problem).replace(str(Path(problem.place.file).parent) + "/", "") for problem in self.problems
        ]

    @property
    def only(self) -> Job:
        """The one job of a manifest without problems."""
        assert self.said == []
        (job,) = self.jobs
        return job


Reader = Callable[..., Read]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Write a manifest and read it; text becomes UTF-8."""

    def _read(
        content: str | bytes, name: str = "m.yaml", *, model: str | None = MODEL, schemas=None, **options
    ) -> Read:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = list(read_jobs(path, model=model, schemas=schemas or Schemas(), **options))
        return Read(
            jobs=[each for each in found if isinstance(each, Job)],
            problems=[each for each in found if isinstance(each, Problem)],
        )

    return _read


@pytest.fixture
def two_models(tmp_path: Path) -> tuple[Schemas, str]:
    """The bundled model beside one with a single input called `prompt`."""
    entry = tmp_path / "other.json"
    schema = {"properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
    entry.write_text(json.dumps({"model_id": "acme/other", "input_schema": schema}))
    return Schemas([entry]), "acme/other"
