"""Ids used twice are found without a ledger, and named as a ledger names them."""

from __future__ import annotations

import io
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from batchrunner.ledger import Store
from batchrunner.ledger.intake import stage
from batchrunner.manifest import repeated
from batchrunner.manifest.read import read_found
from batchrunner.manifest.repeated import check_rows
from batchrunner.models import Schemas
from tests.builders import MODEL, a_job

URL = "https://images.example.com/a.png"


def found_in(rows: list[tuple[str, str]]):
    text = "id,text,images\n" + "".join(f"{job_id},{words},{URL}\n" for job_id, words in rows)
    return read_found(
        "-", input_format="csv", model=MODEL, schemas=Schemas(), stdin=io.BytesIO(text.encode())
    )


MADE = a_job(None, text="a", images=[URL]).id
ROWS = st.lists(
    st.tuples(st.sampled_from(["fox", "owl", MADE, "f" * 16]), st.sampled_from(["a", "b"])), max_size=6
) | st.lists(st.tuples(st.just(""), st.sampled_from(["a", "b", "c", "x" * 501])), min_size=1, max_size=6)


@given(ROWS)
def test_a_check_finds_what_a_ledger_finds(rows):
    with closing(Store.in_memory()) as store:
        staged = stage(store, found_in(rows))

    checked = check_rows(found_in(rows))

    assert (checked.jobs, checked.problems) == (staged.jobs, staged.problems)


def test_the_first_of_many_is_named_wherever_the_second_stands():
    rows = [(f"job-{number}", "a") for number in range(3000)]
    rows[2500] = ("job-7", "a")

    (problem,) = check_rows(found_in(rows)).problems

    assert (problem.place.line, problem.message) == (2502, "the id is used by line 9 already")


def test_more_ids_than_are_sorted_at_once_are_told_apart_too(monkeypatch):
    monkeypatch.setattr(repeated, "SORTED_AT_ONCE", 100)
    rows = [(f"job-{number % 900}", "a") for number in range(1000)]

    checked = check_rows(found_in(rows))

    assert [problem.place.line for problem in checked.problems] == list(range(902, 1002))
    assert checked.jobs == 900


def test_a_file_whose_name_is_no_text_can_be_checked():
    assert check_rows([a_job("fox", file="\udcff.csv"), a_job("fox", file="\udcff.csv", row=3)]).jobs == 1
