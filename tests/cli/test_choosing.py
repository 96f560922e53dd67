"""Which jobs a run submits: chosen, again, until when; what is paid is collected whatever is chosen."""

from __future__ import annotations

from .acts import answers

TEN = [f"p{n}" for n in range(10)]


def test_limit_counts_new_submissions_of_this_run(batch, fake):
    batch.write(*TEN)

    first = batch.run("--limit", 3)
    second = batch.run("--limit", 3)
    none = batch.run("--limit", 0)

    assert (first.code, second.code, none.code) == (0, 0, 0)
    assert fake.paid == dict.fromkeys(TEN[:6], 1)
    assert batch.states == {"succeeded": 6, "pending": 4}


def test_what_was_not_taken_does_not_count_against_the_limit(batch, fake):
    batch.write("fox", "owl")
    fake.script("submit", answers(429))

    assert batch.run("--limit", 1).code == 0
    assert sum(fake.paid.values()) == 1


def test_only_chooses_by_pattern(batch, fake):
    batch.write("fox-1", "fox-2", "owl")

    outcome = batch.run("--only", "fox-*")

    assert outcome.code == 0
    assert fake.paid == {"fox-1": 1, "fox-2": 1}


def test_a_sample_is_always_the_same_and_a_larger_one_holds_the_smaller(batch, fake):
    batch.write(*TEN)

    batch.run("--sample", 3)
    three = set(fake.paid)
    batch.run("--sample", 3)
    again = set(fake.paid)
    batch.run("--sample", 5)

    assert len(three) == 3
    assert again == three
    assert three < set(fake.paid)
    assert sum(fake.paid.values()) == 5


def test_until_stops_submitting_and_finishes_what_is_in_flight(batch, fake):
    batch.write("fox", "owl")
    fake.looks_until_done = 80  # at least 0.05 s each: longer than the run may submit

    outcome = batch.run("--until", "+3s", "--poll-spacing", "fixed", "--concurrency", 1)

    assert outcome.code == 75
    assert batch.states == {"succeeded": 1, "pending": 1}


def test_submit_only_leaves_collecting_to_a_later_run(batch, fake):
    batch.write("fox", "owl")

    submitted = batch.run("--submit-only")
    batch.write("fox", "owl", "cat")
    collected = batch.run("--collect-only")

    assert (submitted.code, collected.code) == (75, 0)
    assert fake.paid == {"fox": 1, "owl": 1}
    assert batch.states == {"succeeded": 2, "pending": 1}


def test_what_is_paid_is_collected_whatever_is_chosen(batch):
    batch.write("fox")
    batch.run("--submit-only")

    outcome = batch.run("--limit", 0, "--only", "nothing", "--sample", 0)

    assert outcome.code == 0
    assert batch.states == {"succeeded": 1}


def test_resume_needs_no_manifest(batch, fake):
    batch.write("fox", "owl")
    batch.run("--limit", 1)
    batch.manifest.unlink()

    outcome = batch.resume()

    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "owl": 1}


def test_redo_pays_again_only_when_asked_and_keeps_the_old_film(batch, fake):
    batch.write("fox", "owl")
    batch.run()
    old = (batch.folder / "videos/fox.mp4").read_bytes()

    outcome = batch.run("--redo", "f*")
    unasked = batch.run()

    kept = [path for path in (batch.folder / "superseded").rglob("*") if path.is_file()]
    assert (outcome.code, unasked.code) == (0, 0)
    assert fake.paid == {"fox": 2, "owl": 1}
    assert [path.read_bytes() for path in kept] == [old]
    assert batch.results()["fox"]["outputs"][0]["file"] == "videos/fox.mp4"
    assert batch.status()["superseded"] == 1


def test_retry_of_what_is_fine_pays_nothing(batch, fake):
    batch.write("fox")
    batch.run()

    assert batch.run("--retry", "failed", "--retry", "unknown", "--retry", "cancelled").code == 0
    assert fake.posts() == 1


def test_a_user_may_give_their_word_on_a_doubt_in_three_ways(batch, fake):
    batch.write("fox", "owl", "cat")
    for text in ("fox", "owl", "cat"):
        fake.script("submit", _accepted_and_lost, text=text)
    batch.run("--concurrency", 1, "--max-outage", 1)
    for text in ("owl", "cat"):
        batch.run("--only", text, "--max-outage", 1)
    found = {request.text: request.id for request in fake.requests.values()}

    attached = batch.call("resolve", batch.folder, "fox", "--request-id", found["fox"])
    stolen = batch.call("resolve", batch.folder, "owl", "--request-id", found["fox"])
    not_taken = batch.call("resolve", batch.folder, "owl", "--not-accepted")
    left = batch.call("resolve", batch.folder, "cat", "--give-up")
    outcome = batch.run()

    results = batch.results()
    assert (attached.code, not_taken.code, left.code) == (0, 0, 0)
    assert stolen.code != 0
    assert outcome.code == 1
    assert [results[name]["status"] for name in ("fox", "owl", "cat")] == ["succeeded", "succeeded", "failed"]
    assert results["cat"]["error"]["code"] == "given_up"
    assert fake.paid == {"fox": 1, "owl": 2, "cat": 1}


def _accepted_and_lost(exchange):
    exchange.accept()
    exchange.hang_up()


def test_cancel_takes_back_what_was_never_sent_and_says_what_runs_on(batch, fake):
    batch.write("fox", "owl")
    batch.run("--limit", 1, "--submit-only")

    outcome = batch.call("cancel", batch.folder, "--base-url", fake.url)
    after = batch.run()

    assert outcome.code == 75
    assert "fox" in outcome.err
    assert after.code == 1
    assert batch.states == {"succeeded": 1, "cancelled": 1}
    assert fake.paid == {"fox": 1}
