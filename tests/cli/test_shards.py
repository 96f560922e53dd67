"""One batch in shards, from the outside: paid once, read as one, and refused where it could be paid again."""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from batchrunner.errors import FolderUnusable
from batchrunner.files import filesystem
from batchrunner.folder.folder import Folder
from batchrunner.folder.ownership import owned
from batchrunner.sharding import Shard

from .acts import accepts_and, hangs_up
from .command import FAST, Batch
from .fake_service import FakeService
from .here import Here

NAMES = [f"scene-{number:02d}" for number in range(12)]


def run_all(here: Here, count: int, *flags: object) -> list[int]:
    return [here.run("--shard", f"{index}/{count}", *flags).code for index in range(1, count + 1)]


def states(here: Here) -> dict[str, int]:
    counted = here("status", here.folder, "--json").json
    assert sum(counted["states"].values()) == counted["total"]
    return {state: n for state, n in counted["states"].items() if n}


def test_all_shards_together_do_the_whole_batch_once(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)

    codes = run_all(here, 3)

    assert codes == [0, 0, 0]
    assert fake.paid == Counter(NAMES)
    assert states(here) == {"succeeded": len(NAMES)}
    lines = here("results", here.folder, "--json").lines
    assert [line["id"] for line in lines] == NAMES
    for line in lines:
        shard = next(s for s in (Shard(n, 3) for n in (1, 2, 3)) if s.holds(line["id"]))
        assert line["outputs"][0]["file"] == f"shards/{shard.name}/videos/{line['id']}.mp4"
        assert (here.folder / line["outputs"][0]["file"]).is_file()
    assert here("verify", here.folder).code == 0
    assert here("report", here.folder).code == 0
    assert all(name in (here.folder / "report.html").read_text() for name in NAMES)


def test_merged_it_goes_on_like_any_folder_and_pays_nothing_again(
    batch: Batch, here: Here, fake: FakeService
):
    batch.write(*NAMES)
    run_all(here, 3)

    merged = here("merge", here.folder, "--json")
    batch.write(*NAMES, "one more")
    again = here.run()

    assert (merged.code, merged.json) == (0, {"jobs": len(NAMES), "shards": 3, "not_begun": []})
    assert again.code == 0
    assert fake.paid == Counter([*NAMES, "one more"])
    assert {path.stem for path in (here.folder / "videos").iterdir()} == {*NAMES, "one more"}
    assert here("merge", here.folder).code == 0


def test_what_a_shard_that_never_ran_would_have_done_is_done_after_the_merge(
    batch: Batch, here: Here, fake: FakeService
):
    batch.write(*NAMES)
    here.run("--shard", "1/3")
    merged = here("merge", here.folder)

    again = here.run()

    assert "not begun" in merged.err
    assert (merged.code, again.code) == (0, 0)
    assert fake.paid == Counter(NAMES)


def test_a_shard_without_jobs_is_done_at_once(batch: Batch, here: Here, fake: FakeService):
    batch.write("only")

    assert run_all(here, 3) == [0, 0, 0]
    assert fake.paid == Counter(["only"])


def test_every_shard_names_every_problem_of_the_manifest(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES, {"id": NAMES[0], "text": "again"}, {"id": "loud", "text": "x", "duration": 99})

    found = [here.run("--shard", f"{index}/3") for index in (1, 2, 3)]

    for one in found:
        assert one.code == 65
        assert "2 problems" in one.err
        assert "duration" in one.err
        assert "is used by line 1 already" in one.err
    assert fake.posts() == 0


