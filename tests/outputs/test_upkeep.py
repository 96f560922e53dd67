"""Files that are kept up have the bytes of files written afresh, whatever happened to their folder."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrunner.files import disk
from batchrunner.ledger import Store
from batchrunner.ledger.images import know_images
from batchrunner.ledger.stored import Film, record_stored
from batchrunner.lifecycle import State
from batchrunner.outputs import columns, lines, remembered, upkeep
from batchrunner.outputs.dataset import look_into, write_data_set
from batchrunner.outputs.dataset import read_text as read_rows
from batchrunner.outputs.remembered import Part, keep, keep_tallies, look, look_back, read_tallies
from batchrunner.outputs.report.figures import Figures, figures_of
from batchrunner.outputs.results import Interrupted, write_results
from batchrunner.outputs.results import read_text as read_lines
from batchrunner.outputs.upkeep import write_lines, write_rows
from batchrunner.settings import Rerun
from batchrunner.staging import LocalImage
from tests.builders import a_job, bring, save, some_jobs, take, the

REFERENCE = f"stage:sha256:{7:064x}.png"
FILES = ("results.jsonl", "metadata.jsonl", "README.md")


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(lines, "AT_ONCE", 3)
    monkeypatch.setattr(columns, "AT_ONCE", 3)


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


@pytest.fixture
def unsynced(monkeypatch):
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)  # hundreds of files, none of them to stay


def leave(store, folder) -> None:
    """Write the files as the end of a run does."""
    before = look_back(store)
    sizes = write_lines(store, folder, before)
    tallies = read_tallies(store, before.parts).new
    if keep(store, folder, before, sizes, write_rows(store, folder, before)):
        keep_tallies(store, tallies)


def figures(store, *, afresh: bool) -> Figures:
    """Return the folder's numbers as the page shows them, from what is kept or from every job."""
    parts = [Part(piece=piece, kept=None) for piece in lines.pieces(store)] if afresh else look(store)
    return figures_of(store, read_tallies(store, parts).all)


def read(folder) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def afresh(store, folder) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    write_results(store, folder / "results.jsonl")
    write_data_set(store, folder)
    return read(folder)


def all_text(store) -> dict[str, str]:
    """Return the same without writing it."""
    rows = read_rows(store, look_into(store))
    return {"results.jsonl": "".join(read_lines(store)), "metadata.jsonl": "".join(rows)}


def pieces_written_by(monkeypatch) -> list[lines.Piece]:
    """Return a list that grows by each piece of results that is put together anew."""
    found: list[lines.Piece] = []
    anew = upkeep.lines_of
    monkeypatch.setattr(
        upkeep,
        "lines_of",
        lambda store, piece, **more: [found.append(piece), *anew(store, piece, **more)][1:],
    )
    return found


def test_only_pieces_with_a_changed_job_are_put_together_anew(store, tmp_path, monkeypatch):
    take(store, some_jobs(12))
    for number in range(9):
        bring(store, State.SUCCEEDED, f"job-{number:02d}")
    leave(store, tmp_path)
    written = pieces_written_by(monkeypatch)
    bring(store, State.SUBMITTED, "job-10")

    leave(store, tmp_path)

    assert [piece[3:] for piece in written] == [(12, 12)]
    assert read(tmp_path) == afresh(store, tmp_path / "fresh")


def test_only_jobs_of_changed_pieces_are_counted_anew(store, tmp_path):
    take(store, some_jobs(12))
    for number in range(9):
        bring(store, State.SUCCEEDED, f"job-{number:02d}")
    leave(store, tmp_path)
    unchanged = read_tallies(store, look(store)).new
    bring(store, State.FAILED, "job-10")

    assert unchanged == []
    assert [place for place, _ in read_tallies(store, look(store)).new] == [(1, 12, 12)]
    assert figures(store, afresh=False) == figures(store, afresh=True)


def test_after_an_end_without_a_page_the_old_count_of_a_changed_piece_is_gone(store, tmp_path):
    take(store, some_jobs(5))
    leave(store, tmp_path)
    bring(store, State.SUCCEEDED, "job-01")
    before = look_back(store)
    sizes = write_lines(store, tmp_path, before)
    keep(store, tmp_path, before, sizes, write_rows(store, tmp_path, before))

    assert figures(store, afresh=False) == figures(store, afresh=True)


