"""What a ledger relies on is there: shared memory for its log, and locks that other machines see."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from batchrunner.errors import FolderUnusable
from batchrunner.files import filesystem
from batchrunner.files.filesystem import Mount, check_locks, mount_of, parse_macos, parse_mountinfo
from batchrunner.folder.folder import Folder
from batchrunner.folder.ownership import owned
from batchrunner.folder.reading import reading
from batchrunner.ledger import Store
from tests.builders import some_jobs, take

MOUNTINFO = """\
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:50 / /home rw,relatime shared:2 - nfs4 files:/home rw,vers=4.2,local_lock=none,addr=10.0.0.1
41 40 0:51 / /home/ann/my\\040disk rw - xfs /dev/sdb1 rw
42 27 0:52 / /old rw - nfs files:/old rw,vers=3,nolock,local_lock=all
43 42 0:53 / /old rw - tmpfs tmpfs rw
"""

MACOS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
//ann@files/films on /Volumes/my films (smbfs, nodev, nosuid, mounted by ann)
"""

NFS = Mount("/", "nfs4", "rw,vers=4.2,local_lock=none")


@pytest.fixture
def on_nfs(monkeypatch):
    """Every folder is on a network file system."""
    monkeypatch.setattr(filesystem, "mount_of", lambda path: NFS)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/var/out", "ext4"), ("/home/ann/out", "nfs4"), ("/home/ann/my disk/out", "xfs"), ("/old/x", "tmpfs"),
     ("/homes", "ext4")],
)  # fmt: skip
@pytest.mark.skipif(sys.platform != "linux", reason="this is Linux's table")
def test_a_path_is_on_the_innermost_mount_and_the_last_one_there(tmp_path, monkeypatch, path, kind):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO)
    monkeypatch.setattr(filesystem, "MOUNTS", table)

    found = mount_of(Path(path))

    assert found is not None
    assert found.kind == kind


def test_the_table_of_macos_is_understood():
    assert parse_macos(MACOS) == [
        Mount("/", "apfs", "sealed,local,read-only,journaled"),
        Mount("/Volumes/my films", "smbfs", "nodev,nosuid,mountedbyann"),
    ]


def test_garbage_in_the_table_is_passed_over():
    assert parse_mountinfo("\n1 2 3\nx - \n - ext4\n") == []


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is known elsewhere")
def test_this_machines_own_disk_is_known_as_such(tmp_path):
    found = mount_of(tmp_path / "not yet" / "there")

    assert found is not None
    assert found.is_local
    check_locks(tmp_path)


@pytest.mark.parametrize(
    ("mount", "why"),
    [
        (Mount("/", "nfs4", "rw,vers=4.2,local_lock=none"), ""),
        (Mount("/", "nfs", "rw,vers=3,nolock,local_lock=all"), "nfs mounted with nolock"),
        (Mount("/", "nfs", "rw,vers=3,local_lock=flock"), "nfs mounted with local_lock=flock"),
        (Mount("/", "cifs", "rw,nobrl,vers=3.1.1"), "cifs mounted with nobrl"),
        (Mount("/", "cifs", "rw,vers=3.1.1"), ""),
        (Mount("/", "lustre", "rw,localflock"), "lustre mounted with localflock"),
        (Mount("/", "lustre", "rw,flock"), ""),
        (Mount("/", "fuse.sshfs", "rw"), "fuse.sshfs"),
        (Mount("/", "unheard-of", "rw"), ""),
    ],
)
def test_where_no_other_machine_sees_a_lock_nothing_runs(tmp_path, monkeypatch, mount, why):
    monkeypatch.setattr(filesystem, "mount_of", lambda path: mount)
    folder = Folder(tmp_path / "out")

    if not why:
        with owned(folder):
            return
    with pytest.raises(FolderUnusable, match=why), owned(folder):
        pass

    assert not folder.path.exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, None])
def test_where_a_lock_keeps_nobody_out_nothing_runs(tmp_path, monkeypatch, number):
    """The system says that there are no locks, or takes one and does nothing."""

    def flock(handle: int, operation: int) -> None:
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    folder = Folder(tmp_path / "out")

    with pytest.raises(FolderUnusable, match="a lock keeps nobody out"), owned(folder):
        pass

    assert not folder.ledger.exists()
    assert folder.owner() is None


def test_on_a_network_file_system_every_commit_is_in_the_ledgers_own_file(tmp_path, on_nfs):
    folder = Folder(tmp_path / "out")

    with owned(folder) as store:
        take(store, some_jobs(3))
        with closing(sqlite3.connect(folder.ledger)) as alone:
            (count,) = alone.execute("SELECT count(*) FROM jobs").fetchone()
            (synchronous,) = store.connection.execute("PRAGMA synchronous").fetchone()

        assert (count, synchronous) == (3, 2)
        assert not folder.has_write_ahead_log()
        assert list(folder.path.glob("*-shm")) == []


def test_a_ledger_that_is_read_there_keeps_no_commit_waiting(tmp_path, on_nfs):
    folder = Folder(tmp_path / "out")
    with owned(folder) as store:
        take(store, some_jobs(3))
        with reading(folder) as read:
            rows = read.connection.execute("SELECT id FROM jobs")
            assert rows.fetchone()
            store.connection.execute("PRAGMA busy_timeout = 0")
            with store.transaction():
                store.set_fact("after", "all")


def test_a_ledger_that_moves_to_or_from_such_a_place_goes_on(tmp_path, monkeypatch):
    folder = Folder(tmp_path / "out")
    with owned(folder) as store:
        take(store, some_jobs(3))
    with monkeypatch.context() as there:
        there.setattr(filesystem, "mount_of", lambda path: NFS)
        with owned(folder) as store:
            store.set_fact("been", "there")
    with owned(folder) as store:
        assert store.fact("been") == "there"
        assert store.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_run_killed_there_in_mid_commit_loses_that_commit_only(tmp_path, on_nfs):
    folder = Folder(tmp_path / "out")
    child = os.fork()
    if child == 0:
        with owned(folder) as store:
            take(store, some_jobs(50))
            store.connection.execute("PRAGMA cache_size = 1")  # pages are written before the commit
            store.connection.execute("BEGIN")
            store.connection.execute("UPDATE jobs SET meta = hex(zeroblob(9000))")
            os._exit(9)
    os.waitpid(child, 0)
    journal = folder.ledger.with_name("ledger.sqlite-journal")
    assert journal.stat().st_size > 0

    with reading(folder) as store:
        metas = {row[0] for row in store.connection.execute("SELECT meta FROM jobs")}
    with owned(folder) as store:  # it was left open, and nothing is missing
        jobs = sum(store.counts().values())

    assert (metas, jobs) == ({"{}"}, 50)


def test_a_log_that_is_missing_is_still_missed_where_there_was_one(tmp_path):
    folder = Folder(tmp_path / "out")
    with owned(folder) as store:
        take(store, some_jobs(3))
    folder.lock_file.write_text('{"pid": 1, "ledger": "open"}')

    with pytest.raises(FolderUnusable, match="its latest commits"), owned(folder):
        pass

    with closing(Store.read_only(folder.ledger)) as store:
        assert sum(store.counts().values()) == 3
