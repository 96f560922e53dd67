"""The simulator behind the routes and words of the peers' own services, besides its own.

    python -m benchmarks.programs.translated_simulator SLOTS MEDIAN_S SPREAD LATENCY_S

Same rules, run times and latency as `simulate`; an answer is only put into other words.  Prints its address.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

import anyio
from msgspec.structs import replace

from batchrunner import event_loop
from batchrunner.simulator import Films, Service, SimulatorSettings, open_simulator, serve
from batchrunner.simulator.wire import Answer, Reply, Request

from ..inputs import MODEL

FAL_WORDS: Final = {"in_queue": "IN_QUEUE", "in_progress": "IN_PROGRESS", "completed": "COMPLETED"}
REPLICATE_WORDS: Final = {"in_queue": "starting", "in_progress": "processing", "completed": "succeeded"}


class Translated:
    """A `Service` that also takes what fal-client and replicate send."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def handle(self, request: Request, now: float) -> Reply:
        path = request.path
        if path == f"/fal/{MODEL}":
            return self._fal_accepted(self._asked(request, now, f"/v1/models/{MODEL}"), request.origin)
        if found := re.fullmatch(r"/fal/requests/([^/]+)(/status)?", path):
            page = "status" if found[2] else "result"
            answer = self._asked(request, now, f"/v1/requests/{found[1]}/{page}")
            return self._fal_status(answer) if found[2] else self._fal_result(answer)
        if path == "/v1/predictions":
            inputs = json.dumps(json.loads(request.body)["input"]).encode()
            return self._prediction(self._asked(replace(request, body=inputs), now, f"/v1/models/{MODEL}"))
        if found := re.fullmatch(r"/v1/predictions/([^/]+)", path):
            return self._prediction_seen(request, now, found[1])
        return self._service.handle(request, now)

    def _asked(self, request: Request, now: float, path: str) -> Answer:
        reply = self._service.handle(replace(request, path=path, query={}), now)
        assert isinstance(reply, Answer)
        return reply

    def _fal_accepted(self, answer: Answer, origin: str) -> Answer:
        request_id = json.loads(answer.body)["request_id"]
        url = f"{origin}/fal/requests/{request_id}"
        links = {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
        return _saying(answer, {"request_id": request_id, **links})

    def _fal_status(self, answer: Answer) -> Answer:
        body = json.loads(answer.body)
        status = FAL_WORDS[body["status"]]
        return _saying(answer, {"status": status, "queue_position": 0, "logs": [], "metrics": {}})

    def _fal_result(self, answer: Answer) -> Answer:
        return _saying(answer, {"video": {"url": json.loads(answer.body)["output"]["video"]}})

    def _prediction(self, answer: Answer, output: str | None = None) -> Answer:
        body = json.loads(answer.body)
        told = {
            "id": body["request_id"], "model": MODEL, "version": "v", "input": {}, "output": output,
            "status": REPLICATE_WORDS[body["status"]], "urls": {}, "logs": "", "error": None, "metrics": {},
            "created_at": None, "started_at": None, "completed_at": None, "source": "api",
        }  # fmt: skip
        return replace(_saying(answer, told), status=200)

    def _prediction_seen(self, request: Request, now: float, request_id: str) -> Answer:
        """Replicate's look brings the result with it."""
        seen = self._asked(request, now, f"/v1/requests/{request_id}/status")
        if json.loads(seen.body)["status"] != "completed":
            return self._prediction(seen)
        result = self._asked(request, now, f"/v1/requests/{request_id}/result")
        return self._prediction(seen, json.loads(result.body)["output"]["video"])


def _saying(answer: Answer, body: dict[str, Any]) -> Answer:
    return replace(answer, body=json.dumps(body).encode())


async def main(slots: str, median_s: str, spread: str, latency_s: str) -> None:
    settings = SimulatorSettings(
        slots=int(slots), service_time_s=float(median_s), spread=float(spread), latency_s=float(latency_s),
        films=Films.TINY,
    )  # fmt: skip
    service: Any = Translated(open_simulator(settings))
    async with anyio.create_task_group() as tasks:
        port = await tasks.start(serve, service)
        print(f"http://127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    event_loop.run(main, *sys.argv[1:])
