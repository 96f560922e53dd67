"""The rules as a pure object: every instant is given, nothing waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from batchrunner.simulator import Fault, Service, SimulatorSettings, parse_fault
from batchrunner.simulator.settings import Films
from batchrunner.simulator.wire import Answer, Refused, Request

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
STEADY = SimulatorSettings(slots=1, service_time_s=10.0, spread=0.0, films=Films.TINY)


@dataclass(slots=True)
class Asker:
    """Asks a service at any instant."""

    service: Service
    now: float = 0.0

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        data = b"" if body is None else json.dumps(body).encode()
        headers: Mapping[str, str] = {"Authorization": "Bearer x", "Host": "simulator.test"}
        reply = self.service.handle(Request.parse(method, path, headers, data, scheme="http"), self.now)
        assert isinstance(reply, Answer)
        return reply

    def submit(self, text: str = "a fox", **inputs: object) -> str:
        answer = self.ask("POST", f"/v1/models/{MODEL}", {"text": text, **inputs})
        request_id: str = json.loads(answer.body)["request_id"]
        return request_id

    def get(self, request_id: str, page: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("GET", f"/v1/requests/{request_id}/{page}").body)
        return found

    def cancel(self, request_id: str) -> str:
        answer = self.ask("POST", f"/v1/requests/{request_id}/cancel")
        outcome: str = json.loads(answer.body)["outcome"]
        return outcome


def asker(settings: SimulatorSettings = STEADY, faults: tuple[Fault, ...] = ()) -> Asker:
    return Asker(Service(settings, faults=faults))


@pytest.mark.parametrize(
    ("now", "first", "second"),
    [
        (0.0, "in_progress", "in_queue"),
        (9.99, "in_progress", "in_queue"),
        (10.0, "completed", "in_progress"),
        (19.99, "completed", "in_progress"),
        (20.0, "completed", "completed"),
        (1e9, "completed", "completed"),
    ],
)
def test_the_state_of_a_request_is_a_function_of_the_instant(now, first, second):
    service = asker()
    ids = [service.submit("first"), service.submit("second")]

    service.now = now

    assert [service.get(request_id, "status")["status"] for request_id in ids] == [first, second]


def test_the_result_tells_when_it_was_accepted_and_finished():
    service = asker()
    request_id = service.submit()

    service.now = 60.0
    result = service.get(request_id, "result")

    assert result["status"] == "succeeded"
    assert result["created_at"] == "1970-01-01T00:00:00.000+00:00"
    assert result["finished_at"] == "1970-01-01T00:00:10.000+00:00"


def test_the_result_echoes_the_inputs_outside_the_output():
    service = asker()
    request_id = service.submit(images=["https://images.example.com/fox.png"])

    service.now = 60.0
    result = service.get(request_id, "result")

    assert result["input"]["images"] == ["https://images.example.com/fox.png"]
    assert "images.example.com" not in json.dumps(result["output"])


def test_the_end_word_of_a_result_is_a_setting():
    service = asker(replace(STEADY, result_word="completed"))
    request_id = service.submit()

    service.now = 60.0

    assert service.get(request_id, "result")["status"] == "completed"


def test_a_cancelled_request_gives_its_place_and_its_money_back():
    service = asker(replace(STEADY, balance_usd=1.0))
    running, waiting, last = service.submit("1"), service.submit("2"), service.submit("3")

    service.now = 5.0
    outcomes = [service.cancel(request_id) for request_id in (running, waiting, waiting)]

    assert outcomes == ["not_cancellable", "cancelled", "cancelled"]
    assert service.get(last, "status")["queue_position"] == 1
    service.now = 10.0
    assert service.get(last, "status")["status"] == "in_progress"
    assert json.loads(service.ask("GET", "/prod/v2/balance").body)["balance_usd"] == pytest.approx(0.8)


def test_a_failed_generation_is_completed_for_status_and_failed_for_result():
    service = asker(replace(STEADY, fail_share=1.0))
    request_id = service.submit()

    service.now = 60.0

    assert service.get(request_id, "status")["status"] == "completed"
    result = service.get(request_id, "result")
    assert (result["status"], "output" in result) == ("failed", False)
    assert "failed" in result["error"]


def test_the_share_of_failures_is_kept_and_another_try_is_drawn_anew():
    service = asker(replace(STEADY, fail_share=0.3))
    first = [service.submit(f"prompt {n}") for n in range(300)]
    again = [service.submit(f"prompt {n}") for n in range(300)]

    service.now = 1e9
    failed = [service.get(request_id, "result")["status"] == "failed" for request_id in first]
    failed_again = [service.get(request_id, "result")["status"] == "failed" for request_id in again]

    assert 60 <= sum(failed) <= 120
    assert failed != failed_again


def test_a_moderated_word_fails_with_words_of_moderation():
    service = asker(replace(STEADY, moderated_word="violence"))
    bad, good = service.submit("much violence"), service.submit("a fox")

    service.now = 60.0

    assert "moderation" in service.get(bad, "result")["error"]
    assert service.get(good, "result")["status"] == "succeeded"


def test_two_services_with_the_same_settings_do_the_same():
    spread = replace(STEADY, spread=0.5)
    one, other = asker(spread), asker(spread)
    for service in (one, other):
        for n in range(20):
            service.submit(f"prompt {n % 7}")

    assert one.service.accepted == other.service.accepted


def test_service_times_lie_around_the_median_and_differ_by_seed():
    def times(seed: int) -> list[float]:
        service = asker(replace(STEADY, spread=0.5, slots=1000, seed=seed))
        for n in range(501):
            service.submit(f"prompt {n}")
        return sorted(record.end_at - record.start_at for record in service.service.accepted)

    assert times(1)[250] == pytest.approx(10.0, rel=0.15)
    assert times(1)[0] < 5.0 < 20.0 < times(1)[-1]
    assert times(1) != times(2)


def test_the_same_inputs_at_the_same_instant_are_two_requests():
    service = asker()

    assert service.submit("a fox") != service.submit("a fox")


def test_the_most_requests_in_flight_are_counted():
    service = asker()
    for instant in (0.0, 1.0, 25.0):
        service.now = instant
        service.submit()

    assert service.service.sight.counts["max_in_flight"] == 2


def test_in_an_outage_the_connection_is_refused_from_its_first_instant_to_its_last():
    service = asker(faults=(parse_fault("any away since=10 until=20"),)).service
    request = Request(method="GET", path="/v1/models")

    service.begin(100.0)

    away = [isinstance(service.handle(request, at), Refused) for at in (100.0, 110.0, 119.9, 120.0)]
    assert away == [False, True, True, False]


def test_latency_is_said_with_the_answer_and_not_slept():
    service = asker(replace(STEADY, latency_s=0.7))

    assert service.ask("GET", "/v1/models").latency_s == 0.7


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/requests", "/v1/requests/a/b/status", "/files/x", "/v2/models"]
)
def test_a_page_that_does_not_exist_is_a_404_without_a_code(path):
    answer = asker().ask("GET", path)

    assert answer.status == 404
    assert "error_code" not in json.loads(answer.body)
