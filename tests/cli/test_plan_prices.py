"""The plan says what a run would cost and why each job runs, before anything is sent."""

from __future__ import annotations

import pytest

from .acts import answers

PRICED = {"base_price_usd": 0.02, "price_unit": "second", "pricing_note": "720p costs more"}


def test_a_plan_names_the_price_the_balance_and_whether_it_suffices(batch, fake, here):
    fake.entry, fake.balance_usd = PRICED, 0.25
    batch.write("fox", {"id": "owl", "text": "owl", "duration": 12})

    plan = here.plan("--json").json
    words = here.plan().out

    assert plan["cost_usd"] == 0.34  # five seconds by default, and twelve
    assert (plan["balance_usd"], plan["balance_suffices"]) == (0.25, False)
    assert plan["estimated_s"] is None
    assert "0.34 USD" in words
    assert "0.02 USD per second (720p costs more)" in words
    assert "0.25 USD: not enough" in words
    assert "no estimate yet" in words
    assert fake.posts() == 0


def test_a_price_that_nobody_knows_is_not_invented(batch, fake, here):
    batch.write("fox", "owl")

    unknown = here.plan("--json").json
    named = here.plan("--json", "--price", "0.15").json

    assert unknown["cost_usd"] is None
    assert "gives no price" in unknown["costs"][0]["price"]
    assert named["cost_usd"] == 0.3


def test_only_what_is_left_to_submit_costs_anything(batch, fake, here):
    fake.entry, fake.balance_usd = PRICED, 100.0
    batch.write("fox", "owl", "cat", "hen")
    here.run("--only", "fox")

    assert here.plan("--json").json["cost_usd"] == 0.3
    assert here.plan("--json", "--limit", 1).json["cost_usd"] == 0.1
    assert here.plan("--json", "--only", "fox").json["cost_usd"] == 0.0
    assert here.plan("--json", "--redo", "fox", "--only", "fox").json["cost_usd"] == 0.1


def test_run_times_measured_before_give_an_estimate(batch, fake, here):
    batch.write("fox", "owl", "cat")
    here.run("--only", "fox")

    assert here.plan("--json").json["estimated_s"] is not None


@pytest.mark.parametrize("trouble", ["no token", "nobody there", "refused"])
def test_a_plan_works_without_the_service_and_says_what_it_could_not_learn(
    batch, fake, here, monkeypatch, trouble
):
    batch.write("fox")
    more = ()
    if trouble == "no token":
        monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    elif trouble == "nobody there":
        more = ("--base-url", "http://127.0.0.1:9")
    else:
        fake.always("model", answers(401, {"message": "who are you?"}))

    outcome = here.plan(*more)

    assert outcome.code == 0
    assert "1 to submit" in outcome.out
    assert "could not be asked" in outcome.out
    assert "balance    not known" in outcome.out


def test_a_price_read_before_is_used_with_its_age_when_the_service_is_silent(batch, fake, here):
    fake.entry = PRICED
    batch.write("fox")
    here.plan()
    fake.always("model", answers(503))

    plan = here.plan("--json").json

    assert plan["cost_usd"] == 0.1
    assert "ago" in plan["costs"][0]["note"]


def test_why_each_job_runs_is_said_with_the_fields_that_changed(batch, fake, here):
    batch.write("fox", "owl", "cat")
    fake.always("submit", answers(400, {"message": "no"}), text="owl")
    here.run()
    (batch.folder / "videos" / "cat.mp4").unlink()
    batch.write({"id": "fox", "text": "fox", "duration": 7}, "owl", "cat", "new")

    plan = here.plan("--retry", "failed", "--json").json

    assert plan["reasons"] == {"edited": 1, "asked_for": 1, "file_missing": 1, "new": 1}
    assert plan["edits"] == [{"id": "fox", "row": 1, "changes": "duration (none) → 7"}]


def test_the_token_goes_to_no_other_host_for_the_balance(batch, fake, here):
    fake.balance_usd = 1.0
    batch.write("fox")

    here.run()

    assert [seen.path for seen in fake.calls("balance")] == ["/prod/v2/balance"]


def test_a_run_whose_money_will_not_last_says_so_before_it_begins(batch, fake, here):
    fake.entry, fake.balance_usd = PRICED, 0.05
    batch.write("fox")

    events = here.run("--json").lines

    [warning] = [event for event in events if event["event"] == "warning"]
    assert "0.05 USD, less than the 0.10 USD" in warning["message"]


def test_alike_jobs_are_counted_together_and_cost_the_same_as_one_by_one(batch, fake, here):
    fake.entry = PRICED
    lengths = [None, 2, 2, 12, 5]
    batch.write(*({"id": f"j{n}", "text": "x", "seed": n, "duration": d} for n, d in enumerate(lengths)))

    together = here.plan("--json").json
    one_by_one = here.plan("--only", "j*", "--json").json
    first_three = here.plan("--limit", 3, "--json").json

    assert together["cost_usd"] == one_by_one["cost_usd"] == 0.52
    assert together["costs"] == one_by_one["costs"]
    assert first_three["cost_usd"] == 0.18