def test_a_change_between_the_count_and_its_keeping_is_counted(store, tmp_path):
    take(store, some_jobs(5))
    before = look_back(store)
    sizes, tallies = write_lines(store, tmp_path, before), read_tallies(store, before.parts).new
    assert keep(store, tmp_path, before, sizes, write_rows(store, tmp_path, before))
    bring(store, State.SUCCEEDED, "job-01")
    keep_tallies(store, tallies)

    assert figures(store, afresh=False) == figures(store, afresh=True)


@pytest.mark.parametrize(
    "change", ["ran_at_most_s = 9", "submitted_at = 1", "completed_at = 9", "cost_usd = 7"]
)
def test_whatever_changes_of_an_attempt_is_counted(store, tmp_path, change):
    take(store, some_jobs(5))
    seq = bring(store, State.SUCCEEDED, "job-01").seq
    store.connection.execute("UPDATE attempts SET ran_at_least_s = 1, ran_at_most_s = 2")
    leave(store, tmp_path)
    before = figures(store, afresh=False)

    store.connection.execute(f"UPDATE attempts SET {change} WHERE job = ?", (seq,))

    assert figures(store, afresh=False) == figures(store, afresh=True) != before


def test_files_that_are_true_stay_the_very_files(store, tmp_path):
    take(store, some_jobs(7))
    bring(store, State.SUCCEEDED, "job-03")
    leave(store, tmp_path)
    before = {name: (tmp_path / name).stat() for name in FILES[:2]}

    leave(store, tmp_path)

    assert {name: (tmp_path / name).stat() for name in FILES[:2]} == before


def edit_in_place(path) -> None:
    path.write_bytes(path.read_bytes().replace(b"job-01", b"JOB-01"))


def put_another_there(path) -> None:
    content = path.read_bytes().replace(b"job-01", b"JOB-01")
    path.unlink()
    path.write_bytes(content)


