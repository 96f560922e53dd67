"""Which fault strikes which call, and how faults are written."""

from __future__ import annotations

import json

import pytest

from batchrunner.simulator import Fault, load_faults, parse_fault
from batchrunner.simulator.fault_book import FaultBook, Subject
from batchrunner.simulator.fault_text import PRESETS
from batchrunner.simulator.faults import KINDS, Body, Do
from batchrunner.simulator.routes import Endpoint
from batchrunner.simulator.wire import Ending, Framing


def strikes(line: str, *keys: str, at: Endpoint = Endpoint.STATUS) -> list[bool]:
    book = FaultBook()
    book.add([parse_fault(line)], now=0.0)
    return [book.take(at, Subject(key=key, texts=(key,))) is not None for key in keys]


def test_a_fault_strikes_once_unless_told_otherwise():
    assert strikes("status hang", "a", "a", "b") == [True, False, False]


def test_a_fault_can_strike_several_times_or_always():
    assert strikes("status hang times=2", "a", "a", "a") == [True, True, False]
    assert strikes("status hang times=always", "a", "b", "a") == [True, True, True]


def test_a_fault_can_let_the_first_calls_pass():
    assert strikes("status hang skip=2 times=1", "a", "a", "a", "a") == [False, False, True, False]


def test_a_fault_can_count_for_each_request_on_its_own():
    assert strikes("status hang each=yes", "a", "b", "a", "b") == [True, True, False, False]


def test_a_fault_strikes_only_what_it_matches_and_counts_nothing_else():
    assert strikes("status hang match=fox", "a dog", "a fox", "the fox") == [False, True, False]


def test_a_fault_strikes_only_at_its_endpoint_or_at_any():
    assert strikes("status hang", "a", at=Endpoint.RESULT) == [False]
    assert strikes("any hang", "a", at=Endpoint.RESULT) == [True]


def test_a_fault_for_all_endpoints_spares_those_where_it_makes_no_sense():
    assert strikes("any no-output times=always", "a", at=Endpoint.SUBMIT) == [False]


def test_a_share_strikes_about_that_share_and_always_the_same_calls():
    keys = [f"request {n}" for n in range(400)]

    struck = strikes("status hang share=0.25 times=always", *keys)

    assert 70 <= sum(struck) <= 130
    assert struck == strikes("status hang share=0.25 times=always", *keys)


def test_of_two_faults_the_first_strikes_until_it_is_used_up():
    book = FaultBook()
    book.add([parse_fault("status hang"), parse_fault("status close")], now=0.0)
    subject = Subject(key="a", texts=())

    struck = [book.take(Endpoint.STATUS, subject) for _ in range(3)]

    assert [fault and fault.do for fault in struck] == [Do.HANG, Do.CLOSE, None]


def test_an_outage_counts_from_the_instant_it_was_added():
    book = FaultBook()
    book.add([parse_fault("any away since=5 until=8")], now=100.0)

    assert [book.is_away(at) for at in (104.9, 105.0, 107.9, 108.0)] == [False, True, True, False]
    assert [book.next_change(at) for at in (100.0, 106.0, 109.0)] == [105.0, 108.0, None]


def test_a_line_sets_every_kind_of_value():
    line = (
        "submit answer status=503 body=html retry-after=7 accepted=yes match='red fox' times=always each=no"
    )

    assert parse_fault(line) == Fault(
        at=Endpoint.SUBMIT, do=Do.ANSWER, status=503, body=Body.HTML, retry_after="7", accepted=True,
        match="red fox", times=None,
    )  # fmt: skip
    assert parse_fault("file cut size=9 framing=chunked ending=reset") == Fault(
        at=Endpoint.FILE, do=Do.CUT, size=9, framing=Framing.CHUNKED, ending=Ending.RESET
    )


def test_what_is_written_behind_a_preset_wins():
    assert parse_fault("submit throttled message=slow").message == "slow"
    assert parse_fault("submit throttled").status == 429


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_used_somewhere(preset):
    usable = []
    for endpoint in Endpoint:
        try:
            usable.append(parse_fault(f"{endpoint} {preset}"))
        except ValueError:
            continue

    assert usable


@pytest.mark.parametrize("do", Do)
def test_every_kind_is_explained_and_can_be_written(do):
    assert KINDS[do].says
    for endpoint in KINDS[do].at:
        assert parse_fault(f"{endpoint} {do}").do is do


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("submit", ["WHERE WHAT"]),
        ("submit explode", ["explode", "hang", "throttled"]),
        ("nowhere hang", ["nowhere", "submit", "any"]),
        ("status no-id", ["no-id", "submit", "status"]),
        ("submit hang times", ["times", "NAME=VALUE"]),
        ("submit hang times=often", ["times=often"]),
        ("submit answer satus=500", ["satus", "status"]),
        ("submit hang status=500", ["hang", "status"]),
        ("submit close accepted=perhaps", ["accepted=perhaps", "yes or no"]),
        ("submit 'hang", ["quotation"]),
    ],
)
def test_a_wrong_line_is_refused_with_what_is_allowed(line, words):
    with pytest.raises(ValueError) as refused:
        parse_fault(line)

    for word in words:
        assert word in str(refused.value)


def test_a_file_holds_lines_and_mappings(tmp_path):
    yaml_file, json_file = tmp_path / "faults.yaml", tmp_path / "faults.json"
    yaml_file.write_text("- submit close accepted=yes\n- {at: file, do: cut, size: 9, times: always}\n")
    json_file.write_text(json.dumps({"at": "file", "do": "cut", "size": 9, "times": None}))

    expected = Fault(at=Endpoint.FILE, do=Do.CUT, size=9, times=None)
    assert load_faults(yaml_file) == (Fault(at=Endpoint.SUBMIT, do=Do.CLOSE, accepted=True), expected)
    assert load_faults(json_file) == (expected,)


@pytest.mark.parametrize("text", ["- 5", "- {do: hang}", "- {at: submit, do: hang, tims: 3}", "a: [b", ""])
def test_a_wrong_file_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "faults.yaml"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"faults\.yaml"):
        load_faults(path)
