"""Where in the program the crash points are.

For a process of its own only (nursery.py): it wraps what the points name, from outside; the product has no
hook for it.  Every wrapper does what it wraps, and tells the watcher before or after it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from batchrunner import plan
from batchrunner.client import Client
from batchrunner.files import disk, shelf
from batchrunner.folder import verification
from batchrunner.folder.folder import Folder, Lock
from batchrunner.ledger import Entry, Store
from batchrunner.outputs import upkeep
from batchrunner.outputs.lines import Piece

from .crash_points import Point
from .watcher import Watcher

P = Point

STEPS: dict[str, tuple[P | None, P | None]] = {
    "intend": (P.INTENT_WRITTEN, P.INTENT_COMMITTED),
    "accepted": (P.ID_WRITTEN, P.ID_COMMITTED),
    "not_accepted": (P.TURNED_AWAY_WRITTEN, P.TURNED_AWAY_COMMITTED),
    "refused": (P.REFUSAL_WRITTEN, P.REFUSAL_COMMITTED),
    "in_doubt": (P.DOUBT_WRITTEN, P.DOUBT_COMMITTED),
    "done": (P.OUTPUTS_WRITTEN, P.OUTPUTS_COMMITTED),
    "failed_there": (P.FAILURE_WRITTEN, P.FAILURE_COMMITTED),
    "gave_up": (P.END_WRITTEN, P.END_COMMITTED),
    "cancelled_there": (P.CANCELLED_WRITTEN, P.CANCELLED_COMMITTED),
    "note": (P.NOTE_WRITTEN, P.NOTE_COMMITTED),
    "renew_outputs": (P.LINK_WRITTEN, P.LINK_COMMITTED),
    "reserve": (P.NAME_WRITTEN, P.NAME_RESERVED),
    "file_saved": (P.SAVED_WRITTEN, P.SAVED_COMMITTED),
    "file_missing": (P.MISSING_WRITTEN, P.MISSING_COMMITTED),
    "file_moved": (P.SUPERSEDED_WRITTEN, P.SUPERSEDED_COMMITTED),
    "rerun": (P.RERUN_WRITTEN, P.RERUN_COMMITTED),
    "edit": (P.EDIT_WRITTEN, None),
    "cancel": (P.UNSENT_CANCEL_WRITTEN, P.UNSENT_CANCEL_COMMITTED),
    "take_back": (P.TAKE_BACK_WRITTEN, P.TAKE_BACK_COMMITTED),
    "resubmit": (P.RESUBMIT_WRITTEN, P.RESUBMIT_COMMITTED),
    "attach": (P.ATTACH_WRITTEN, P.ATTACH_COMMITTED),
    "give_up": (P.GIVE_UP_WRITTEN, P.GIVE_UP_COMMITTED),
}
"""The ledger's steps: the point before their commit, and the one after it."""

ANSWERS = frozenset({"accepted", "not_accepted", "refused", "in_doubt"})
"""The steps that record what became of a submission."""


def watch(watcher: Watcher) -> None:
    """Put every point in its place."""
    _watch_opening(watcher)
    _watch_ledger(watcher)
    _watch_films(watcher)
    _watch_end(watcher)
    _after(watcher, Client, "submit", P.ANSWER_RECEIVED)


