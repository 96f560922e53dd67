"""``--max-cost`` and ``--confirm-above``: refused, asked about, or capped, before too much is spent."""

from __future__ import annotations

import pytest

from .acts import answers

PRICED = {"base_price_usd": 0.02, "price_unit": "second"}
FILMS = tuple(f"film {n}" for n in range(9))


@pytest.fixture
def priced(batch, fake):
    """Nine films of a tenth of a dollar each, billed as the catalogue says."""
    fake.entry, fake.cost, fake.balance_usd = PRICED, 0.1, 5.0
    batch.write(*FILMS)


def test_a_capped_run_pays_no_cent_more_and_goes_on_under_a_higher_cap(batch, fake, here, priced):
    first = here.run("--max-cost", "0.45", "--concurrency", 9)
    again = here.run("--max-cost", "0.45")
    raised = here.run("--max-cost", "0.9")

    assert (first.code, again.code, raised.code) == (75, 75, 0)
    assert fake.posts() == 9
    assert "--max-cost 0.45 USD" in first.err
    assert "0.05 USD left of 0.45 USD" in first.err
    assert "--max-cost 0.45 " in first.err.splitlines()[-1]  # the command to type next
    assert "0.00 USD left of 0.90 USD" in raised.err


def test_resume_stays_under_the_cap_of_the_run_it_goes_on_with(batch, fake, here, priced):
    first = here.run("--max-cost", "0.45", "--concurrency", 9)
    resumed = here("resume", here.folder)
    raised = here("resume", here.folder, "--max-cost", "0.9")

    assert (first.code, resumed.code, raised.code) == (75, 75, 0)
    assert "0.05 USD left of 0.45 USD" in resumed.err
    assert fake.posts() == 9


def test_the_summary_for_programs_says_what_was_spent_and_set_aside(batch, fake, here, priced):
    fake.cost = None

    summary = here.run("--max-cost", "0.25", "--json").lines[-1]
    status = here("status", here.folder, "--json").json

    assert (summary["cost_usd"], summary["reserved_usd"], summary["max_cost_usd"]) == (None, 0.2, 0.25)
    assert status["reserved_usd"] == 0.2


def test_a_cap_needs_a_price(batch, fake, here):
    batch.write("fox")

    refused = here.run("--max-cost", "5")
    named = here.run("--max-cost", "5", "--price", "0.5")

    assert refused.code == 2
    assert "--price" in refused.err
    assert "gives no price" in refused.err
    assert named.code == 0
    assert fake.posts() == 1


def test_attempts_made_before_there_was_a_price_count_at_what_they_are_taken_to_cost(batch, fake, here):
    fake.cost = None
    batch.write("fox", "owl")
    here.run("--only", "fox")

    plan = here.plan("--max-cost", "0.9", "--price", "0.5", "--json").json
    capped = here.run("--max-cost", "0.9", "--price", "0.5")

    assert plan["max_cost_left_usd"] == 0.4
    assert capped.code == 75
    assert fake.posts() == 1


def test_without_a_terminal_a_price_above_the_limit_stops_the_run_where_the_limit_was_given(
    batch, fake, here, priced
):
    refused = here.run("--confirm-above", "0.5")
    allowed = here.run("--confirm-above", "0.5", "--yes")

    assert (refused.code, allowed.code) == (2, 0)
    assert "--yes" in refused.err
    assert "0.90 USD" in refused.err
    assert fake.posts() == 9


def test_below_the_limit_and_under_a_lower_cap_nothing_is_asked(batch, fake, here, priced):
    assert here.run("--confirm-above", "0.5", "--max-cost", "0.3").code == 75
    assert here.run("--confirm-above", "0.6").code == 0
    assert fake.posts() == 9


def test_a_refused_run_leaves_no_folder_behind(batch, fake, here, priced):
    here.run("--confirm-above", "0")

    assert not here.folder.exists()


def test_by_itself_a_high_price_is_said_and_paid_where_nobody_can_be_asked(batch, fake, here, priced):
    fake.entry = {"base_price_usd": 9, "price_unit": "request"}

    outcome = here.run("--limit", 3)

    assert outcome.code == 0
    assert "27.00 USD" in outcome.err


def test_a_plan_says_that_the_cap_does_not_reach(batch, fake, here, priced):
    plan = here.plan("--max-cost", "0.45", "--json").json
    words = here.plan("--max-cost", "0.45").out

    assert (plan["max_cost_usd"], plan["max_cost_left_usd"], plan["cost_usd"]) == (0.45, 0.45, 0.9)
    assert "not enough for all" in words


def test_a_refused_submission_costs_nothing_of_the_cap(batch, fake, here, priced):
    fake.script("submit", *[answers(422, {"message": "no"})] * 3)

    here.run("--max-cost", "0.6", "--concurrency", 1)

    assert sum(fake.paid.values()) == 6


@pytest.mark.parametrize("amount", ["-1", "much", "0.0000001"])
def test_an_amount_that_is_none_is_a_usage_error(batch, fake, here, priced, amount):
    assert here.run("--max-cost", amount).code == 2
