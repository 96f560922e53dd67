"""A manifest that changes between runs: edited, gone and new rows."""

from __future__ import annotations

from .acts import accepts_and, answers, hangs_up
from .fake_service import film_of

RED = {"id": "fox", "text": "a red fox"}


def test_an_edit_of_what_was_never_sent_just_replaces_it(batch, fake):
    batch.write("owl", "fox")
    batch.run("--limit", 1)
    batch.write("owl", RED)

    assert batch.run().code == 0
    assert fake.paid == {"owl": 1, "a red fox": 1}
    assert batch.status()["superseded"] == 0


def test_an_edit_of_what_succeeded_is_planned_by_name_made_anew_and_the_old_film_kept(batch, fake):
    batch.write("fox", "owl")
    batch.run()
    batch.write(RED, "owl")

    plan = batch.plan()
    outcome = batch.run()

    kept = [path.read_bytes() for path in (batch.folder / "superseded").rglob("*.mp4")]
    assert plan["reasons"] == {"edited": 1, "done": 1}
    assert "fox" in plan["edits"][0]["changes"]
    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "owl": 1, "a red fox": 1}
    assert (batch.folder / "videos/fox.mp4").read_bytes() == film_of("a red fox")
    assert kept == [film_of("fox")]
    assert batch.run().code == 0
    assert sum(fake.paid.values()) == 3


def test_an_edit_of_what_failed_is_submitted_anew(batch, fake):
    batch.write("fox")
    fake.script("submit", answers(422, {"detail": "no"}))
    batch.run()
    batch.write(RED)

    assert batch.run().code == 0
    assert fake.paid == {"a red fox": 1}


def test_an_edit_of_what_is_at_the_service_waits_until_the_old_one_is_collected(batch, fake):
    batch.write("fox")
    batch.run("--submit-only")
    batch.write(RED)

    outcome = batch.run()

    kept = [path.read_bytes() for path in (batch.folder / "superseded").rglob("*.mp4")]
    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "a red fox": 1}
    assert kept == [film_of("fox")]
    assert (batch.folder / "videos/fox.mp4").read_bytes() == film_of("a red fox")


def test_an_edit_of_a_doubt_stays_held(batch, fake):
    batch.write("fox")
    fake.script("submit", accepts_and(hangs_up))
    batch.run()
    batch.write(RED)

    outcome = batch.run()

    assert outcome.code == 1
    assert batch.states == {"unknown": 1}
    assert fake.posts() == 1


def test_many_edits_ask_first_and_without_a_terminal_nothing_is_sent(batch, fake):
    names = [f"p{n:02}" for n in range(25)]
    batch.write(*names)
    batch.run("--concurrency", 16)
    batch.write(*({"id": name, "text": f"new {name}"} for name in names))

    asked = batch.run()
    posts_then = fake.posts()
    plan = batch.plan()
    answered = batch.run("--yes", "--concurrency", 16)

    assert asked.code == 2
    assert "--yes" in asked.err
    assert posts_then == 25
    assert (plan["submit"], len(plan["edits"])) == (25, 25)
    assert answered.code == 0
    assert fake.posts() == 50


def test_a_row_that_is_gone_is_never_submitted_and_what_was_paid_for_it_is_collected(batch, fake):
    batch.write("fox", "owl", "cat")
    batch.run("--limit", 1, "--submit-only")
    batch.write("cat")

    outcome = batch.run()

    status = batch.status()
    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "cat": 1}
    assert (status["total"], status["gone"]) == (1, 2)
    assert batch.results()["fox"]["status"] == "succeeded"
    assert not batch.results()["fox"]["in_manifest"]


def test_the_same_inputs_under_another_order_of_rows_and_keys_are_no_edit(batch, fake):
    batch.write({"id": "fox", "text": "fox", "duration": 5, "seed": 1}, "owl")
    batch.run()
    batch.write("owl", {"seed": 1, "duration": 5, "text": "fox", "id": "fox", "meta": {"note": "new"}})

    assert batch.run().code == 0
    assert fake.posts() == 2
    assert batch.results()["fox"]["meta"] == {"note": "new"}
