"""`results --as-manifest`: what the ledger holds is a manifest that reads as the very same jobs."""

from __future__ import annotations

import io
import json
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner._types import Job
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.manifest import read_jobs
from batchrunner.models import Schemas
from batchrunner.outputs.again import read_manifest
from tests.builders import a_job, bring, some_jobs, take

ANY_MODEL = {"type": "object", "properties": {}, "additionalProperties": True}

values = st.recursive(
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e300, 1e300) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
names = st.sampled_from(["id", "model", "meta", "input", "meta.x", "text", "seed", "input.id"]) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=8
)


def again(store: Store, tmp_path, where: str = "1") -> list[Job]:
    """The jobs of the manifest that the ledger gives."""
    schema = tmp_path / "any.json"
    schema.write_text(json.dumps({"model": "any/model", "input_schema": ANY_MODEL}))
    text = "\n".join(read_manifest(store, where))
    known = Schemas([schema])
    return list(read_jobs("-", input_format="jsonl", schemas=known, stdin=io.BytesIO(text.encode())))


def test_jobs_of_a_state_come_back_as_they_were(tmp_path):
    with closing(Store.in_memory()) as store:
        jobs = [a_job("狐 1", model="any/model", seed=2**60, meta={"shot": {"n": 1}}), *some_jobs(2)]
        take(store, jobs)
        bring(store, State.FAILED, "狐 1")

        (found,) = again(store, tmp_path, "state = 'failed'")

    assert (found.id, found.model, found.inputs, found.meta) == (
        jobs[0].id, jobs[0].model, jobs[0].inputs, jobs[0].meta,
    )  # fmt: skip


def test_a_job_taken_out_of_the_manifest_stays_out():
    with closing(Store.in_memory()) as store:
        take(store, some_jobs(3))
        take(store, some_jobs(2))

        assert [json.loads(line)["id"] for line in read_manifest(store, "1")] == ["job-00", "job-01"]


def test_an_edit_that_waits_for_its_job_is_not_forgotten():
    with closing(Store.in_memory()) as store:
        take(store, [a_job(seed=1)])
        bring(store, State.SUBMITTED)
        take(store, [a_job(seed=2, meta={"n": 1})])

        (line,) = read_manifest(store, "1")

    assert json.loads(line)["seed"] == 2
    assert json.loads(line)["meta"] == {"n": 1}


@settings(max_examples=60)
@given(
    inputs=st.dictionaries(names, values, max_size=4),
    meta=st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), values, max_size=3),
)
def test_any_inputs_and_notes_come_back_whatever_they_are_called(tmp_path_factory, inputs, meta):
    job = a_job("fox", model="any/model", meta=meta)
    job.inputs.clear()
    job.inputs.update(inputs)
    with closing(Store.in_memory()) as store:
        take(store, [job])

        (found,) = again(store, tmp_path_factory.mktemp("schema"))

    assert isinstance(found, Job), found
    assert (found.inputs, found.meta) == (inputs, meta)
