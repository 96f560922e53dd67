"""Laws of the ledger over any order of events, with a second writer whose view of the job is out of date."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batchrunner.errors import ErrorCode
from batchrunner.ledger import Entry, StaleWrite, Store
from batchrunner.lifecycle import TRANSITIONS, IllegalTransition, State
from tests.builders import a_job, an_error, rid, save, some_outputs, take, the
from tests.laws import tried

IDS = ["fox", "FOX", "crow"]

STEPS = {
    State.PENDING: ["intend", "cancel"],
    State.SUBMITTING: ["accepted", "not_accepted", "refused", "in_doubt"],
    State.SUBMITTED: ["done", "failed_there", "gave_up", "no_output", "cancelled_there"],
    State.READY: ["save"],
    State.SUCCEEDED: ["file_missing", "rerun"],
    State.FAILED: ["rerun"],
    State.CANCELLED: ["rerun"],
    State.UNKNOWN: ["resubmit", "attach", "give_up"],
}
ALL_STEPS = sorted({step for steps in STEPS.values() for step in steps} - {"save", "file_missing"})

REACHABLE = {state: set(row.values()) | {state} for state, row in TRANSITIONS.items()}


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.store = Store.in_memory()
        self.now = 0.0
        self.requests = 0
        self.accepted: set[str] = set()
        self.seeds = dict.fromkeys(IDS, 1)
        self.stale: list[Entry] = []
        self.import_manifest()

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()

    def import_manifest(self):
        take(self.store, [a_job(job_id, row=n, seed=self.seeds[job_id]) for n, job_id in enumerate(IDS, 2)])

    def act(self, step: str, entry: Entry) -> Entry:
        """Take *step* as somebody who believes that the job is as in *entry*."""
        self.now += 1
        store, seq, now = self.store, entry.seq, self.now
        if step in ("accepted", "attach"):
            self.requests += 1
        request_id = rid(f"r-{self.requests}")
        steps = {
            "intend": lambda: store.intend(seq, now),
            "cancel": lambda: store.cancel(seq, now),
            "accepted": lambda: store.accepted(seq, request_id, now),
            "not_accepted": lambda: store.not_accepted(seq, not_before=now + 5),
            "refused": lambda: store.refused(seq, an_error(ErrorCode.REFUSED), now),
            "in_doubt": lambda: store.in_doubt(seq, an_error(ErrorCode.IN_DOUBT)),
            "done": lambda: store.done(seq, some_outputs(2), 0.5, now),
            "failed_there": lambda: store.failed_there(seq, an_error(), 0.1, now, now + 5),
            "gave_up": lambda: store.gave_up(seq, an_error(), None, now),
            "no_output": lambda: store.no_output(seq, an_error(ErrorCode.NO_OUTPUT), None, now),
            "cancelled_there": lambda: store.cancelled_there(seq, an_error(), now),
            "save": lambda: save(store, entry.id, now=now),
            "file_missing": lambda: store.file_missing(seq, [1]),
            "rerun": lambda: store.rerun(entry, now),
            "resubmit": lambda: store.resubmit(seq, fresh=True),
            "attach": lambda: store.attach(seq, request_id, now),
            "give_up": lambda: store.give_up(seq, now),
        }
        with store.transaction():
            after = steps[step]()
        if step in ("accepted", "attach"):
            self.accepted.add(request_id)
        return after

    # ── events ──

    @rule(job_id=st.sampled_from(IDS), data=st.data())
    def the_next_step(self, job_id, data):
        before = the(self.store, job_id)
        self.stale.append(before)
        step = data.draw(st.sampled_from(STEPS[before.state]))

        after = self.act(step, before)

        edited = after.generation > before.generation or after.inputs != before.inputs
        assert after.state in REACHABLE[before.state] or edited or step == "no_output"

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_stale_writer(self, data):
        entry = data.draw(st.sampled_from(self.stale))
        now_in = the(self.store, entry.id).state
        allowed = STEPS[now_in] + (["gave_up"] if now_in is State.READY else [])
        steps = [step for step in ALL_STEPS if step not in allowed]
        before = self.everything()

        try:
            self.act(data.draw(st.sampled_from(steps)), entry)
        except (StaleWrite, IllegalTransition):
            assert self.everything() == before
        else:
            raise AssertionError("a stale writer was let through")

    @rule(job_id=st.sampled_from(IDS), seed=st.integers(1, 3))
    def the_row_is_edited(self, job_id, seed):
        self.seeds[job_id] = seed
        self.import_manifest()

    @rule()
    def a_crash(self):
        take(self.store, None)

    @rule()
    def old_files_are_moved(self):
        for file, target in self.store.superseded_files():
            self.store.file_moved(file, target)

    def everything(self) -> list[tuple[object, ...]]:
        tables = ("jobs", "attempts", "artifacts", "generations")
        return [
            tuple(row) for table in tables for row in self.store.connection.execute(f"SELECT * FROM {table}")
        ]

    # ── laws ──

    @invariant()
    def no_accepted_request_is_ever_forgotten(self):
        kept = {row[0] for row in self.store.connection.execute("SELECT request_id FROM attempts")}
        assert self.accepted <= kept

    @invariant()
    def the_attempts_are_numbered_without_a_gap(self):
        rows = self.store.connection.execute(
            "SELECT jobs.attempts, count(attempts.number), max(attempts.number) FROM jobs LEFT JOIN attempts"
            " ON attempts.job = jobs.seq AND attempts.generation = jobs.generation GROUP BY jobs.seq"
        )
        for counted, found, latest in rows:
            assert counted == found == (latest or 0)

    @invariant()
    def a_job_that_waits_for_the_service_has_its_request_id(self):
        assert self.store.count("state IN ('submitted', 'ready', 'succeeded') AND request_id IS NULL") == 0

    @invariant()
    def a_job_has_succeeded_exactly_when_all_its_files_are_saved(self):
        for entry in self.store.entries(State.SUCCEEDED, State.READY):
            saved = all(a.saved for a in self.store.artifacts(entry.seq, entry.generation))
            assert saved is (entry.state is State.SUCCEEDED)

    @invariant()
    def only_a_job_that_is_held_or_collected_still_has_old_inputs(self):
        for job_id in IDS:
            entry = the(self.store, job_id)
            if entry.state in (State.PENDING, State.SUCCEEDED, State.FAILED, State.CANCELLED):
                assert entry.inputs["seed"] == self.seeds[job_id]

    @invariant()
    def a_job_that_is_to_be_sent_carries_no_error_but_that_of_its_last_attempt(self):
        assert self.store.count("state IN ('submitting', 'succeeded') AND error_code IS NOT NULL") == 0

    @invariant()
    def what_may_run_at_the_service_is_never_pending(self):
        running = self.store.connection.execute(
            "SELECT count(*) FROM attempts JOIN jobs ON jobs.seq = attempts.job AND number = jobs.attempts"
            " AND attempts.generation = jobs.generation WHERE outcome IS NULL"
            " AND state NOT IN ('submitting', 'submitted')"
        ).fetchone()[0]
        assert running == 0


TestTheLedgerKeepsItsLawsInAnyOrderOfEvents = LedgerMachine.TestCase
TestTheLedgerKeepsItsLawsInAnyOrderOfEvents.settings = tried(0.5)  # of fifty events each
