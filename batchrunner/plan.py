"""Manifest x ledger -> what is left: what a run will submit, collect and skip, and why.

`prepare` brings the ledger up to date inside the caller's transaction: a run commits it, a plan does the
very same on a scratch copy.  So the plan is what the run does.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import islice
from typing import Final

from msgspec import Struct, field

from ._types import Inputs, JobError, Json
from .collector import rarely_collected
from .errors import ErrorCode, ManifestInvalid
from .ledger import Entry, Store
from .ledger.intake import Edit, Intake, leave_to_others, stage, staged_ids, take_in
from .lifecycle import State
from .manifest.alike import Counted
from .manifest.job_block import WrittenBlock
from .manifest.read import Found
from .manifest.repeated import Checked, Looked, check_rows
from .money.quote import Quote
from .settings import OnUnknown, Rerun, Selection, Settings
from .sharding import Shard

RERUN_FACT: Final = "rerun"
"""The folder's fact that names a --retry/--redo whose run has not come to its end yet."""

CRASHED: Final = JobError(
    code=ErrorCode.IN_DOUBT, message="the run ended between sending this submission and its answer"
)


EVERYTHING: Final = Selection()


class Plan(Struct, frozen=True, kw_only=True):
    """What a run will do, in numbers and reasons."""

    total: int
    """Jobs of the manifest."""
    submit: int = 0
    collect: int = 0
    skip: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    gone: int = 0
    """Jobs no longer in the manifest."""
    gone_to_collect: int = 0
    """Of these: paid results that will still be collected."""
    models: tuple[str, ...] = ()
    """Models of the jobs to submit."""
    sample: frozenset[str] | None = None
    """The ids that ``--sample`` chose."""
    counted: Counted | None = None
    """How many of the jobs to submit are alike in what their price depends on; None: not counted yet."""
    quote: Quote = field(default_factory=Quote)
    """What the submissions cost and take."""

    def as_json(self) -> dict[str, Json]:
        edits: list[Json] = [{"id": e.id, "row": e.row, "changes": e.changes} for e in self.edits]
        return {"total": self.total, "submit": self.submit, "collect": self.collect, "skip": self.skip,
                "reasons": dict(self.reasons), **self.quote.as_json(), "gone": self.gone,
                "gone_to_collect": self.gone_to_collect, "edits": edits}  # fmt: skip

    @property
    def redone(self) -> int:
        """Jobs of which something was paid already and which an edit runs again."""
        return sum(edit.pays_again for edit in self.edits)


def load_jobs(
    store: Store,
    rows: Iterable[Found | WrittenBlock],
    *,
    shard: Shard | None = None,
    counting: Sequence[str] = (),
) -> Checked:
    """Stage a manifest's rows and say how many they are; with *shard* only its own can be taken in.

    Jobs that are all new are counted by the inputs *counting*.

    Raises ManifestInvalid with every problem, of whichever shard, when there is one.
    """
    return _valid(stage(store, rows, shard=shard, counting=counting))


def check_jobs(rows: Iterable[Looked]) -> int:
    """Do the same without a ledger: nothing can be taken in then."""
    with rarely_collected():
        return _valid(check_rows(rows)).jobs


def _valid(checked: Checked) -> Checked:
    if problems := checked.problems:
        number = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        raise ManifestInvalid(f"the manifest has {number}; nothing was sent", problems, jobs=checked.jobs)
    return checked


def prepare(
    store: Store,
    settings: Settings,
    rerun: Rerun,
    *,
    staged: bool,
    counted: Counted | None = None,
    shard: Shard | None = None,
    size_of: Callable[[str], int | None],
    all_there: Callable[[Store], bool] = lambda store: False,
    now: float,
) -> Plan:
    """Bring the ledger up to date with crashes, the *staged* manifest, missing files and the user's wishes.

    Where all jobs are new, *counted* says how many of them are alike in what their price depends on.
    *size_of* says how many bytes a file (relative to the folder) has; None when it is not there.  *all_there*
    may say at a glance that no file is missing.
    """
    recover(store)
    of_all = None
    if staged and shard is not None:
        of_all = _sample(staged_ids(store), settings.selection)
        leave_to_others(store, shard)
    intake = take_in(store, now) if staged else Intake()
    missing = 0 if all_there(store) else _find_missing_files(store, size_of)
    sample = _sample(store.ids(), settings.selection) if of_all is None else of_all
    if not settings.collect_only:
        _rerun(store, settings, rerun, sample, now)
    return _plan(store, settings, intake, sample, missing, counted)


def recover(store: Store) -> None:
    """What a crash left between intent and answer may have been paid: it is in doubt."""
    for seq in store.seqs(State.SUBMITTING):
        store.in_doubt(seq, CRASHED)


def _find_missing_files(store: Store, size_of: Callable[[str], int | None]) -> int:
    """Return of how many of the manifest's jobs a file is gone: those are fetched again.

    So is one that is not as long as it was.  Other changes are for `verify` to find.  What the store has is
    not missing.
    """
    missing: dict[int, list[int]] = {}
    for seq, n, file, size_bytes in store.saved_files():
        if size_of(file) != size_bytes:
            missing.setdefault(seq, []).append(n)
    marked = [store.file_missing(seq, outputs) for seq, outputs in missing.items()]
    return sum(entry.in_manifest and entry.state is State.READY for entry in marked)


