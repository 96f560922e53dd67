"""Two machines and one shard: the living keep it, the dead are waited out, who is cut off stops first."""

from __future__ import annotations

from contextlib import closing, suppress
from queue import Queue

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchrunner.client import Timeouts
from batchrunner.errors import FolderUnusable
from batchrunner.folder.folder import Folder
from batchrunner.folder.lease import CutOff, Held, Lease, Terms, kept
from batchrunner.folder.ownership import owned
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.sharding import Shard
from tests.builders import a_job, take, the

TERMS = Terms(duration_s=100.0, post_s=40.0)


class Time:
    """One true time, and machines' clocks that began when they liked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile = lambda: None
        """What happens elsewhere while somebody sleeps."""

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()

    def lease(self, folder, host: str, *, began_at: float = 0.0) -> Lease:
        clock = lambda: self.now + began_at  # noqa: E731
        return Lease(folder, TERMS, host=host, clock=clock, watch_clock=clock, sleep=self.sleep)


@pytest.fixture
def time():
    return Time()


def test_a_new_lease_is_good_and_is_let_go_of(tmp_path, time):
    lease = time.lease(tmp_path, "a")
    lease.take()

    lease.check()
    lease.let_go()

    assert list(tmp_path.iterdir()) == []


def test_on_the_same_machine_the_lock_is_proof_and_nobody_waits(tmp_path, time):
    time.lease(tmp_path, "a").take()

    time.lease(tmp_path, "a").take()

    assert time.now == 0


def test_another_machines_owner_is_taken_over_only_after_its_whole_duration(tmp_path, time):
    time.lease(tmp_path, "a").take()
    heard = []

    heir = time.lease(tmp_path, "b", began_at=5_000)
    heir.take(heard.append)

    assert time.now > TERMS.duration_s
    assert "watched for 1 m 40 s" in heard[0]
    heir.check()


def test_another_machines_owner_that_renews_keeps_its_shard(tmp_path, time):
    owner = time.lease(tmp_path, "a")
    owner.take()
    time.meanwhile = owner.renew

    with pytest.raises(FolderUnusable, match="on a: its lease is renewed"):
        time.lease(tmp_path, "b").take()

    owner.check()


def test_an_owner_that_cannot_renew_stops_long_before_anybody_takes_over(tmp_path, time):
    owner = time.lease(tmp_path, "a")
    owner.take()

    time.sleep(TERMS.duration_s - TERMS.post_s - 1)
    owner.check()
    time.sleep(1)

    with pytest.raises(CutOff, match="could not be renewed in time"):
        owner.check()


def test_a_lease_that_has_run_out_is_never_renewed(tmp_path, time):
    """Somebody may have watched it for all this time, and be about to take over."""
    owner = time.lease(tmp_path, "a")
    owner.take()
    before = Held.read(tmp_path / "lease")
    time.sleep(TERMS.duration_s)

    owner.renew()

    assert Held.read(tmp_path / "lease") == before
    with pytest.raises(CutOff):
        owner.check()


def test_an_owner_that_finds_anothers_lease_stops_at_once_and_leaves_it(tmp_path, time):
    owner = time.lease(tmp_path, "a")
    owner.take()
    Held(nonce="other", host="b", pid=1, counter=0, duration_s=100.0).write(tmp_path / "lease")

    owner.renew()
    owner.let_go()

    with pytest.raises(CutOff):
        owner.check()
    left = Held.read(tmp_path / "lease")
    assert left is not None
    assert left.nonce == "other"


@pytest.mark.parametrize("said", ["", "{", "[]", '{"nonce": "x"}'])
def test_half_a_lease_may_be_anybodys_and_is_watched_like_a_whole_one(tmp_path, time, said):
    """Its owner may be writing it this very moment, on another machine."""
    (tmp_path / "lease").write_text(said)

    heir = time.lease(tmp_path, "b")
    heir.take()

    assert time.now > TERMS.duration_s
    heir.check()


def test_half_a_lease_that_becomes_a_whole_one_has_an_owner(tmp_path, time):
    (tmp_path / "lease").write_text('{"nonce": "x", "ho')
    whole = Held(nonce="x", host="a", pid=1, counter=0, duration_s=100.0)
    time.meanwhile = lambda: whole.write(tmp_path / "lease")

    with pytest.raises(FolderUnusable, match="its lease is renewed"):
        time.lease(tmp_path, "b").take()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=120), st.integers(1, 12))
def test_no_post_of_an_owner_is_under_way_when_another_machine_takes_over(tmp_path, reaches, ticks):
    """Whenever the owner reaches the folder, and whenever the other machine begins to watch."""
    (tmp_path / "lease").unlink(missing_ok=True)
    time, posts, reached = Time(), [], iter(reaches)
    owner = time.lease(tmp_path, "a")
    owner.take()

    def owner_goes_on() -> None:
        if next(reached, False):
            owner.renew()
        with suppress(CutOff):
            owner.check()
            posts.append(time.now)

    time.meanwhile = owner_goes_on
    for _ in range(ticks):
        time.sleep(7.0)
    heir = time.lease(tmp_path, "b", began_at=1_000)
    while True:
        with suppress(FolderUnusable):
            heir.take()
            break

    assert max(posts, default=0) + TERMS.post_s <= time.now
    owner.renew()
    with pytest.raises(CutOff):
        owner.check()
    heir.check()


def test_the_usual_terms_leave_time_for_a_post_and_several_renewals():
    terms = Terms.of(Timeouts())

    assert terms.post_s == 110.0
    assert terms.duration_s - terms.post_s >= 5 * terms.renew_every_s
    assert terms.duration_s > terms.post_s


def test_leases_are_renewed_while_they_are_kept_and_then_let_go(tmp_path):
    asked: Queue[None] = Queue()

    def clock() -> float:
        asked.put(None)
        return 0.0

    lease = Lease(tmp_path, Terms(duration_s=0.05, post_s=0.0), host="a", clock=clock)
    lease.take()
    with kept(lease):
        for _ in range(6):  # a renewal asks twice
            asked.get(timeout=10)
        held = Held.read(tmp_path / "lease")

    assert held is None or held.counter >= 1
    assert not (tmp_path / "lease").exists()


def test_an_owner_without_a_lease_records_no_intent(tmp_path):
    folder = Folder(tmp_path / "out").of_shard(Shard(1, 1))
    with owned(folder) as store:
        take(store, [a_job("fox")])
        lost = Lease(folder.path, TERMS)  # never taken
        store.fence = lost.check

        with pytest.raises(CutOff), store.transaction():
            store.intend(the(store).seq, 1.0)

        assert the(store).state is State.PENDING
        assert not store.connection.execute("SELECT 1 FROM attempts").fetchone()
    with closing(Store.read_only(folder.ledger)) as store:
        assert the(store).state is State.PENDING
