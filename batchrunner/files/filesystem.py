"""On what kind of file system is a folder, and what may a ledger and its lock rely on there?

SQLite's write-ahead log needs memory that all who have the ledger open share, so they must be on one machine:
https://sqlite.org/wal.html ("WAL does not work over a network filesystem").  On anything that is not known to
be this machine's own disk the ledger is kept with a rollback journal instead.  And where other machines would
not see our lock nothing is run at all: two of them could pay for the same jobs.
Why these modes: docs/decisions/0018-shards.md
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from ..errors import FolderUnusable

LOCAL: Final = frozenset(
    {"apfs", "bcachefs", "btrfs", "ecryptfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
     "fuse-overlayfs", "fuse.fuse-overlayfs", "fuseblk", "hfs", "hfsplus", "jfs", "msdos", "nilfs2", "ntfs",
     "ntfs3", "overlay", "ramfs", "reiserfs", "rootfs", "squashfs", "tmpfs", "ufs", "vfat", "xfs", "zfs"}
)  # fmt: skip
"""File systems of one machine; all others may be several machines'."""

LOCKS_STAY_HERE: Final = frozenset(
    {"davfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse",
     "fuse.goofys", "fuse.mountpoint-s3", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "rclone", "s3fs"}
)  # fmt: skip
"""Network file systems whose locks are this machine's own affair, or none at all."""

OPTIONS_THAT_KEEP_LOCKS_HERE: Final = {
    "nfs": re.compile(r"nolock|local_lock=(?!none)\w+"),
    "nfs4": re.compile(r"local_lock=(?!none)\w+"),
    "cifs": re.compile(r"nobrl"),
    "smb3": re.compile(r"nobrl"),
    "lustre": re.compile(r"localflock|noflock"),
}
"""nfs(5), mount.cifs(8), mount.lustre(8)."""

MOUNTS: Final = Path("/proc/self/mountinfo")

_MACOS: Final = re.compile(r"^.* on (?P<place>/.*?) \((?P<kind>\w+)(?:, )?(?P<options>.*)\)$", re.MULTILINE)
"""A line of macOS' ``mount``: ``/dev/disk3s1 on / (apfs, local, journaled)``."""


class Mount(Struct, frozen=True):
    """One mounted file system."""

    place: str
    kind: str
    options: str = ""

    @property
    def is_local(self) -> bool:
        """Whether certainly nobody but this machine uses it."""
        return self.kind in LOCAL

    @property
    def keeps_locks_here(self) -> str:
        """Return why no other machine would see a lock; empty when that is not known."""
        if self.kind in LOCKS_STAY_HERE:
            return self.kind
        known = OPTIONS_THAT_KEEP_LOCKS_HERE.get(self.kind)
        options = self.options.split(",") if known else []
        found = next((option for option in options if known and known.fullmatch(option)), None)
        return f"{self.kind} mounted with {found}" if found else ""


def mount_of(path: Path) -> Mount | None:
    """Return what *path*, or the folder it would be made in, is on; None where the system does not say."""
    real = PurePosixPath(os.path.realpath(path))
    if sys.platform == "darwin":
        return _holding(real, parse_macos(_macos_mounts()))
    try:
        return _holding(real, parse_mountinfo(MOUNTS.read_text("utf-8", "surrogateescape")))
    except OSError:
        return None


def is_surely_local(path: Path) -> bool:
    """Return whether certainly nobody but this machine uses the file system of *path*."""
    mount = mount_of(path)
    return mount is not None and mount.is_local


def has_shared_memory(path: Path) -> bool:
    """Return whether whoever opens a file at *path* is on this machine, so that SQLite's log may be used."""
    mount = mount_of(path)
    return mount is None or mount.is_local


def check_locks(path: Path) -> None:
    """Raise FolderUnusable where a lock at *path* would not keep other machines out."""
    mount = mount_of(path)
    if mount is not None and (why := mount.keeps_locks_here):
        raise FolderUnusable(
            f"{path} is on {why}: no other machine sees a lock there, so two runs could pay for the same"
            " jobs",
            hint="use a disk of this machine, or a network file system whose locks work (NFS as it is by"
            " default, for one)",
        )


def parse_mountinfo(text: str) -> list[Mount]:
    """Return the mounts of Linux's ``/proc/self/mountinfo`` (proc(5)), in its order."""
    mounts = []
    for line in text.splitlines():
        here, _, there = line.partition(" - ")
        fields, behind = here.split(" "), there.split(" ")
        if len(fields) > 5 and behind[0]:
            place = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
            mounts.append(Mount(place, behind[0], behind[2] if len(behind) > 2 else ""))
    return mounts


def parse_macos(text: str) -> list[Mount]:
    """Return the mounts that macOS' ``mount`` lists."""
    return [
        Mount(found["place"], found["kind"], found["options"].replace(" ", ""))
        for found in _MACOS.finditer(text)
    ]


def _macos_mounts() -> str:
    try:
        return subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _holding(path: PurePosixPath, mounts: list[Mount]) -> Mount | None:
    """Return the mount that *path* is on: the innermost, and of several at one place the last."""
    above = [mount for mount in mounts if path.is_relative_to(mount.place)]
    return max(reversed(above), key=lambda mount: len(mount.place), default=None)