def _rerun(store: Store, settings: Settings, rerun: Rerun, sample: frozenset[str] | None, now: float) -> None:
    """Put back to pending what the user asks for and this run may submit.

    A run that goes on after an interruption, with the same wish for the same selection, asks only once.
    """
    selection = settings.selection
    wish = json.dumps([sorted(rerun.retry), sorted(rerun.redo), sorted(selection.only), selection.sample])
    if rerun and store.fact(RERUN_FACT) != wish:
        for entry, error_code in store.ended():
            if is_chosen(entry.id, selection, sample) and _asked_for(entry, error_code, rerun):
                _run_again(store, entry, now)
        store.set_fact(RERUN_FACT, wish)
    if settings.on_unknown is OnUnknown.RESUBMIT:
        for entry in list(store.entries(State.UNKNOWN)):
            wanted = entry.in_manifest and is_chosen(entry.id, selection, sample)
            if wanted and entry.attempts < settings.max_attempts:
                store.resubmit(entry.seq, fresh=False)


def is_chosen(job_id: str, selection: Selection, sample: frozenset[str] | None) -> bool:
    """Return whether a run with this selection may submit the job."""
    return selection.matches(job_id) and (sample is None or job_id in sample)


def _asked_for(entry: Entry, error_code: str | None, rerun: Rerun) -> bool:
    if not entry.in_manifest:
        return False
    if entry.state is not State.UNKNOWN and any(fnmatchcase(entry.id, pattern) for pattern in rerun.redo):
        return True
    return entry.state is not State.SUCCEEDED and bool({entry.state, error_code} & rerun.retry)


def _run_again(store: Store, entry: Entry, now: float) -> None:
    if entry.state is State.UNKNOWN:
        store.resubmit(entry.seq, fresh=True)
    else:
        store.rerun(entry, now)


# ── counting ──

SKIPPED: Final = {
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.UNKNOWN: "in_doubt",
}


def _plan(
    store: Store, settings: Settings, intake: Intake, sample: frozenset[str] | None, missing: int,
    counted: Counted | None,
) -> Plan:  # fmt: skip
    counts, gone = store.counts(), store.gone_counts()
    reasons: Counter[str] = Counter({SKIPPED[state]: counts[state] for state in SKIPPED})
    if settings.selection != EVERYTHING or settings.collect_only or settings.limit is not None:
        counted = None  # as all of them were
    if counted is None:
        models = _count_submissions(store, settings, intake, sample, reasons, counts[State.PENDING])
    else:
        reasons["new"], models = counts[State.PENDING], {model for model, *_ in counted}
    in_flight, undownloaded = counts[State.SUBMITTED], counts[State.READY]
    if settings.submit_only:
        reasons["submit_only"] = in_flight + undownloaded
    else:
        reasons["in_flight"], reasons["file_missing"] = in_flight, missing
        reasons["not_downloaded"] = undownloaded - missing
    submit = sum(reasons[reason] for reason in SUBMITTED_FOR)
    collect = 0 if settings.submit_only else in_flight + undownloaded
    total = sum(counts.values())
    return Plan(
        total=total,
        submit=submit,
        collect=collect,
        skip=total - submit - collect,
        reasons={reason: n for reason, n in reasons.items() if n},
        edits=intake.edits,
        gone=sum(gone.values()),
        gone_to_collect=gone.get(State.SUBMITTED, 0) + gone.get(State.READY, 0),
        models=tuple(sorted(models)),
        sample=sample,
        counted=counted,
    )


SUBMITTED_FOR: Final = ("new", "edited", "asked_for", "attempts_left")


def _count_submissions(
    store: Store, settings: Settings, intake: Intake, sample: frozenset[str] | None,
    reasons: Counter[str], pending: int,
) -> set[str]:  # fmt: skip
    """Count each of the *pending* jobs under its reason and return the models of those to submit."""
    if settings.selection == EVERYTHING and not settings.collect_only and not intake.edits:
        return _count_all(store, settings.limit, reasons, pending)
    edited = {edit.id for edit in intake.edits}
    left = settings.limit
    models: set[str] = set()
    for job_id, model, attempts, asked_for in store.pending():
        chosen = is_chosen(job_id, settings.selection, sample)
        if settings.collect_only or not chosen:
            reasons["collect_only" if settings.collect_only else "not_selected"] += 1
        elif left == 0:
            reasons["limit"] += 1
        else:
            left = None if left is None else left - 1
            models.add(model)
            reasons[_why(job_id in edited, asked_for, attempts)] += 1
    return models


def _count_all(store: Store, limit: int | None, reasons: Counter[str], pending: int) -> set[str]:
    """Do the same where no job has to be looked at by itself: one query, whatever the manifest's size."""
    groups = store.pending_groups(limit)
    for _, attempted, asked_for, count in groups:
        reasons[_why(False, asked_for, int(attempted))] += count
    reasons["limit"] += pending - sum(count for *_, count in groups)
    return {model for model, *_ in groups}


def to_submit(store: Store, settings: Settings, plan: Plan) -> Iterator[tuple[str, str, int, str, Inputs]]:
    """Return (id, file, row, model, inputs) of each job that *plan* submits."""
    chosen = (
        pending for pending in store.pending_jobs() if is_chosen(pending[0], settings.selection, plan.sample)
    )
    return islice(chosen, plan.submit)


def _why(edited: bool, asked_for: bool, attempts: int) -> str:
    if edited:
        return "edited"
    if asked_for:
        return "asked_for"
    return "attempts_left" if attempts else "new"


def _sample(every: Iterable[str], selection: Selection) -> frozenset[str] | None:
    """Return the N ids with the smallest hashes: the same ones in every run, and 5 of them are in 10.

    *every* is the whole manifest's: so the shards of a batch draw the same ones as a run of all of it.
    """
    if selection.sample is None:
        return None
    ids = (job_id for job_id in every if selection.matches(job_id))
    return frozenset(heapq.nsmallest(selection.sample, ids, key=_hash))


def _hash(job_id: str) -> bytes:
    return sha256(job_id.encode("utf-8", "surrogatepass")).digest()
