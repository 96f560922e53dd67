"""From the links to checked files under their names: a failing download never causes a second generation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio

from .._types import JobError, Json, RequestId
from ..answers import account_refused
from ..containers import NotWhole
from ..download import DownloadFailed, Transfer
from ..errors import ErrorCode
from ..ledger import Artifact, Entry, Store
from ..lifecycle import State
from ..news import Done, Stop, read_result
from ..policy.backoff import DOWNLOAD
from .context import Context
from .storing import store_films
from .watching import report_read

TRIES: Final = 6
"""So often an output is tried in one run before its job stays ready, with the error."""


async def save(context: Context, entry: Entry) -> Entry:
    """Fetch every output of a ready job that is not saved yet; it stays ready when one keeps failing."""
    context.unsaved += 1
    turn = Turn(context.download_slots, context.finishing_slots)
    try:
        await turn.receive()
        return await _save_all(context, entry, turn)
    finally:
        turn.end()
        context.unsaved -= 1
        context.changed.report()


class Turn:
    """One job's turn: a slot while bytes come in, another while they are checked, synced and put away.

    So the line is not idle while films are finished, and a disk that is slower than the line slows it down.
    """

    def __init__(self, receiving: anyio.CapacityLimiter, finishing: anyio.CapacityLimiter) -> None:
        self._receiving, self._finishing = receiving, finishing
        self._held: anyio.CapacityLimiter | None = None

    async def receive(self) -> None:
        """Wait for a slot to receive in, unless it is held already."""
        if self._held is not self._receiving:
            self.end()
            await _taken(self._receiving)
            self._held = self._receiving

    async def finish(self) -> None:
        """Wait for a slot to finish in, and only then let the next one receive."""
        await _taken(self._finishing)
        self.end()
        self._held = self._finishing

    def end(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


async def _taken(slots: anyio.CapacityLimiter) -> None:
    """Wait for a slot; where one is free, without the round through the event loop that `acquire` makes."""
    try:
        slots.acquire_nowait()
    except anyio.WouldBlock:
        await slots.acquire()


async def _save_all(context: Context, entry: Entry, turn: Turn) -> Entry:
    outputs: Sequence[Artifact] | None = entry.outputs
    if outputs is None:
        outputs = await context.ledger.do(lambda ledger: ledger.artifacts(entry.seq, entry.generation))
    files: list[Json] = []
    problem: JobError | None = None
    after = entry
    for output in outputs:
        if output.saved:
            files.append(output.file)
            continue
        saved = await _save_one(context, entry, output, turn)
        if isinstance(saved, JobError):
            problem = problem or saved  # the others are fetched all the same
        else:
            after, file = saved
            files.append(file)
    if problem is not None:
        noted = await context.ledger.do(partial(Store.note, seq=entry.seq, error=problem))
        context.tell("download_failed", entry, error=problem.as_json())
        return noted
    context.tell(State.SUCCEEDED, entry, files=files)
    await store_films(context, entry.seq, entry.generation)
    if after.generation != entry.generation:  # an edit waited for this
        await move_superseded(context)
    return after


async def move_superseded(context: Context) -> None:
    """Move what an edit or a redo superseded out of the way of the new generation's names."""
    async with context.moving:
        for file, target in await context.ledger.do(lambda ledger: ledger.superseded_files()):
            await context.shelf.move(file, target)
            await context.ledger.do(partial(Store.file_moved, file=file, moved_to=target))


async def _save_one(
    context: Context, entry: Entry, output: Artifact, turn: Turn
) -> tuple[Entry, str] | JobError:
    """Try one output until it is saved; return the job after that and the file, or why it is not saved."""
    if output.file and output.sha256 and await context.shelf.holds(output.file, output.sha256):
        # It was there all along (a crash before it was recorded, a folder that came back).
        return await _saved(context, entry, output.n), output.file
    problem = JobError(code=ErrorCode.DOWNLOAD_FAILED, message="not tried")
    await turn.receive()
    async with context.shelf.begin(f"{entry.seq}.{entry.generation}.{output.n}") as part:
        transfer = Transfer(part, context.settings.max_file_bytes)
        for tries in range(1, TRIES + 1):
            try:
                await turn.receive()
                await transfer.fetch(context.client, output.url)
                await turn.finish()
                return await _keep(context, entry, output.n, transfer)
            except DownloadFailed as error:
                problem = JobError(code=ErrorCode.DOWNLOAD_FAILED, message=str(error))
            except NotWhole as error:
                problem = JobError(code=ErrorCode.BAD_OUTPUT, message=str(error))
                await transfer.part.set_aside()
                await transfer.forget()
            if tries < TRIES:
                await anyio.sleep(DOWNLOAD.delay_s(tries, context.uniform()))
                output = await _fresh(context, entry, output)
    return problem


async def _keep(context: Context, entry: Entry, n: int, transfer: Transfer) -> tuple[Entry, str]:
    """Check the part, reserve its name, rename it, and only then call it saved.  Raises NotWhole."""
    sealed = await transfer.part.seal()
    context.largest_film = max(context.largest_film, sealed.size_bytes)
    file = await context.ledger.do(
        lambda ledger: ledger.reserve(
            entry.seq,
            n,
            kind=sealed.media.kind,
            extension=sealed.media.extension,
            size_bytes=sealed.size_bytes,
            sha256=sealed.sha256,
            taken=context.shelf.is_taken,
        ),
        patiently=context.is_busy,
    )
    await context.shelf.keep(transfer.part, file)
    return await _saved(context, entry, n), file


async def _saved(context: Context, entry: Entry, n: int) -> Entry:
    return await context.ledger.do(
        lambda ledger: ledger.file_saved(entry.seq, n, context.wall_clock()), patiently=context.is_busy
    )


async def _fresh(context: Context, entry: Entry, output: Artifact) -> Artifact:
    """Read ``/result`` again: links may die, and a new one is free."""
    if entry.request_id is None:
        return output
    request_id = RequestId(entry.request_id)
    news = read_result(await context.client.result(request_id), request_id)
    report_read(context, news)
    match news:
        case Stop(answer=answer):
            raise account_refused(answer, entry.id)
        case Done(outputs=outputs) if outputs:
            renewed = await context.ledger.do(lambda ledger: ledger.renew_outputs(entry.seq, outputs))
            return next(artifact for artifact in renewed if artifact.n == output.n)
        case _:
            return output