def cut_off(path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("harm", [edit_in_place, put_another_there, cut_off, os.unlink])
@pytest.mark.parametrize("name", FILES[:2])
def test_a_file_that_somebody_changed_is_written_as_a_whole(store, tmp_path, name, harm):
    take(store, some_jobs(7))
    for number in range(3):
        bring(store, State.SUCCEEDED, f"job-{number:02d}")
    leave(store, tmp_path)

    harm(tmp_path / name)
    bring(store, State.FAILED, "job-05")
    leave(store, tmp_path)

    assert read(tmp_path) == afresh(store, tmp_path / "fresh")


def test_another_maker_writes_all_lines(store, tmp_path, monkeypatch):
    take(store, some_jobs(7))
    leave(store, tmp_path)
    written = pieces_written_by(monkeypatch)
    monkeypatch.setattr(remembered, "MADE_BY", "a later batchrunner")

    leave(store, tmp_path)

    assert len(written) == 3


def test_an_end_that_is_cut_off_leaves_the_old_file_and_nothing_is_taken_for_new(store, tmp_path):
    take(store, some_jobs(9))
    leave(store, tmp_path)
    old = read(tmp_path)
    bring(store, State.SUCCEEDED, "job-04")

    with pytest.raises(Interrupted):
        write_lines(store, tmp_path, look_back(store), lambda: False)
    assert read(tmp_path) == old

    write_lines(store, tmp_path, look_back(store))  # killed before the rows were written, or any of it kept
    leave(store, tmp_path)
    assert read(tmp_path) == afresh(store, tmp_path / "fresh")


def test_what_changes_while_the_files_are_written_is_not_taken_for_written(store, tmp_path):
    take(store, some_jobs(5))
    before = look_back(store)
    sizes, rows = write_lines(store, tmp_path, before), write_rows(store, tmp_path, before)
    bring(store, State.SUCCEEDED, "job-01")

    keep(store, tmp_path, before, sizes, rows)
    leave(store, tmp_path)

    assert read(tmp_path) == afresh(store, tmp_path / "fresh")


def put_into_a_store(store, number: int) -> None:
    entry = the(store, f"job-{number:02d}")
    for output in store.artifacts(entry.seq, entry.generation):
        film = Film(seq=entry.seq, generation=entry.generation, n=output.n, file="", size_bytes=1, sha256="")
        record_stored(store, film, f"s3://films/{number}", 5.0)


def name_a_local_image(store, number: int) -> None:
    image = LocalImage(
        reference=REFERENCE, path="/a", written=f"{number}.png", size_bytes=1, identity=(0, 0), looked_at=0.0
    )
    know_images(store, [image])


def lose_a_film(store, number: int) -> None:
    entry = the(store, f"job-{number:02d}")
    if entry.state is State.SUCCEEDED:
        store.file_missing(entry.seq, [1])


WAYS = {
    "succeed": State.SUCCEEDED,
    "submit": State.SUBMITTED,
    "fail": State.FAILED,
    "make two": State.READY,
}


def ten_jobs():
    return [*some_jobs(9), a_job("job-09", row=11, images=[REFERENCE])]


def step(store, what: str, number: int) -> None:
    """Do one thing that runs and commands do to a ledger."""
    job_id = f"job-{number:02d}"
    entry = store.entry_of(job_id)
    match what, entry and entry.state:
        case (("succeed" | "submit" | "fail" | "make two"), State.PENDING):
            bring(store, WAYS[what], job_id, outputs=2 if what == "make two" else 1)
        case "save one", State.READY:
            save(store, job_id, most=1)
        case "reverse", _:
            take(store, ten_jobs()[7::-1])
        case "drop", _:
            take(store, [job for job in ten_jobs() if job.id != job_id])
        case "replace", _:
            take(store, [*ten_jobs()[:number], a_job(f"new-{number}"), *ten_jobs()[number + 1 :]])
        case "edit", _:
            edited = a_job(job_id, row=number + 2, seed=number, meta={f"note {number}": number / 2})
            take(store, [*ten_jobs()[:number], edited, *ten_jobs()[number + 1 :]])
        case "redo", _:
            take(store, None, rerun=Rerun(redo=frozenset({job_id})))
        case "lose", State.SUCCEEDED:
            lose_a_film(store, number)
        case "store", State.SUCCEEDED:
            put_into_a_store(store, number)
        case "image", _:
            name_a_local_image(store, number)


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("succeed", 7), ("submit", 7), ("fail", 7), ("save one", 5), ("save one", 6), ("reverse", 0),
        *[(what, number) for what in ("drop", "replace") for number in range(9)], ("edit", 2), ("edit", 8),
        ("redo", 1), ("lose", 1), ("store", 2), ("image", 3),
    ],
)  # fmt: skip
def test_whatever_changes_a_line_changes_the_file(store, tmp_path, unsynced, what, number):
    take(store, ten_jobs())
    for done in range(5):
        bring(store, State.SUCCEEDED, f"job-{done:02d}")
    for half in (5, 6):
        bring(store, State.READY, f"job-{half:02d}", outputs=2)
    save(store, "job-06", most=1)
    leave(store, tmp_path)
    before = all_text(store)

    step(store, what, number)
    seen_between = figures(store, afresh=False), figures(store, afresh=True)
    leave(store, tmp_path)

    assert seen_between[0] == seen_between[1] == figures(store, afresh=False)
    after = all_text(store)
    assert after != before
    assert {name: (tmp_path / name).read_text("utf-8") for name in after} == after


OFTEN = ["succeed"] * 4 + ["leave"] * 6
SELDOM = [
    "succeed twice",
    "submit",
    "fail",
    "save",
    "reverse",
    "drop",
    "edit",
    "redo",
    "lose",
    "store",
    "image",
]
STEPS = st.tuples(st.sampled_from([*OFTEN, *SELDOM]), st.integers(0, 10))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=25))
def test_kept_up_and_written_afresh_are_the_same_bytes(steps, unsynced, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    with closing(Store.in_memory()) as store:
        take(store, ten_jobs())
        leave(store, folder)
        for what, number in [*steps, ("leave", 0)]:
            if what == "leave":
                leave(store, folder)
                for name, text in all_text(store).items():
                    assert (folder / name).read_text("utf-8") == text
            else:
                step(store, what, number)
            assert figures(store, afresh=False) == figures(store, afresh=True)
