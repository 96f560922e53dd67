"""A disk that fills up, a folder that goes away or is read-only, a quota: exit 74, and nothing is lost.

However the disk fails, no file has a final name it does not deserve, the ledger stays whole, and once the
disk is well again the same command collects what was paid, without paying again.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .books import complaints, left_open, read_books
from .crash_points import Point
from .lives import Batch, Life, Script
from .mishaps import come_back, free_again
from .nurseries import Nurseries

P = Point

JOBS = tuple(f"job-{number}" for number in range(4))
DISK = 74

MIDWAY = (
    P.INTENT_COMMITTED, P.SUBMISSION_TAKEN, P.ID_COMMITTED, P.LOOK_ANSWERED, P.RESULT_ANSWERED,
    P.OUTPUTS_COMMITTED, P.DOWNLOAD_ANSWERED, P.PART_HALF_WRITTEN, P.PART_SYNCED, P.NAME_RESERVED, P.KEPT,
)  # fmt: skip


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of its own at *at*; skips the test where that is not allowed."""
    at.mkdir(parents=True)
    size = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(at)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(size, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 24) as path:
        yield path


@pytest.fixture
def on_disk(nurseries: Nurseries, tmp_path: Path, disk: Path) -> Batch:
    """A batch whose output folder is on a small disk, and whose service is not."""
    batch = Batch(nurseries=nurseries, home=tmp_path / "home", folder=disk / "out")
    batch.write(*JOBS)
    return batch


def _all_is_well(batch: Batch, *, doubts: int = 0) -> None:
    """Run once more, now that the disk is well, and compare the books."""
    assert list(complaints(batch, read_books(batch))) == []

    last = batch.run()

    books = read_books(batch)
    in_doubt = [job_id for job_id, state in books.states.items() if state == "unknown"]
    assert list(complaints(batch, books)) == []
    assert left_open(books) == []
    assert len(in_doubt) <= doubts
    assert last.code == (1 if in_doubt else 0), last.err
    assert set(books.paid.values()) == {1}


def _is_told(life: Life) -> None:
    """The code and the words of a failing disk."""
    assert life.code == DISK, life
    assert "nothing is paid again" in life.err


@pytest.mark.parametrize("point", MIDWAY, ids=lambda point: point.replace(" ", "_"))
def test_a_disk_that_fills_up_midway_ends_the_run_and_costs_nothing(point: P, on_disk: Batch) -> None:
    life = on_disk.run("--concurrency", 2, script=Script(befall_at=point, befalls="fills up"))

    _is_told(life)
    free_again(on_disk.folder)
    _all_is_well(on_disk, doubts=len(life.on_the_wire))


def test_a_request_id_that_could_not_be_recorded_is_said_aloud(on_disk: Batch) -> None:
    full = Script(befall_at=P.SUBMISSION_TAKEN, befalls="fills up")

    life = on_disk.live(*on_disk.run_command("--concurrency", 1), "--progress", "plain", script=full)

    ((request_id, text),) = read_books(on_disk).accepted
    assert request_id in life.err
    free_again(on_disk.folder)
    on_disk.run("--limit", 0)
    assert on_disk.live("resolve", on_disk.folder, text, "--request-id", request_id).code == 0
    _all_is_well(on_disk)


@pytest.mark.parametrize("point", [P.RESULTS_HALF_WRITTEN, P.REPORT_WRITTEN, P.CHECKPOINT_DUE])
def test_a_disk_that_fills_up_at_the_end_costs_a_result_file_at_most(point: P, on_disk: Batch) -> None:
    life = on_disk.run(script=Script(befall_at=point, befalls="fills up"))

    assert life.code in (0, DISK), life
    free_again(on_disk.folder)
    _all_is_well(on_disk)
    assert len((on_disk.folder / "results.jsonl").read_text().splitlines()) == len(JOBS)


def test_a_nearly_full_disk_is_noticed_before_a_cent_is_spent(on_disk: Batch, disk: Path) -> None:
    (disk / "ballast").write_bytes(bytes(20 << 20))

    life = on_disk.run()

    _is_told(life)
    assert "nearly full" in life.err
    assert read_books(on_disk).paid == {}
    free_again(on_disk.folder)
    _all_is_well(on_disk)


def test_submissions_stop_before_the_films_on_their_way_fill_the_disk(
    nurseries: Nurseries, tmp_path: Path, disk: Path
) -> None:
    batch = Batch(nurseries=nurseries, home=tmp_path / "home", folder=disk / "out", padding=3 << 20)
    batch.write(*(f"job-{number}" for number in range(12)))
    batch.run("--limit", 1)  # from now on the size of a film is known

    life = batch.run("--concurrency", 2)

    books = read_books(batch)
    assert life.code == DISK
    assert 1 < len(books.paid) < 12
    assert sorted(books.paid) == sorted(i for i, state in books.states.items() if state == "succeeded")


@pytest.mark.parametrize("point", [P.ID_COMMITTED, P.OUTPUTS_COMMITTED, P.PART_SYNCED, P.KEPT])
def test_a_folder_that_goes_away_midway_is_missed_and_nothing_takes_its_place(point: P, batch: Batch) -> None:
    batch.write(*JOBS)

    life = batch.run("--concurrency", 1, script=Script(befall_at=point, befalls="goes away"))

    _is_told(life)
    assert not batch.folder.exists()
    come_back(batch.folder)
    _all_is_well(batch)


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOSPC, errno.ESTALE])
def test_an_error_of_the_disk_while_a_film_is_written_ends_the_run(number: int, batch: Batch) -> None:
    batch.write(*JOBS)

    life = batch.run(script=Script(write_errno=number))

    _is_told(life)
    _all_is_well(batch)


def test_a_limit_on_the_size_of_files_is_an_error_of_the_disk(nurseries: Nurseries, tmp_path: Path) -> None:
    batch = Batch(nurseries=nurseries, home=tmp_path / "home", padding=3 << 20)
    batch.write(*JOBS)

    life = batch.run(script=Script(file_limit=2 << 20))

    _is_told(life)
    _all_is_well(batch)


def test_a_read_only_disk_is_told_and_collected_from_once_it_is_not(on_disk: Batch, disk: Path) -> None:
    assert on_disk.run("--submit-only").code == 75
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    life = on_disk.run()

    _is_told(life)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    _all_is_well(on_disk)


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_sent(on_disk: Batch, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    _is_told(on_disk.run())

    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    _all_is_well(on_disk)
