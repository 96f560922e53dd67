"""Never pay twice: what a submission's answer means, as the service's own books show it."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from .acts import accepts_and, answers, hangs_up, later, resets, says_nothing, status, usual

HTML = b"<html><body>Bad gateway</body></html>"

DOUBTS = {
    "closed before anything": hangs_up,
    "accepted, then closed": accepts_and(hangs_up),
    "accepted, then reset": accepts_and(resets),
    "accepted, then silence": accepts_and(says_nothing),
    "HTTP 408": accepts_and(answers(408, {"message": "Request timeout"})),
    "HTTP 500 in the service's words": accepts_and(answers(500, {"message": "Redis lock timeout"})),
    "HTTP 502": accepts_and(answers(502, HTML)),
    "HTTP 503 of a proxy": accepts_and(answers(503, HTML, Content_Type="text/html")),
    "HTTP 503 without a word": accepts_and(answers(503)),
    "HTTP 503 in a gateway's words": accepts_and(answers(503, {"message": "Service Unavailable"})),
    "HTTP 504": accepts_and(answers(504)),
    "HTTP 302": accepts_and(answers(302, Location="https://elsewhere.example.com/")),
    "200 with a page": accepts_and(answers(200, HTML)),
    "200 with nothing": accepts_and(answers(200)),
    "200 cut short": accepts_and(answers(200, b'{"request_id": "rq-00')),
    "200 without an id": accepts_and(answers(200, {"status": "in_queue"})),
    "200 with a number for an id": accepts_and(answers(200, {"request_id": 17})),
    "200 with a path for an id": accepts_and(answers(200, {"request_id": "../../balance"})),
    "200 with a server's error code": accepts_and(answers(200, {"error_code": 500001})),
    "202 with an empty id": accepts_and(answers(202, {"request_id": " "})),
}


def test_a_doubt_is_held_by_every_rerun_and_never_sent_again_by_itself(batch, fake):
    good = {
        doubt: f"after {doubt}" for doubt in DOUBTS
    }  # an acceptance after each, so that none is an outage
    batch.write(*(text for pair in good.items() for text in pair))
    for text, act in DOUBTS.items():
        fake.script("submit", act, text=text)

    first = batch.run("--concurrency", 1, "--http-timeout", 2)
    again = batch.run()

    results = batch.results()
    held = {
        doubt: (results[doubt]["status"], results[doubt]["error"]["code"], results[doubt]["attempts"])
        for doubt in DOUBTS
    }
    assert (first.code, again.code) == (1, 1)
    assert held == dict.fromkeys(DOUBTS, ("unknown", "in_doubt", 1))
    assert {results[text]["status"] for text in good.values()} == {"succeeded"}
    assert {text: fake.posts(text) for text in results} == dict.fromkeys(results, 1)
    assert "batchrunner resolve" in again.err


CLEAR = {
    "HTTP 429": answers(429, {"message": "slow down"}),
    "HTTP 429 without a word": answers(429),
    "HTTP 503 with Retry-After": answers(503, HTML, Retry_After="1"),
    "HTTP 503 in the service's words": answers(503, {"error_code": 503001, "error_message": "busy"}),
}


def test_what_was_certainly_not_taken_is_sent_again_and_costs_no_attempt(batch, fake):
    batch.write(*CLEAR)
    for text, act in CLEAR.items():
        fake.script("submit", act, text=text)

    outcome = batch.run("--concurrency", 1, "--max-attempts", 1)

    assert outcome.code == 0
    assert {text: fake.posts(text) for text in CLEAR} == dict.fromkeys(CLEAR, 2)
    assert fake.paid == dict.fromkeys(CLEAR, 1)
    assert {line["attempts"] for line in batch.results().values()} == {1}


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_kept_in_seconds_and_as_a_date(batch, fake, as_date):
    batch.write("fox", "owl", "cat")

    def slow_down(exchange):
        value = formatdate(time.time() + 4, usegmt=True) if as_date else "3"
        exchange.reply(429, Retry_After=value)

    fake.script("submit", slow_down)

    outcome = batch.run("--concurrency", 1)

    first, second, *_ = fake.calls("submit")
    assert outcome.code == 0
    assert second.at - first.at > (2.5 if as_date else 2.9)  # a date carries whole seconds only
    assert fake.paid == {"fox": 1, "owl": 1, "cat": 1}


REFUSALS = {
    "400": answers(400, {"error_message": "images: not reachable"}),
    "404": answers(404, {"error_code": 400001, "error_message": "InvalidResourceIdentifier"}),
    "422": answers(422, {"detail": [{"msg": "duration is too long"}]}),
    "200 with a code": answers(200, {"error_code": 422001, "error_message": "schema"}),
}


def test_a_refused_row_fails_alone_and_is_not_sent_again(batch, fake):
    batch.write(*REFUSALS, "owl")
    for text, act in REFUSALS.items():
        fake.always("submit", act, text=text)

    outcome = batch.run()
    again = batch.run()

    results = batch.results()
    assert (outcome.code, again.code) == (1, 1)
    assert {results[text]["error"]["code"] for text in REFUSALS} == {"refused"}
    assert results["owl"]["status"] == "succeeded"
    assert {text: fake.posts(text) for text in REFUSALS} == dict.fromkeys(REFUSALS, 1)


def test_the_users_word_sends_a_doubt_again(batch, fake):
    batch.write("fox", "owl")
    fake.script("submit", accepts_and(hangs_up), text="fox")
    batch.run()

    outcome = batch.run("--retry", "unknown")

    assert outcome.code == 0
    assert batch.states == {"succeeded": 2}
    assert fake.posts("fox") == 2
    assert fake.posts("owl") == 1


def test_on_unknown_resubmit_sends_again_within_the_attempts_allowed(batch, fake):
    batch.write("fox")
    fake.script("submit", *[accepts_and(hangs_up)] * 2)
    batch.run()

    second = batch.run("--on-unknown", "resubmit", "--max-attempts", 2)
    third = batch.run("--on-unknown", "resubmit", "--max-attempts", 2)

    assert (second.code, third.code) == (1, 1)
    assert fake.posts() == 2


def test_after_a_doubt_a_free_read_is_answered_before_anything_more_is_sent(batch, fake):
    batch.write("fox", "owl", "cat")
    fake.script("submit", accepts_and(hangs_up), text="fox")

    batch.run("--concurrency", 1)

    calls = [seen.endpoint for seen in fake.seen if seen.endpoint in ("submit", "model")]
    assert calls == ["model", "submit", "model", "submit", "submit"]


def test_after_a_doubt_one_submission_goes_first_as_a_canary(batch, fake):
    names = [f"p{n}" for n in range(6)]
    batch.write("fox", *names)
    fake.script("submit", accepts_and(hangs_up), later(1.5))

    batch.run("--concurrency", 1)  # one at a time: the doubt is known before the rest
    canary, *rest = fake.calls("submit")[1:]

    assert all(seen.at - canary.at > 1.4 for seen in rest)
    assert fake.paid == dict.fromkeys(["fox", *names], 1)


def test_three_doubts_in_a_row_are_an_outage_that_max_outage_ends(batch, fake):
    batch.write(*(f"p{n}" for n in range(12)))
    fake.always("submit", accepts_and(hangs_up))

    outcome = batch.run("--concurrency", 2, "--max-outage", 4)

    assert outcome.code == 69
    assert batch.states["unknown"] == fake.posts()
    assert fake.posts() <= 7
    assert batch.states["pending"] == 12 - fake.posts()


def test_a_failed_generation_is_tried_as_often_as_allowed_and_each_try_is_counted(batch, fake):
    batch.write("fox", "owl")
    fake.script("result", status("failed", error={"message": "the GPU ran away"}), text="fox")
    fake.always("result", status("failed", error="again"), text="owl")

    outcome = batch.run("--max-attempts", 2)

    results = batch.results()
    assert outcome.code == 1
    assert fake.paid == {"fox": 2, "owl": 2}
    assert (results["fox"]["status"], results["fox"]["attempts"]) == ("succeeded", 2)
    assert (results["owl"]["status"], results["owl"]["error"]["code"]) == ("failed", "generation_failed")


def test_a_moderated_prompt_is_told_apart_and_not_tried_again(batch, fake):
    batch.write("fox")
    fake.always("result", status("failed", error="The prompt was rejected by content moderation"))

    outcome = batch.run()

    assert outcome.code == 1
    assert batch.results()["fox"]["error"]["code"] == "moderated"
    assert fake.posts() == 1


def test_retry_takes_an_error_code_or_a_state_and_gives_fresh_attempts(batch, fake):
    batch.write("fox", "owl", "cat")
    fake.script("result", status("failed", error="nsfw"), text="fox")
    fake.script("submit", accepts_and(hangs_up), text="owl")
    fake.script("submit", answers(422, {"detail": "no"}), text="cat")
    batch.run()

    by_code = batch.run("--retry", "moderated")
    after_code = batch.states
    by_state = batch.run("--retry", "failed")

    assert (by_code.code, by_state.code) == (1, 1)  # the owl is still in doubt
    assert after_code == {"succeeded": 1, "unknown": 1, "failed": 1}
    assert batch.states == {"succeeded": 2, "unknown": 1}
    assert fake.paid == {"fox": 2, "owl": 1, "cat": 1}


def test_a_batch_that_is_refused_from_the_start_is_halted(batch, fake):
    batch.write(*(f"p{n:02}" for n in range(60)))
    fake.always("submit", answers(422, {"detail": "no"}))

    outcome = batch.run("--concurrency", 4)

    assert outcome.code == 75
    assert 20 <= fake.posts() <= 30
    assert batch.states["pending"] == 60 - fake.posts()


def test_a_job_that_holds_a_request_id_is_collected_before_it_may_be_paid_again(batch, fake):
    batch.write("fox")
    fake.looks_until_done = 10**9

    first = batch.run("--job-timeout", "1s")
    waiting = batch.live()["fox"]
    fake.looks_until_done = 1
    second = batch.run("--retry", "failed")

    assert first.code == 75
    assert (waiting["status"], waiting["error"]["code"]) == ("submitted", "job_timeout")
    assert second.code == 0
    assert fake.posts() == 1


def test_a_completed_status_is_no_success_until_the_result_says_so(batch, fake):
    batch.write("fox", "owl")
    fake.script("result", status("in_progress"), status("in_progress"), usual, text="fox")
    fake.script("result", answers(400, {"error_code": 400005}), usual, text="owl")

    outcome = batch.run()

    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "owl": 1}


def test_looks_that_fail_never_fail_a_job(batch, fake):
    batch.write("fox")
    fake.script("status", hangs_up, status("mystery"), answers(504, HTML), usual)

    outcome = batch.run()

    assert outcome.code == 0
    assert fake.posts() == 1