def test_another_number_of_shards_is_refused_and_both_are_named(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    here.run("--shard", "1/3")
    paid = fake.paid

    refused = [here.run("--shard", "1/4"), here.plan("--shard", "2/2")]

    assert [one.code for one in refused] == [73, 73]
    assert "is in 3 shards, not in 4" in refused[0].err
    assert fake.paid == paid


@pytest.mark.parametrize(
    "words",
    [("run", "{manifest}", "-o", "{folder}"), ("resume", "{folder}"), ("ctl", "{folder}", "pause")],
    ids=lambda words: words[0],
)
def test_what_needs_one_ledger_is_refused_and_shown_the_ways(batch: Batch, here: Here, words):
    batch.write(*NAMES)
    here.run("--shard", "2/3")

    refused = here(*(word.format(manifest=here.manifest, folder=here.folder) for word in words))

    assert refused.code == 73
    assert "is in 3 shards, each with a ledger of its own" in refused.err
    assert "shards/01-of-03" in refused.err
    assert f"batchrunner merge {here.folder}" in refused.err


def test_a_shard_beside_a_whole_ledger_is_refused(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    here.run("--limit", 2)

    refused = here.run("--shard", "1/3")

    assert refused.code == 73
    assert "has one ledger for all its jobs" in refused.err
    assert fake.posts() == 2
    assert not (here.folder / "shards").exists()


def test_a_shards_own_folder_may_be_named_instead(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    here.run("--shard", "1/2", "--limit", 2)
    own = here.folder / "shards/01-of-02"

    named = here("resume", own, "--base-url", fake.url, *FAST)
    twice = here("resume", own, "--shard", "2/2", "--base-url", fake.url, *FAST)

    assert named.code == 0
    assert set(fake.paid) == {name for name in NAMES if Shard(1, 2).holds(name)}
    assert (twice.code, "is the folder of shard 1/2, not of 2/2" in twice.err) == (2, True)


def test_a_resumed_shard_needs_no_manifest(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    run_all(here, 2, "--limit", 2)

    codes = [
        here("resume", here.folder, "--shard", f"{index}/2", "--base-url", fake.url, *FAST).code
        for index in (1, 2)
    ]

    assert codes == [0, 0]
    assert fake.paid == Counter(NAMES)


def test_limit_and_concurrency_are_of_the_whole_batch(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)

    refused = here.run("--shard", "1/3", "--concurrency", 2)
    run_all(here, 3, "--limit", 5)

    assert refused.code == 2
    assert "--concurrency 2 is of the whole batch, and there are 3 shards" in refused.err
    assert fake.posts() == 5


def test_the_sample_is_that_of_the_whole_manifest(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    run_all(here, 3, "--sample", 5)
    in_shards = set(fake.paid)
    again = run_all(here, 3, "--sample", 5)
    fake.requests.clear()

    elsewhere = here("run", here.manifest, "-o", here.folder.with_name("whole"), "--sample", 5,
                     "--base-url", fake.url, *FAST)  # fmt: skip
    resumed = here("resume", here.folder, "--shard", "1/3", "--sample", 5, "--base-url", fake.url, *FAST)

    assert (elsewhere.code, again) == (0, [0, 0, 0])
    assert len(in_shards) == 5
    assert set(fake.paid) == in_shards
    assert (resumed.code, "draws from the whole manifest" in resumed.err) == (2, True)


def test_a_row_that_is_taken_out_is_gone_and_moves_no_other(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    run_all(here, 3)
    batch.write(*NAMES[1:], "new")

    codes = run_all(here, 3)

    assert codes == [0, 0, 0]
    assert fake.paid == Counter([*NAMES, "new"])
    counted = here("status", here.folder, "--json").json
    assert (counted["total"], counted["gone"]) == (len(NAMES), 1)


def test_status_says_how_many_shards_have_begun_and_who_owns_them(batch: Batch, here: Here):
    batch.write(*NAMES)
    here.run("--shard", "2/3")

    with owned(Folder(here.folder).of_shard(Shard(2, 3))):
        counted = here("status", here.folder, "--json").json
        words = here("status", here.folder).out

    assert (counted["shards"]["count"], counted["shards"]["begun"]) == (3, 1)
    assert [owner["shard"] for owner in counted["shards"]["owners"]] == ["2/3"]
    assert "1 of 3 shards have begun" in words
    assert "shard 2/3: process" in words


def test_between_two_shards_a_coordinator_is_at_work(batch: Batch, here: Here):
    batch.write(*NAMES)
    here.run("--shard", "2/3")

    with Folder(here.folder).locked() as lock:
        lock.write(left_open=False)
        counted = here("status", here.folder, "--json").json
    after = here("status", here.folder, "--json").json

    assert (counted["shards"]["owners"], counted["shards"]["coordinator"]["pid"]) == ([], str(os.getpid()))
    assert counted["next"] == "0 of 3 shards are at work"
    assert after["shards"]["coordinator"] is None


def test_doubts_of_any_shard_are_listed_and_resolved_from_the_whole(
    batch: Batch, here: Here, fake: FakeService
):
    lost = [NAMES[0], next(name for name in NAMES if not Shard(1, 2).holds(name))]
    for name in lost:
        fake.script("submit", accepts_and(hangs_up), text=name)
    batch.write(*NAMES)
    run_all(here, 2)

    listed = here("resolve", here.folder, "--json").json
    other = here("resolve", here.folder, lost[0], "--request-id", next(iter(fake.requests)),
                 "--base-url", fake.url)  # fmt: skip
    unknown = here("resolve", here.folder, "nobody", "--give-up")
    given_up = here("resolve", here.folder, "--all", "--give-up")

    assert [doubt["id"] for doubt in listed["in_doubt"]] == sorted(lost)
    assert (other.code, "belongs to the job" in other.err) in [(2, True), (0, False)]
    assert unknown.code == 2
    assert given_up.code == 0
    assert states(here)["failed"] >= 1


def test_cancel_reaches_every_shard_or_none(batch: Batch, here: Here):
    batch.write(*NAMES)
    run_all(here, 3, "--limit", 0)

    with owned(Folder(here.folder).of_shard(Shard(3, 3))):
        refused = here("cancel", here.folder)
    untouched = states(here)
    cancelled = here("cancel", here.folder, "scene-0*", "--json")

    assert (refused.code, untouched) == (73, {"pending": len(NAMES)})
    assert sorted(cancelled.json["never_sent"]) == [name for name in NAMES if name.startswith("scene-0")]


def test_an_export_calls_films_as_in_a_folder_of_their_own(batch: Batch, here: Here):
    batch.write(*NAMES)
    run_all(here, 3)

    exported = here("export", here.folder, "--format", "hf", "--to", here.folder.with_name("set"))

    assert exported.code == 0
    rows = map(json.loads, (here.folder.with_name("set") / "metadata.jsonl").read_text().splitlines())
    assert [row["file_name"] for row in rows] == [f"videos/{name}.mp4" for name in NAMES]
    assert {path.stem for path in (here.folder.with_name("set") / "videos").iterdir()} == set(NAMES)


def test_whoever_begins_at_the_same_instant_agrees_on_one_number(tmp_path):
    """Eight of two minds and one without shards: whichever came first, no other begins."""
    wishes = [Shard(1, 3), Shard(1, 4), Shard(2, 3), Shard(2, 4), Shard(3, 3), Shard(3, 4), None]

    def begin(place: Folder, wish: Shard | None) -> int | None:
        try:
            with owned(place if wish is None else place.of_shard(wish)):
                return 1 if wish is None else wish.count
        except FolderUnusable:
            return None

    for number in range(12):
        place = Folder(tmp_path / f"out-{number}")
        with ThreadPoolExecutor(len(wishes)) as threads:
            begun = set(threads.map(lambda wish, place=place: begin(place, wish), wishes))

        assert len(begun - {None}) == 1


def test_on_a_network_file_system_it_is_the_same(
    batch: Batch, here: Here, fake: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(filesystem, "mount_of", lambda path: filesystem.Mount("/", "nfs4", "local_lock=none"))
    batch.write(*NAMES)

    codes = run_all(here, 2)

    assert codes == [0, 0]
    assert list(here.folder.rglob("*.sqlite-wal")) == []
    assert [line["id"] for line in here("results", here.folder / "shards/01-of-02", "--json").lines] == [
        name for name in NAMES if Shard(1, 2).holds(name)
    ]
    assert states(here) == {"succeeded": len(NAMES)}
    assert here("merge", here.folder).code == 0
    assert here.run().code == 0
    assert fake.paid == Counter(NAMES)