class Wire(httpx.AsyncBaseTransport):
    """The way to the service, with a point on either side of it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, watcher: Watcher) -> None:
        self._inner = inner
        self._watcher = watcher

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        leaving, answered = _points_of(request.method, request.url.path)
        if leaving is not None:
            self._watcher.reach(leaving)
        response = await self._inner.handle_async_request(request)
        if answered is not None:
            self._watcher.reach(answered)
        return response


def _points_of(method: str, path: str) -> tuple[P | None, P | None]:
    if path.startswith("/v1/models/"):
        return (P.SUBMISSION_LEAVING, P.SUBMISSION_TAKEN) if method == "POST" else (None, None)
    if path.startswith("/files/"):
        return P.DOWNLOAD_LEAVING, P.DOWNLOAD_ANSWERED
    return {
        "status": (P.LOOK_LEAVING, P.LOOK_ANSWERED),
        "result": (P.RESULT_LEAVING, P.RESULT_ANSWERED),
        "cancel": (P.CANCEL_LEAVING, P.CANCEL_ANSWERED),
    }.get(path.rpartition("/")[2], (None, None))


def _watch_opening(watcher: Watcher) -> None:
    _after(watcher, Folder, "create", P.FOLDER_MADE)
    _before(watcher, Store, "open", P.LOCKED)
    _after(watcher, plan, "stage", P.MANIFEST_STAGED)
    _after(watcher, plan, "take_in", P.MANIFEST_TAKEN_IN, then=P.MANIFEST_COMMITTED)
    write = Lock.write

    def named(lock: Lock, *, left_open: bool) -> None:
        if left_open:
            watcher.reach(P.LEDGER_OPENED)
        write(lock, left_open=left_open)
        watcher.reach(P.LOCK_NAMED if left_open else P.LOCK_RELEASED)

    put(Lock, "write", named)


def _watch_ledger(watcher: Watcher) -> None:
    for name, (written, committed) in STEPS.items():
        put(Store, name, _step(watcher, name, getattr(Store, name), written, committed))
    transaction = Store.transaction

    @contextmanager
    def watched(store: Store) -> Iterator[None]:
        watcher.committed.clear()
        with transaction(store):
            yield
        for tell in list(watcher.committed):
            tell()
        watcher.committed.clear()

    put(Store, "transaction", watched)


def _step(
    watcher: Watcher, name: str, step: Callable[..., Any], written: P | None, committed: P | None
) -> Callable[..., Any]:
    @functools.wraps(step)
    def watched(store: Store, *args: Any, **kwargs: Any) -> Any:
        result = step(store, *args, **kwargs)
        if name == "intend":
            watcher.on_the_wire.add(result.id)
        if written is not None:
            watcher.reach(written)
        watcher.committed.append(functools.partial(_committed, watcher, name, result, committed))
        return result

    return watched


def _committed(watcher: Watcher, name: str, result: object, point: P | None) -> None:
    if name in ANSWERS and isinstance(result, Entry):
        watcher.on_the_wire.discard(result.id)
    if point is not None:
        watcher.reach(point)


def _watch_films(watcher: Watcher) -> None:
    _before(watcher, shelf, "examine", P.PART_WRITTEN)
    _after(watcher, shelf, "examine", P.PART_CHECKED)
    _after(watcher, shelf.DiskPart, "seal", P.PART_SYNCED)
    _after(watcher, shelf.DiskPart, "set_aside", P.PART_REJECTED)
    _after(watcher, shelf.DiskShelf, "keep", P.KEPT)
    _after(watcher, shelf.DiskShelf, "move", P.SUPERSEDED_MOVED)
    _after(watcher, verification, "_set_aside", P.FLAWED_SET_ASIDE)
    _before(watcher, disk, "sync_folder", P.RENAMED)
    write = shelf.DiskPart.write

    async def in_halves(part: shelf.DiskPart, chunk: bytes) -> None:
        half = len(chunk) // 2
        await write(part, chunk[:half])
        watcher.reach(P.PART_HALF_WRITTEN)
        await write(part, chunk[half:])

    put(shelf.DiskPart, "write", in_halves)


def _watch_end(watcher: Watcher) -> None:
    texts = upkeep.lines_of

    def half_written(store: Store, piece: Piece, *, has_paths: bool) -> Iterator[str]:
        for text in texts(store, piece, has_paths=has_paths):
            yield text
            watcher.reach(P.RESULTS_HALF_WRITTEN)

    put(upkeep, "lines_of", half_written)
    _before(watcher, disk, "move_durably", P.REPORT_WRITTEN)
    _after(watcher, disk, "move_durably", P.REPORT_NAMED)
    _before(watcher, Store, "checkpoint", P.CHECKPOINT_DUE)
    _after(watcher, Store, "checkpoint", P.CHECKPOINT_MADE)
    _after(watcher, Store, "close", P.LEDGER_CLOSED)


def put(owner: object, name: str, what: object) -> None:
    """Let *what* stand in for an attribute of the product, in this process."""
    setattr(owner, name, what)


def _before(watcher: Watcher, owner: object, name: str, point: P) -> None:
    _wrap(owner, name, lambda: watcher.reach(point), lambda: None)


def _after(watcher: Watcher, owner: object, name: str, point: P, *, then: P | None = None) -> None:
    """Tell of *point* after the call, and of *then* once the transaction around it is committed."""

    def tell() -> None:
        watcher.reach(point)
        if then is not None:
            watcher.committed.append(lambda: watcher.reach(then))

    _wrap(owner, name, lambda: None, tell)


def _wrap(owner: object, name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
    raw = inspect.getattr_static(owner, name)
    inner = raw.__func__ if isinstance(raw, classmethod) else raw

    @functools.wraps(inner)
    def call(*args: Any, **kwargs: Any) -> Any:
        before()
        result = inner(*args, **kwargs)
        after()
        return result

    @functools.wraps(inner)
    async def await_call(*args: Any, **kwargs: Any) -> Any:
        before()
        result = await inner(*args, **kwargs)
        after()
        return result

    wrapped = await_call if inspect.iscoroutinefunction(inner) else call
    put(owner, name, classmethod(wrapped) if isinstance(raw, classmethod) else wrapped)
