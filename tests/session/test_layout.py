"""A folder's layout is decided when its manifest first comes in, and stays."""

from __future__ import annotations

from contextlib import closing

import pytest

from batchrunner.errors import FolderUnusable, Usage
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.session.layout import SHARDED_PAST, settle_layout
from tests.builders import a_job, bring, nothing, some_jobs, take, the

FEW = 3


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


def film_of(store: Store, job_id: str) -> str:
    bring(store, State.READY, job_id)
    name = store.reserve(
        the(store, job_id).seq, 1, kind="video", extension=".mp4", size_bytes=5, sha256="ab", taken=nothing
    )
    store.file_saved(the(store, job_id).seq, 1, 4.0)
    return name


def test_a_pattern_names_the_files(store):
    take(store, [a_job("fox", seed=7, meta={"shot": 1})])
    settle_layout(store, "{shot}/{seed}-{id}", FEW)

    assert film_of(store, "fox") == "videos/1/7-fox.mp4"


def test_a_run_without_a_pattern_goes_on_with_the_folders_own(store):
    take(store, some_jobs(2))
    settle_layout(store, "{text}-x", FEW)
    film_of(store, "job-00")
    settle_layout(store, None, FEW)
    settle_layout(store, "{text}-x", FEW)

    assert film_of(store, "job-01") == "videos/job-01-x.mp4"


@pytest.mark.parametrize("first", [None, "{text}-x"])
def test_another_pattern_is_refused_once_there_are_files(store, first):
    take(store, some_jobs(1))
    settle_layout(store, first, FEW)
    film_of(store, "job-00")

    with pytest.raises(FolderUnusable, match="are called"):
        settle_layout(store, "{id}-y", FEW)


def test_another_pattern_is_taken_while_there_are_none(store):
    take(store, some_jobs(1))
    settle_layout(store, "{text}-x", FEW)
    settle_layout(store, "{text}-y", FEW)

    assert film_of(store, "job-00") == "videos/job-00-y.mp4"


def test_jobs_that_would_share_a_name_get_names_of_their_own(store):
    take(store, [a_job(one, row=n, seed=7) for n, one in enumerate(["fox", "Fox", "owl"], start=2)])
    settle_layout(store, "{seed}", FEW)

    names = [film_of(store, one) for one in ("fox", "Fox", "owl")]

    assert names[0] == "videos/7.mp4"
    assert len({name.casefold() for name in names}) == 3


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [("{sed}-{id}", "{seed}"), ("{meta.shto}", "{meta.shot}"), ("{xyz123}", "fields: id,")],
)
def test_a_field_that_no_job_has_is_refused_with_those_there_are(store, pattern, hint):
    take(store, [a_job("fox", seed=7, meta={"shot": 1})])

    with pytest.raises(Usage, match="no job has a field") as refused:
        settle_layout(store, pattern, FEW)

    assert hint in (refused.value.hint or "")


def test_a_large_folder_is_spread_and_stays_so_and_a_small_one_never_is(store):
    take(store, some_jobs(2))
    settle_layout(store, None, SHARDED_PAST + 1)
    large = film_of(store, "job-00")
    settle_layout(store, None, FEW)

    with closing(Store.in_memory()) as small:
        take(small, some_jobs(1))
        settle_layout(small, None, SHARDED_PAST)
        settle_layout(small, None, SHARDED_PAST * 2)
        assert film_of(small, "job-00") == "videos/job-00.mp4"
    assert large.count("/") == film_of(store, "job-01").count("/") == 2
    assert large.endswith("/job-00.mp4")


def test_a_pattern_with_folders_of_its_own_is_not_spread(store):
    take(store, some_jobs(1))
    settle_layout(store, "all/{id}", SHARDED_PAST + 1)

    assert film_of(store, "job-00") == "videos/all/job-00.mp4"


def test_a_folder_from_before_layouts_stays_flat(store):
    take(store, some_jobs(2))
    film_of(store, "job-00")
    settle_layout(store, None, SHARDED_PAST + 1)

    assert film_of(store, "job-01") == "videos/job-01.mp4"
