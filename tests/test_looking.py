"""``--check-images``: each address once, as anybody could fetch it, and judged by its bytes."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from batchrunner._types import Place
from batchrunner.client import Client
from batchrunner.errors import ManifestInvalid
from batchrunner.looking import Sighting, check_images, sightings
from batchrunner.models import InputSchema, Schemas
from batchrunner.models.images import HEAD_BYTES, MOST_BYTES, image_addresses

from .builders import MODEL
from .doubles import in_virtual_time

PNG = b"\x89PNG\r\n\x1a\n" + bytes(10_000)
GOOD = [PNG, b"\xff\xd8\xff\xe0" + bytes(99), b"GIF89a" + bytes(9), b"RIFF\0\0\0\0WEBPVP8 ",
        b"BM" + bytes(60), b"\0\0\0\x1cftypavif" + bytes(20), b"II*\0" + bytes(20)]  # fmt: skip


def seen(address: str, row: int = 2, **more) -> Sighting:
    place = Place(file="jobs.csv", line=row, row=row)
    return Sighting(**{"address": address, "place": place, "id": f"job-{row}", "field": "images[0]", **more})


def look(handler, *found: Sighting):
    """Look at these images of a host that answers so; return (the problems, the requests)."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return handler(request)

    async def scenario():
        async with Client(
            "https://api.test", "secret-token", transport=httpx.MockTransport(answer)
        ) as client:
            try:
                await check_images(client, found)
            except ManifestInvalid as error:
                return error.problems
            return ()

    return in_virtual_time(scenario), requests


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in pieces, and of which nobody need take the last."""

    def __init__(self, content: bytes) -> None:
        self._left = [content[at : at + 1000] for at in range(0, len(content), 1000)]

    def __aiter__(self):
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)


def whole(content: bytes, **headers: str) -> httpx.Response:
    """The answer of a host that knows nothing of ranges."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, stream=Pieces(content), headers=named)


def part(content: bytes, size: int | None = None) -> httpx.Response:
    head = content[:HEAD_BYTES]
    total = len(content) if size is None else size
    span = {"content-range": f"bytes 0-{len(head) - 1}/{total}"}
    return httpx.Response(206, stream=Pieces(head), headers=span)


@pytest.mark.parametrize("content", GOOD)
@pytest.mark.parametrize("ranged", [True, False])
def test_an_image_is_known_by_its_bytes_whatever_its_host_calls_it(content, ranged):
    reply = part(content) if ranged else whole(content)
    reply.headers["content-type"] = "text/html"

    problems, _ = look(lambda request: reply, seen("https://e.com/a"))

    assert problems == ()


BAD = {
    "a page": (httpx.Response(200, content=b"<!DOCTYPE html><html>log in</html>"), "web page"),
    "nothing": (httpx.Response(200, content=b""), "no bytes"),
    "a film": (httpx.Response(200, content=b"\0\0\0\x18ftypisom" + bytes(50)), "not an image"),
    "a login": (httpx.Response(401), "login"),
    "a block": (httpx.Response(403), "login, or blocks"),
    "gone": (httpx.Response(404), "nothing at this address"),
    "too large": (part(PNG, MOST_BYTES + 1), "at most 50 MB"),
    "too large, said otherwise": (whole(PNG, content_length="60000000"), "60.0 MB"),
    "a loop": (httpx.Response(302, headers={"location": "https://e.com/a"}), "redirects"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_the_service_could_not_use_is_a_problem_of_its_row(case):
    reply, words = BAD[case]

    problems, _ = look(lambda request: reply, seen("https://e.com/a", 7))

    [problem] = problems
    assert words in problem.message
    assert (problem.place.row, problem.id, problem.field) == (7, "job-7", "images[0]")
    assert problem.hint


def test_each_address_is_looked_at_once_and_each_row_that_uses_it_is_named():
    found = [seen(f"https://e.com/{row % 3}", row) for row in range(30)]

    problems, requests = look(lambda request: httpx.Response(404), *found)

    assert Counter(str(request.url) for request in requests) == {f"https://e.com/{n}": 1 for n in range(3)}
    assert [problem.place.row for problem in problems] == list(range(30))


def test_no_look_carries_a_login():
    _, requests = look(lambda request: part(PNG), seen("https://e.com/a"))

    [request] = requests
    assert "authorization" not in request.headers
    assert request.headers["range"] == f"bytes=0-{HEAD_BYTES - 1}"


@pytest.mark.parametrize(
    "trouble", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("no route")]
)
def test_a_host_that_is_busy_gets_another_look(trouble):
    answers = [trouble, part(PNG)]

    def answer(request):
        reply = answers.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    problems, requests = look(answer, seen("https://e.com/a"))

    assert (problems, len(requests)) == ((), 2)


def test_a_host_that_stays_away_is_a_problem():
    def answer(request):
        raise httpx.ConnectError("no route")

    problems, requests = look(answer, seen("https://e.com/a"))

    assert "cannot be reached" in problems[0].message
    assert len(requests) == 3


def test_images_are_found_by_the_schema_wherever_they_stand():
    uri = {"type": "string", "format": "image_uri"}
    schema = InputSchema.parse(
        "m",
        {
            "properties": {
                "image": {"anyOf": [{"type": "null"}, uri]},
                "film": {"type": "string", "format": "video_uri"},
                "images": {"type": "array", "format": "image_uris", "items": {"type": "string"}},
                "lora": {"type": "object", "properties": {"cover": uri}},
                "text": {"type": "string"},
            }
        },
    )
    inputs = {
        "image": "https://e.com/1",
        "images": ["https://e.com/2", "https://e.com/3"],
        "lora": {"cover": "https://e.com/4"},
        "film": "https://e.com/5",
        "text": "https://e.com/6",
    }

    assert [field for field, _ in image_addresses(schema, inputs)] == [
        "image", "images[0]", "images[1]", "lora.cover"
    ]  # fmt: skip


def test_a_jobs_row_and_id_go_with_its_images():
    jobs = [("fox", "jobs.csv", 9, MODEL, {"text": "x", "images": ["https://e.com/a"]})]

    [one] = sightings(jobs, Schemas())

    assert (one.id, one.place.row, one.field, one.address) == ("fox", 9, "images[0]", "https://e.com/a")
