"""Token and balance: the run stops at once, and no job is to blame."""

from __future__ import annotations

import json

import pytest

from .acts import answers, later, status, usual
from .command import TOKEN

REFUSALS = {
    "401": answers(401, {"message": "invalid token"}),
    "403": answers(403, {"message": "forbidden"}),
    "402": answers(402, {"message": "insufficient balance"}),
    "400 + 400004": answers(400, {"error_code": 400004, "error_message": "UserAccountError"}),
    "400 + code 400004": answers(400, {"code": 400004, "error": "UserAccountError"}),
    "400 + 400002": answers(400, {"error_code": 400002, "error_message": "InsufficientResources"}),
    "200 + 400004": answers(200, {"error_code": 400004, "error_message": "UserAccountError"}),
    "200 + 403003": answers(200, {"error_code": 403003, "error_message": "forbidden"}),
}


def test_without_a_token_nothing_is_asked_of_the_service(batch, fake):
    batch.write("fox")

    outcome = batch.run(RUNCOMFY_API_TOKEN="")

    assert outcome.code == 77
    assert "RUNCOMFY_API_TOKEN" in outcome.err
    assert fake.seen == []


def test_without_a_token_the_manifests_problems_are_named_in_the_same_pass(batch):
    batch.write({"id": "fox", "text": "fox", "duration": 99})

    outcome = batch.run(RUNCOMFY_API_TOKEN="")

    assert outcome.code == 77
    assert "duration" in outcome.err


@pytest.mark.parametrize(
    ("refusal", "endpoint"),
    [*((refusal, "submit") for refusal in REFUSALS), ("401", "model"), ("402", "model")],
)
def test_a_refused_account_stops_the_run_at_once_and_marks_nothing(batch, fake, refusal, endpoint):
    batch.write(*(f"p{n:02}" for n in range(30)))
    fake.always(endpoint, REFUSALS[refusal])

    outcome = batch.run("--concurrency", 4)

    first = next(number for number, seen in enumerate(fake.seen) if seen.endpoint == endpoint)
    assert outcome.code == 77
    assert len(fake.seen) - first <= 12  # what was on the wire, and nothing after it
    assert batch.states == {"pending": 30}
    assert fake.posts() <= 4


def test_an_empty_balance_in_the_middle_keeps_what_was_accepted_and_goes_on_another_day(batch, fake):
    names = [f"p{n:02}" for n in range(10)]
    batch.write(*names)
    fake.looks_until_done = 10**9
    fake.script("submit", usual, usual, usual)
    fake.always("submit", REFUSALS["400 + 400002"])

    empty = batch.run("--concurrency", 4)
    states = batch.states
    fake.mend()
    fake.looks_until_done = 1
    full = batch.run()

    assert empty.code == 77
    assert states == {"submitted": 3, "pending": 7}
    assert full.code == 0
    assert fake.paid == dict.fromkeys(names, 1)


def test_submissions_on_the_wire_are_awaited_when_the_account_is_refused(batch, fake):
    batch.write("fox", "owl")
    fake.script("submit", later(1.5), text="fox")
    fake.always("submit", REFUSALS["401"], text="owl")

    outcome = batch.run()

    assert outcome.code == 77
    assert batch.states == {"submitted": 1, "pending": 1}


def test_a_token_that_dies_while_we_wait_stops_the_run_and_keeps_the_request(batch, fake):
    batch.write("fox")
    fake.script("status", status("in_queue"), REFUSALS["401"])

    outcome = batch.run()
    again = batch.run()

    assert (outcome.code, again.code) == (77, 0)
    assert fake.posts() == 1


def test_a_request_that_is_someone_elses_stops_the_run(batch, fake):
    batch.write("fox")
    fake.always("status", answers(403, {"error_code": 403001, "error_message": "PermissionDeniedError"}))

    outcome = batch.run()

    assert outcome.code == 77
    assert batch.states == {"submitted": 1}


def test_the_token_goes_to_the_api_and_nowhere_else(batch, fake):
    batch.write("fox", "owl")
    elsewhere = []
    fake.always("film", lambda exchange: _redirect_once(exchange, elsewhere), text="owl")
    fake.script("submit", answers(429, {"message": f"token {TOKEN} is too fast"}), text="fox")

    outcome = batch.run("--json", "-v")

    films, calls = fake.calls("film"), [seen for seen in fake.seen if seen.endpoint != "film"]
    assert outcome.code == 0
    assert elsewhere
    assert {seen.token for seen in films} == {None}
    assert {seen.token for seen in calls} == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in json.dumps([seen.path, seen.headers]) for seen in films)


def _redirect_once(exchange, elsewhere):
    if exchange.seen.path.endswith("?again"):
        return exchange.usual()
    elsewhere.append(exchange.seen.path)
    return exchange.reply(302, Location=f"{exchange.fake.url}{exchange.seen.path}?again")


def test_the_token_is_in_no_file_and_in_no_word_even_when_the_service_echoes_it(batch, fake):
    batch.write("fox", "owl", "cat")
    fake.always("submit", answers(422, {"detail": f"bad header Authorization: Bearer {TOKEN}"}), text="fox")
    fake.always("result", status("failed", error=f"{TOKEN} not allowed"), text="owl")

    outcome = batch.run("--json", "-v", "--max-attempts", 1)
    shown = batch.call("results", batch.folder, "--json")

    said = outcome.out + outcome.err + shown.out
    kept = [
        path.name
        for path in batch.folder.rglob("*")
        if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert outcome.code == 1
    assert TOKEN not in said
    assert kept == []


def test_an_api_call_follows_no_redirect(batch, fake):
    batch.write("fox")
    fake.script("status", answers(302, Location=f"{fake.films}/v1/requests/rq-0001/status"), usual)

    outcome = batch.run()

    assert outcome.code == 0
    assert all(seen.headers["host"] in fake.url for seen in fake.calls("status"))
