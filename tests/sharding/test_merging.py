"""One ledger of several: nothing of any shard is lost, and no name is given twice."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from msgspec.structs import replace

from batchrunner.errors import FolderUnusable, ManifestMissing
from batchrunner.folder.folder import Folder
from batchrunner.folder.lease import Held
from batchrunner.folder.ownership import owned
from batchrunner.folder.reading import reading
from batchrunner.folder.standing import read_standing
from batchrunner.folder.verification import verify
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.merging import merge
from batchrunner.sharding import Shard
from tests.builders import the

from .conftest import FILM, fill


def everything(folder: Folder) -> dict[str, list[tuple[object, ...]]]:
    """What the ledger holds, whatever numbers it gave the jobs and wherever the files lie."""
    wanted = {
        "jobs": "SELECT id, position, row, in_manifest, model, inputs, meta, fingerprint, next, generation,"
        " attempts, state, request_id, error_code, error_message, submitted_at, saved_at, cost_usd FROM jobs",
        "attempts": "SELECT id, a.generation, number, intent_at, a.request_id, a.submitted_at, outcome,"
        " a.error_code, a.cost_usd, reserved_micros FROM attempts a JOIN jobs ON seq = job",
        "artifacts": "SELECT id, a.generation, n, key, url, kind, bytes, sha256, a.saved_at"
        " FROM artifacts a JOIN jobs ON seq = job",
        "spending": "SELECT micros FROM spending",
    }
    with reading(folder) as store:
        return {
            name: sorted((tuple(row) for row in store.connection.execute(query)), key=repr)
            for name, query in wanted.items()
        }


def test_shards_read_as_one_and_merged_hold_the_same(whole, mixed):
    before = everything(whole)
    counted = read_standing(whole)

    done = merge(whole)

    assert (done.jobs, done.shards, done.not_begun) == (len(mixed), 3, ())
    assert everything(whole) == before
    assert len(before["jobs"]) == len(mixed)
    after = read_standing(whole)
    assert (after.counts, after.cost_micros, after.errors) == (
        counted.counts,
        counted.cost_micros,
        counted.errors,
    )
    assert (counted.shards, counted.begun, after.shards) == (3, 3, None)


def test_merged_films_lie_in_the_folders_own_place_and_are_whole(whole, mixed):
    merge(whole)

    found = verify(whole)
    succeeded = {f"videos/{job_id}.mp4" for job_id, state in mixed.items() if state is State.SUCCEEDED}
    assert (found.flaws, found.strays, found.files) == ([], [], len(succeeded))
    assert {f"videos/{path.name}" for path in (whole.path / "videos").iterdir()} == succeeded


def test_results_are_in_the_manifests_order_before_and_after(whole, mixed):
    with reading(whole) as store:
        before = [row[0] for row in store.connection.execute("SELECT id FROM jobs ORDER BY position, seq")]

    merge(whole)

    lines = [json.loads(line) for line in (whole.path / "results.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == before == list(mixed)


def test_what_the_shards_still_hold_is_put_aside_and_never_runs_again(whole):
    done = merge(whole)

    assert done.aside == whole.path / "shards.merged"
    history = Folder(done.aside / "01-of-03")
    assert history.ledger.exists()
    elsewhere = "the ledger of shard 1/3 and does not stand in its place"
    with pytest.raises(FolderUnusable, match=elsewhere), owned(history):
        pass


def test_a_shard_that_has_not_begun_has_nothing_to_add_and_cannot_begin_any_more(tmp_path, mixed):
    whole = Folder(tmp_path / "out")
    fill(whole, Shard(2, 3), mixed)

    done = merge(whole)

    assert done.not_begun == (Shard(1, 3), Shard(3, 3))
    with pytest.raises(FolderUnusable, match="made by `merge`"), owned(whole.of_shard(Shard(1, 3))):
        pass


def test_a_shard_at_work_is_not_merged_away(whole):
    before = everything(whole)

    with owned(whole.of_shard(Shard(2, 3))), pytest.raises(FolderUnusable, match="02-of-03 is in use"):
        merge(whole)

    assert everything(whole) == before
    assert not whole.has_ledger()


def test_a_shard_with_films_and_no_ledger_is_not_passed_over(whole):
    whole.of_shard(Shard(1, 3)).ledger.unlink()

    with pytest.raises(FolderUnusable, match=r"holds results .* but no ledger.sqlite"):
        merge(whole)


def test_a_shard_whose_latest_commits_are_gone_is_not_merged(whole):
    shard = whole.of_shard(Shard(1, 3))
    shard.lock_file.write_text('{"pid": 1, "ledger": "open"}')

    with pytest.raises(FolderUnusable, match="its latest commits"):
        merge(whole)


def test_nothing_to_merge(tmp_path, mixed):
    fill(Folder(tmp_path / "out"), Shard(1, 1), mixed)
    merge(Folder(tmp_path / "out"))

    again = merge(Folder(tmp_path / "out"))

    assert (again.jobs, again.shards) == (len(mixed), 0)
    with pytest.raises(ManifestMissing):
        merge(Folder(tmp_path / "elsewhere"))


def test_names_that_two_shards_gave_are_both_kept(tmp_path):
    """``Fox`` and ``fox`` are one name on many disks, and a pattern may call all films the same."""
    wanted = dict.fromkeys(("Fox", "fox", "FOX", "fOx", "foX", "fOX"), State.SUCCEEDED)
    whole = Folder(tmp_path / "out")
    for index in (1, 2, 3):
        fill(whole, Shard(index, 3), wanted)

    merge(whole)

    files = [path.name for path in (whole.path / "videos").iterdir()]
    assert len({name.casefold() for name in files}) == len(wanted)
    assert not verify(whole).flaws


def test_a_file_of_the_users_own_is_never_written_over(whole, mixed):
    name = next(job_id for job_id, state in mixed.items() if state is State.SUCCEEDED)
    own = whole.path / f"videos/{name}.mp4"
    own.parent.mkdir()
    own.write_text("mine")

    merge(whole)

    assert own.read_text() == "mine"
    assert [(flaw.file, flaw.problem) for flaw in verify(whole).flaws] == []
    assert verify(whole).strays == [f"videos/{name}.mp4"]


def test_a_film_that_was_deleted_is_no_obstacle_to_a_merge(whole, mixed):
    with reading(whole) as store:
        (file,) = store.connection.execute("SELECT file FROM artifacts WHERE saved_at > 0").fetchone()
    (whole.path / file).unlink()

    merge(whole)

    assert [flaw.problem for flaw in verify(whole).flaws] == ["missing"]


def test_a_request_id_that_two_shards_were_given_is_kept_with_both_jobs(whole):
    ids = []
    for index in (1, 2):
        with owned(whole.of_shard(Shard(index, 3))) as store:
            (job_id,) = store.connection.execute("SELECT id FROM jobs WHERE state = 'submitted'").fetchone()
            store.connection.execute("UPDATE jobs SET request_id = 'twice' WHERE id = ?", (job_id,))
            store.connection.execute(
                "UPDATE attempts SET request_id = 'twice' WHERE job = ?", (the(store, job_id).seq,)
            )
            ids.append(job_id)

    merge(whole)

    with closing(Store.read_only(whole.ledger)) as store:
        assert [the(store, job_id).request_id for job_id in ids] == ["twice", "twice"]
        assert store.owner_of("twice") == ids[0]


def test_shards_of_two_services_are_not_mixed(whole):
    with owned(whole.of_shard(Shard(3, 3))) as store:
        store.set_fact("origin", "https://elsewhere.example.com")

    with pytest.raises(FolderUnusable, match=r"belongs to https://elsewhere.example.com"):
        merge(whole)


def test_a_machine_that_died_with_several_shards_is_waited_out_once(whole):
    for index in (1, 3):
        held = Held(nonce="n", host="elsewhere/boot", pid=7, counter=1, duration_s=0.2)
        held.write(whole.of_shard(Shard(index, 3)).path / "lease")
    heard: list[str] = []

    merge(whole, heard.append)

    assert sorted("01-of-03" in words for words in heard) == [False, True]
    assert all("process 7 on elsewhere" in words for words in heard)
    assert whole.has_ledger()


def test_a_machine_that_renews_its_lease_keeps_its_shard_from_a_merge(whole):
    path = whole.of_shard(Shard(2, 3)).path / "lease"
    held = Held(nonce="n", host="elsewhere/boot", pid=7, counter=1, duration_s=30.0)
    held.write(path)

    def renewed(words: str) -> None:
        replace(held, counter=2).write(path)

    with pytest.raises(FolderUnusable, match="its lease is renewed"):
        merge(whole, renewed)

    assert not whole.has_ledger()


def test_the_lowest_cap_holds_after_a_merge(whole):
    for index, cap in ((1, None), (2, "5000000"), (3, "2000000")):
        with owned(whole.of_shard(Shard(index, 3))) as store:
            store.set_fact("max_cost_micros", cap)

    merge(whole)

    with closing(Store.read_only(whole.ledger)) as store:
        assert store.fact("max_cost_micros") == "2000000"


def test_the_film_used_here_is_whole():
    assert FILM.stat().st_size > 100
