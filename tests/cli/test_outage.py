"""The service away: it belongs to the run, not to a job, and it has an end."""

from __future__ import annotations

import time

from .acts import answers
from .command import Batch, finish, wait_until
from .fake_service import FakeService


def test_nobody_there_for_longer_than_max_outage_is_69_and_every_job_is_as_it_was(tmp_path):
    with FakeService() as gone:
        pass
    batch = Batch(home=tmp_path, fake=gone)
    batch.write("fox", "owl")
    began = time.monotonic()

    outcome = batch.run("--max-outage", "2s")

    assert outcome.code == 69
    assert time.monotonic() - began > 2
    assert batch.states == {"pending": 2}


def test_a_service_that_comes_back_in_time_is_waited_for(tmp_path):
    with FakeService() as gone:
        pass
    batch = Batch(home=tmp_path, fake=gone)
    batch.write("fox")
    process = batch.start_run("--max-outage", "60s")
    wait_until(
        lambda: (batch.folder / "run.log").exists() and "paused" in (batch.folder / "run.log").read_text()
    )

    with FakeService(port=gone.port) as back:
        outcome = finish(process)

    assert outcome.code == 0
    assert back.paid == {"fox": 1}
    assert batch.results()["fox"]["attempts"] == 1


def test_away_while_we_wait_for_a_film_is_69_and_the_film_is_collected_later(tmp_path):
    with FakeService(looks_until_done=10**9) as service:
        batch = Batch(home=tmp_path, fake=service)
        batch.write("fox", "owl")
        process = batch.start_run("--max-outage", "2s", "--concurrency", 1)
        wait_until(lambda: service.calls("status"))
    outcome = finish(process)
    states = batch.states

    with FakeService(port=service.port, requests=service.requests) as back:
        again = batch.run()

    assert outcome.code == 69
    assert states == {"submitted": 1, "pending": 1}
    assert again.code == 0
    assert back.posts("fox") == 0
    assert back.paid == {"fox": 1, "owl": 1}


def test_throttled_for_longer_than_max_outage_is_69_also_for_a_single_job(batch, fake):
    batch.write("fox")
    fake.always("submit", answers(429))

    outcome = batch.run("--max-outage", 3)

    assert outcome.code == 69
    assert batch.states == {"pending": 1}


def test_throttled_before_the_first_submission_is_69_as_well(batch, fake):
    batch.write("fox")
    fake.always("model", answers(429))

    outcome = batch.run("--max-outage", 2)

    assert outcome.code == 69
    assert fake.posts() == 0


def test_a_silent_catalogue_warns_and_does_not_stop(batch, fake):
    batch.write("fox")
    fake.always("model", answers(500, b"<html>"))

    outcome = batch.run()

    assert outcome.code == 0
    assert fake.posts() == 1
