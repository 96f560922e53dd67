"""Each fault does what it says, the same in process and over loopback, as httpx shows it to a client."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

pytestmark = pytest.mark.anyio

GONE = (httpx.RemoteProtocolError, httpx.ReadError)
MODEL = "bytedance/seedance-1-0/lite/reference-to-video"

SILENCES = [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError), ("hang", httpx.ReadTimeout)]


@pytest.mark.parametrize(("what", "error"), SILENCES)
@pytest.mark.parametrize("accepted", ["yes", "no"])
async def test_a_lost_answer_leaves_the_submission_accepted_or_not(connect, what, error, accepted):
    async with connect(faults=[f"submit {what} accepted={accepted}"]) as c:
        with pytest.raises(error):
            await c.submit()
        after = await c.submit("another")

    assert after.status_code == 200
    assert len(c.service.accepted) == (2 if accepted == "yes" else 1)


@pytest.mark.parametrize(("what", "error"), SILENCES)
@pytest.mark.parametrize("at", ["status", "result", "model", "file"])
async def test_every_endpoint_can_fall_silent(connect, at, what, error):
    async with connect(faults=[f"{at} {what} skip={1 if at == 'result' else 0}"]) as c:
        request_id = await c.submitted()
        url = await c.link(request_id)
        calls = {
            "status": lambda: c.status(request_id),
            "result": lambda: c.result(request_id),
            "model": lambda: c.client.get(f"/v1/models/{MODEL}"),
            "file": lambda: c.download(url),
        }
        with pytest.raises(error):
            await calls[at]()
        again = await calls[at]()

    assert again.status_code == 200


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 503, 504])
async def test_any_status_can_be_answered_without_accepting(connect, status):
    async with connect(faults=[f"submit answer status={status}"]) as c:
        answer = await c.submit()

    assert answer.status_code == status
    assert c.service.accepted == ()


@pytest.mark.parametrize("status", [200, 408, 500, 502, 504])
async def test_any_status_can_be_answered_after_accepting(connect, status):
    async with connect(faults=[f"submit answer status={status} body=html accepted=yes"]) as c:
        answer = await c.submit()

    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html")
    assert len(c.service.accepted) == 1


@pytest.mark.parametrize(
    ("spec", "status", "body"),
    [
        ("no-balance", 400, {"error_code": 400002, "error_message": "InsufficientResources"}),
        ("bad-token", 400, {"error_code": 400004, "error_message": "UserAccountError"}),
        ("bad-token body=code", 400, {"code": 400004, "error": "UserAccountError"}),
        ("bad-token status=200", 200, {"error_code": 400004, "error_message": "UserAccountError"}),
        ("answer status=401 body=message message=no", 401, {"message": "no"}),
        ("lock-timeout", 500, {"error_message": "Redis lock timeout"}),
        ("answer status=200 body=object", 200, {}),
        ("answer status=200 body=list", 200, []),
    ],
)
async def test_errors_come_in_the_services_own_words(connect, spec, status, body):
    async with connect(faults=[f"submit {spec}"]) as c:
        answer = await c.submit()

    assert (answer.status_code, answer.json()) == (status, body)


async def test_a_refusal_of_inputs_has_the_detail_array(connect):
    async with connect(faults=["submit refused message='text is too long'"]) as c:
        answer = await c.submit()

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "text is too long"


@pytest.mark.parametrize("body", ["html", "empty", "cut", "text"])
async def test_a_body_can_be_no_json_at_all(connect, body):
    async with connect(faults=[f"submit answer status=200 body={body} accepted=yes"]) as c:
        answer = await c.submit()

    with pytest.raises(ValueError):
        answer.json()
    assert len(c.service.accepted) == 1


async def test_a_huge_body_has_the_size_that_was_asked_for(connect):
    async with connect(faults=["submit huge size=3000000"]) as c:
        answer = await c.submit()

    assert len(answer.content) > 3_000_000


@pytest.mark.parametrize(("spec", "id_"), [("no-id", None), ("odd-id", 4711)])
async def test_an_acceptance_can_lack_a_usable_id(connect, spec, id_):
    async with connect(faults=[f"submit {spec}"]) as c:
        answer = await c.submit()

    assert answer.status_code == 200
    assert answer.json().get("request_id") == id_
    assert len(c.service.accepted) == 1


async def test_retry_after_comes_in_seconds_as_a_date_or_not_at_all(connect):
    lines = ["submit throttled retry-after=7", "submit unavailable retry-after=date:60", "submit throttled"]
    async with connect(faults=lines) as c:
        seconds, date, none = [await c.submit() for _ in range(3)]

    assert seconds.headers["retry-after"] == "7"
    assert parsedate_to_datetime(date.headers["retry-after"]).timestamp() == pytest.approx(
        time.time() + 60, abs=10
    )
    assert "retry-after" not in none.headers


async def test_a_redirect_leads_where_it_was_told_to(connect):
    async with connect(faults=["submit redirect to=https://other.example.com/x"]) as c:
        answer = await c.submit()

    assert (answer.status_code, answer.headers["location"]) == (302, "https://other.example.com/x")


@pytest.mark.parametrize(
    ("spec", "status", "body"),
    [
        ("word word=paused", 200, {"status": "paused"}),
        ("upper", 200, {"status": "COMPLETED"}),
        ("cancelled", 200, {"status": "cancelled"}),
        ("failed message=boom", 200, {"status": "failed", "error": "boom"}),
        ("gone", 404, {"error_code": 404001}),
        ("foreign", 403, {"error_code": 403001}),
        ("not-ready", 400, {"error_code": 400005}),
    ],
)
async def test_a_status_can_be_told_wrongly(connect, spec, status, body):
    async with connect(faults=[f"status {spec}"]) as c:
        request_id = await c.submitted()
        wrong, right = await c.status(request_id), await c.status(request_id)

    assert wrong.status_code == status
    assert body.items() <= wrong.json().items()
    assert right.json()["status"] == "completed"


async def test_a_result_can_fail_with_a_text_an_object_or_moderation_words(connect):
    lines = ["result failed message=boom", "result failed error=object message=boom", "result moderated"]
    async with connect(faults=lines) as c:
        request_id = await c.submitted()
        text, structured, moderated = [(await c.result(request_id)).json() for _ in range(3)]

    assert {answer["status"] for answer in (text, structured, moderated)} == {"failed"}
    assert not any("output" in answer for answer in (text, structured, moderated))
    assert text["error"] == "boom"
    assert structured["error"]["message"] == "boom"
    assert "moderation" in moderated["error"]


async def test_a_result_can_be_done_without_a_link_for_a_while(connect):
    async with connect(faults=["result no-output times=2"]) as c:
        request_id = await c.submitted()
        outputs = [(await c.result(request_id)).json()["output"] for _ in range(3)]

    assert outputs[:2] == [{}, {}]
    assert "video" in outputs[2]


async def test_a_result_can_contradict_the_status(connect):
    async with connect(faults=["result word word=in_progress"]) as c:
        request_id = await c.submitted()
        said = [(await c.status(request_id)).json()["status"], (await c.result(request_id)).json()["status"]]

    assert said == ["completed", "in_progress"]


async def test_a_dead_link_stays_dead_until_the_result_is_read_again(connect):
    async with connect(faults=["file dead status=403"]) as c:
        request_id = await c.submitted()
        old = await c.link(request_id)
        killed, still = await c.download(old), await c.download(old)
        fresh = await c.link(request_id)
        good, stale = await c.download(fresh), await c.download(old)

    assert (killed.status_code, still.status_code) == (403, 404)
    assert fresh != old
    assert (good.status_code, stale.status_code) == (200, 404)


async def test_a_late_answer_comes_after_its_seconds(connect):
    async with connect(faults=["status late seconds=30"]) as c:
        request_id = await c.submitted()
        with pytest.raises(httpx.ReadTimeout):
            await c.status(request_id)


CUTS = [
    ("cut size=100", httpx.RemoteProtocolError),
    ("cut size=100 framing=chunked", httpx.RemoteProtocolError),
    ("cut size=100 ending=stall", httpx.ReadTimeout),
    ("cut size=100 framing=chunked ending=stall", httpx.ReadTimeout),
    ("cut size=100 ending=reset", httpx.ReadError),
]


@pytest.mark.parametrize(("spec", "error"), CUTS)
async def test_a_cut_film_is_noticed_where_http_tells_the_end(connect, spec, error):
    async with connect(faults=[f"file {spec}"]) as c:
        url = await c.link(await c.submitted())
        with pytest.raises(error):
            await c.download(url)
        whole = await c.download(url)

    assert whole.status_code == 200


async def test_a_cut_film_without_a_length_looks_whole(connect):
    async with connect(faults=["file cut size=100 framing=close"]) as c:
        url = await c.link(await c.submitted())
        cut, whole = await c.download(url), await c.download(url)

    assert cut.content == whole.content[:100]


@pytest.mark.parametrize(
    ("spec", "spoiled"),
    [
        ("zero-tail size=50", lambda film: film[:-50] + bytes(50)),
        ("gzip", lambda film: film),  # the client unpacks it; only the headers differ
        ("answer status=200 body=empty", lambda film: b""),
    ],
)
async def test_a_film_can_arrive_spoiled(connect, spec, spoiled):
    async with connect(faults=[f"file {spec}"]) as c:
        url = await c.link(await c.submitted())
        bad, good = await c.download(url), await c.download(url)

    assert bad.status_code == 200
    assert bad.content == spoiled(good.content)


async def test_a_compressed_film_says_so(connect):
    async with connect(faults=["file gzip"]) as c:
        answer = await c.download(await c.link(await c.submitted()))

    assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_film_can_be_longer_than_it_is(connect, framing):
    async with connect(faults=[f"file longer size=4096 framing={framing}"]) as c:
        url = await c.link(await c.submitted())
        longer, whole = await c.download(url), await c.download(url)

    assert longer.content.startswith(whole.content)
    assert len(longer.content) == len(whole.content) + 4096
    assert ("content-length" in longer.headers) is (framing == "length")


@pytest.mark.parametrize("body", ["html", "service"])
async def test_another_page_can_stand_in_for_the_film(connect, body):
    async with connect(faults=[f"file answer status=200 body={body}"]) as c:
        answer = await c.download(await c.link(await c.submitted()))

    assert answer.status_code == 200
    assert answer.content[:1] in (b"<", b"{")


@pytest.mark.parametrize(
    ("spec", "status"), [("ignore-range", 200), ("other-etag", 206), ("unsatisfiable", 416)]
)
async def test_faults_of_ranges_wait_for_a_range(connect, spec, status):
    async with connect(faults=[f"file {spec}"]) as c:
        url = await c.link(await c.submitted())
        whole = await c.download(url)
        etag = whole.headers["etag"]
        part = await c.download(url, **{"Range": "bytes=10-", "If-Range": etag})
        good = await c.download(url, **{"Range": "bytes=10-", "If-Range": etag})

    assert whole.status_code == 200
    assert part.status_code == status
    assert spec != "other-etag" or part.headers["etag"] != etag
    assert (good.status_code, good.content) == (206, whole.content[10:])


async def test_a_slow_film_takes_its_time(connect):
    async with connect(faults=["file trickle rate=20000"]) as c:
        url = await c.link(await c.submitted())
        before = time.monotonic()
        slow = await c.download(url)
        took_s = time.monotonic() - before

    assert took_s >= len(slow.content) / 20_000 * 0.9


async def test_in_an_outage_nobody_listens_and_afterwards_all_is_as_before(connect):
    async with connect() as c:
        request_id = await c.submitted()
        await c.client.post("/_simulator/faults", json="any away until=0.3")
        with pytest.raises((httpx.ConnectError, *GONE)):  # the first one may meet the old connection
            await c.status(request_id)
        with pytest.raises(httpx.ConnectError):
            await c.status(request_id)
        deadline = time.monotonic() + 10
        while not await _is_back(c, request_id) and time.monotonic() < deadline:
            pass
        after = await c.status(request_id)

    assert after.json()["status"] == "completed"


async def _is_back(c, request_id):
    try:
        return (await c.status(request_id)).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_film_can_be_behind_a_redirect_to_the_same_host(connect):
    async with connect(faults=["file redirect to=?again=1"]) as c:
        url = await c.link(await c.submitted())
        redirect = await c.download(url)
        film = await c.download(str(redirect.next_request.url))

    assert redirect.status_code == 302
    assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
