"""Which shard a job is in, and what each shard gets of what is the whole batch's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import Usage
from batchrunner.settings import Settings
from batchrunner.sharding import MOST, Shard

counts = st.integers(1, 60)
ids = st.text(min_size=1, max_size=20)  # lone surrogates too: JSON can hold them


def every(count: int) -> list[Shard]:
    return [Shard(index, count) for index in range(1, count + 1)]


@given(ids, counts)
def test_every_job_is_in_exactly_one_shard(job_id, count):
    assert sum(shard.holds(job_id) for shard in every(count)) == 1


@given(st.lists(ids, unique=True, max_size=30), st.lists(ids, unique=True, max_size=30), counts)
def test_rows_that_are_added_or_taken_out_move_no_other_job(before, after, count):
    stayed = set(before) & set(after)
    for shard in every(count):
        assert {i for i in before if shard.holds(i)} & stayed == {i for i in after if shard.holds(i)} & stayed


def test_where_a_job_is_does_not_change_with_the_version():
    """A release that hashed otherwise would pay again in every folder that is in shards."""
    placed = {
        name: next(s.index for s in every(8) if s.holds(name)) for name in ("fox", "job-1", "夜", "\ud800")
    }

    assert placed == {"fox": 1, "job-1": 2, "夜": 2, "\ud800": 4}


def test_the_shards_of_many_jobs_are_about_as_large():
    held = [sum(shard.holds(f"job-{n}") for n in range(4_000)) for shard in every(8)]

    assert min(held) > 400
    assert max(held) < 600


@given(st.integers(0, 10**12), counts)
def test_the_shares_add_up_to_the_whole_and_differ_by_one_at_most(total, count):
    shares = [shard.share(total) for shard in every(count)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


def test_what_is_of_the_whole_batch_is_divided():
    whole = Settings(concurrency=10, downloads=4, poll_rate=6.0, limit=5, max_cost_micros=1_000_001)

    parts = [shard.settings(whole) for shard in every(3)]

    assert [part.concurrency for part in parts] == [4, 3, 3]
    assert [part.limit for part in parts] == [2, 2, 1]
    assert [part.max_cost_micros for part in parts] == [333_334, 333_334, 333_333]
    assert [part.poll_rate for part in parts] == [2.0, 2.0, 2.0]
    assert [part.downloads for part in parts] == [4, 4, 4]


def test_nothing_is_invented_where_nothing_was_limited():
    part = Shard(1, 3).settings(Settings())

    assert (part.limit, part.max_cost_micros, part.poll_rate) == (None, None, None)


def test_more_shards_than_jobs_at_once_is_refused():
    with pytest.raises(Usage, match="concurrency 8 is of the whole batch, and there are 9 shards"):
        Shard(1, 9).settings(Settings(concurrency=8))


@given(counts.flatmap(lambda count: st.tuples(st.integers(1, count), st.just(count))))
def test_a_shard_is_what_it_is_written_as(numbers):
    shard = Shard(*numbers)

    assert Shard.parse(str(shard)) == shard
    assert Shard.of_folder(Path("out/shards") / shard.name) == shard


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "1/0", "3", "1/", "/3", "-1/3", "1/3/5", "one/3", f"1/{MOST + 1}"]
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ValueError, match="no shard such as 2/8"):
        Shard.parse(text)


@pytest.mark.parametrize(
    "path", ["out", "out/01-of-03", "out/shards/1-of-3", "out/shards/04-of-03", "shards/x"]
)
def test_other_folders_are_no_shards(path):
    assert Shard.of_folder(Path(path)) is None
