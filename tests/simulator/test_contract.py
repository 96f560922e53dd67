"""The service's contract, the same in process and over loopback."""

from __future__ import annotations

import io

import av
import pytest
from msgspec.structs import replace

from batchrunner.simulator import SimulatorSettings
from batchrunner.simulator.settings import Films, NoBalance, NotReady, Shape

pytestmark = pytest.mark.anyio

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
AT_ONCE = SimulatorSettings(service_time_s=0.0, spread=0.0, films=Films.TINY)
SLOW = replace(AT_ONCE, service_time_s=60.0, slots=1)


async def test_a_submission_is_answered_with_an_id_and_three_addresses(connect):
    async with connect() as c:
        answer = await c.submit()

    body = answer.json()
    assert answer.status_code == 200
    assert body["status_url"].endswith(f"/v1/requests/{body['request_id']}/status")
    assert body["result_url"].endswith(f"/v1/requests/{body['request_id']}/result")
    assert body["cancel_url"].endswith(f"/v1/requests/{body['request_id']}/cancel")
    assert body["status_url"].startswith(str(c.client.base_url).rstrip("/"))


async def test_every_answer_says_that_it_is_simulated(connect):
    async with connect() as c:
        answers = [await c.submit(), await c.client.get("/v1/models"), await c.client.get("/no/such/page")]

    assert [answer.headers["x-batchrunner-simulator"] for answer in answers] == ["1"] * 3


async def test_the_way_of_a_request_ends_in_a_film_that_plays(connect):
    async with connect() as c:
        request_id = await c.submitted()
        status = (await c.status(request_id)).json()
        film = await c.download(await c.link(request_id))

    assert status["status"] == "completed"
    assert "queue_position" not in status
    assert film.headers["content-type"] == "video/mp4"
    assert int(film.headers["content-length"]) == len(film.content)
    with av.open(io.BytesIO(film.content)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "h264"
    assert frames == 48


async def test_the_second_in_line_says_its_position(connect):
    async with connect(SLOW) as c:
        ids = [await c.submitted(text) for text in ("first", "second", "third")]
        states = [(await c.status(request_id)).json() for request_id in ids]

    assert [state["status"] for state in states] == ["in_progress", "in_queue", "in_queue"]
    assert [state.get("queue_position") for state in states] == [None, 1, 2]


async def test_only_a_queued_request_can_be_cancelled(connect):
    async with connect(SLOW) as c:
        running, waiting = await c.submitted("running"), await c.submitted("waiting")
        refused = await c.client.post(f"/v1/requests/{running}/cancel")
        cancelled = await c.client.post(f"/v1/requests/{waiting}/cancel")
        state = (await c.status(waiting)).json()["status"]

    assert (refused.status_code, refused.json()["outcome"]) == (202, "not_cancellable")
    assert (cancelled.status_code, cancelled.json()["outcome"]) == (202, "cancelled")
    assert state == "cancelled"


async def test_an_early_result_says_the_state_or_that_it_is_not_ready(connect):
    async with connect(SLOW) as c:
        as_state = await c.result(await c.submitted())
    async with connect(replace(SLOW, not_ready=NotReady.ERROR)) as c:
        as_error = await c.result(await c.submitted())

    assert (as_state.status_code, as_state.json()["status"]) == (200, "in_progress")
    assert (as_error.status_code, as_error.json()["error_code"]) == (400, 400005)


async def test_the_cost_is_told_only_when_it_is_asked_for(connect):
    async with connect() as c:
        request_id = (await c.submit(duration=3)).json()["request_id"]
        without = (await c.result(request_id)).json()
        with_cost = (await c.client.get(f"/v1/requests/{request_id}/result?include_cost=true")).json()

    assert "cost" not in without
    assert with_cost["cost"] == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("shape", "links"),
    [
        (Shape.VIDEO, lambda r: [r["output"]["video"]]),
        (Shape.VIDEOS, lambda r: r["output"]["videos"]),
        (Shape.URL, lambda r: [r["output"]]),
        (Shape.LIST, lambda r: r["output"]),
        (Shape.NESTED, lambda r: [file["url"] for file in r["output"]["result"]["files"]]),
        (Shape.OUTPUTS, lambda r: [file["url"] for file in r["outputs"]["9"]["videos"]]),
    ],
)
async def test_links_stand_where_the_shape_says_and_all_work(connect, shape, links):
    async with connect(replace(AT_ONCE, shape=shape, outputs=2)) as c:
        result = (await c.result(await c.submitted())).json()
        downloads = [await c.download(url) for url in links(result)]

    assert len(downloads) == (1 if shape in (Shape.VIDEO, Shape.URL) else 2)
    assert {answer.status_code for answer in downloads} == {200}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/models/no/such-model", 404, 400001),
        ("GET", "/v1/models/no/such-model", 404, 400001),
        ("GET", "/v1/requests/unknown-id/status", 404, 404001),
        ("GET", "/v1/requests/unknown-id/result", 404, 404001),
        ("POST", "/v1/requests/unknown-id/cancel", 404, 404001),
    ],
)
async def test_unknown_names_are_refused_with_the_services_codes(connect, method, path, status, code):
    async with connect() as c:
        answer = await c.client.request(method, path, json={} if method == "POST" else None)

    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


async def test_a_call_without_a_token_is_an_account_error(connect):
    async with connect() as c:
        del c.client.headers["authorization"]
        answer = await c.submit()

    assert (answer.status_code, answer.json()["error_code"]) == (400, 400004)
    assert c.service.accepted == ()


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b'{"text": ', b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_not_accepted(connect, body):
    async with connect() as c:
        answer = await c.client.post(f"/v1/models/{MODEL}", content=body)

    assert answer.status_code == 400
    assert c.service.accepted == ()


async def test_nonsense_values_are_queued_unless_the_service_is_strict(connect):
    async with connect() as c:
        lax = await c.submit(ratio="__probe__")
    async with connect(replace(AT_ONCE, strict=True)) as c:
        strict = await c.submit(ratio="__probe__")
        fine = await c.submit(ratio="16:9")

    assert (lax.status_code, strict.status_code, fine.status_code) == (200, 422, 200)
    assert "16:9" in strict.text


async def test_the_catalogue_knows_the_bundled_model_its_price_and_its_schema(connect):
    async with connect() as c:
        entry = (await c.client.get(f"/v1/models/{MODEL}")).json()
        page = (await c.client.get("/v1/models?search=seedance-1-0&limit=10")).json()
        categories = (await c.client.get("/v1/models/categories")).json()

    assert (entry["base_price_usd"], entry["price_unit"]) == (0.02, "second")
    assert entry["input_schema"]["properties"]["text"]["maxLength"] == 500
    assert [model["model_id"] for model in page["models"]] == [MODEL]
    assert "input_schema" not in page["models"][0]
    assert "reference-to-video" in categories["categories"]


async def test_the_balance_falls_with_each_acceptance_until_nothing_is_accepted(connect):
    async with connect(replace(AT_ONCE, balance_usd=0.25)) as c:
        answers = [await c.submit(duration=5) for _ in range(3)]
        balance = (await c.client.get("/prod/v2/balance")).json()

    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert answers[2].json()["error_code"] == 400002
    assert balance == {"balance_usd": 0.05, "balance_microdollars": 50_000, "currency": "USD"}


async def test_an_image_model_gives_a_picture(connect):
    model = "bytedance/seedream-4-0/text-to-image"
    async with connect(replace(AT_ONCE, models={model: {}})) as c:
        answer = await c.client.post(f"/v1/models/{model}", json={"prompt": "a fox"})
        url = (await c.result(answer.json()["request_id"])).json()["output"]["image"]
        picture = await c.download(url)

    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")


async def test_a_link_is_only_good_with_its_secret_part(connect):
    async with connect() as c:
        url = await c.link(await c.submitted())
        good, secret = await c.download(url), url.split("/")[4]
        guessed = await c.download(url.replace(secret, "guessed"))

    assert (good.status_code, guessed.status_code) == (200, 404)


async def test_the_inspection_page_proves_what_was_accepted_and_counted(connect):
    async with connect() as c:
        request_id = await c.submitted("a fox")
        await c.download(await c.link(request_id))
        seen = (await c.client.get("/_simulator/requests")).json()

    (request,) = seen["requests"]
    assert (request["request_id"], request["inputs"]["text"]) == (request_id, "a fox")
    assert request["state"] == "completed"
    counters = seen["counters"]
    assert (counters["posts"], counters["accepted"], counters["results"], counters["downloads"]) == (
        1,
        1,
        1,
        1,
    )


async def test_a_token_at_a_file_host_is_noticed_and_never_kept_itself(connect):
    async with connect() as c:
        url = await c.link(await c.submitted())
        await c.download(url)
        careful = set(c.service.sight.tokens_at_files)
        await c.client.get(url)
        seen = (await c.client.get("/_simulator/requests")).text

    assert careful == set()
    assert c.service.sight.tokens_at_files == c.service.sight.tokens
    assert "test-token" not in seen


async def test_faults_can_be_added_and_taken_away_while_it_runs(connect):
    async with connect() as c:
        added = await c.client.post("/_simulator/faults", json=["submit throttled times=always"])
        disturbed = await c.submit()
        await c.client.delete("/_simulator/faults")
        undisturbed = await c.submit()
        refused = await c.client.post("/_simulator/faults", json=["submit explode"])

    assert added.json() == {"faults": 1}
    assert (disturbed.status_code, undisturbed.status_code) == (429, 200)
    assert refused.status_code == 400
    assert "explode" in refused.json()["error_message"]


@pytest.mark.parametrize(
    ("no_balance", "status", "code"), [(NoBalance.CODE, 400, 400002), (NoBalance.HTTP, 402, None)]
)
async def test_an_empty_account_is_refused_in_either_of_the_ways_that_were_met(
    connect, no_balance, status, code
):
    async with connect(replace(AT_ONCE, balance_usd=0.05, no_balance=no_balance)) as c:
        answer = await c.submit()

    assert (answer.status_code, answer.json().get("error_code")) == (status, code)


async def test_each_model_is_billed_by_its_own_unit(connect):
    posted = {
        "bytedance/seedance-2.5/image-to-video/720p": ({"prompt": "x", "duration": 4}, 1.4),
        "google/nano-banana-2/text-to-image": ({"prompt": "x", "num_images": 3}, 0.24),
        "blackforestlabs/flux-2/flash/text-to-image": ({"prompt": "x"}, 0.005),
        "bytedance/seedream-4-5/edit": ({"prompt": "x"}, 0.03),  # of which the catalogue says nothing
    }
    async with connect(AT_ONCE) as c:
        costs = {}
        for model, (inputs, _) in posted.items():
            request_id = (await c.client.post(f"/v1/models/{model}", json=inputs)).json()["request_id"]
            result = await c.client.get(f"/v1/requests/{request_id}/result?include_cost=true")
            costs[model] = result.json()["cost"]
        unpriced = (await c.client.get("/v1/models/bytedance/seedream-4-5/edit")).json()

    assert costs == {model: cost for model, (_, cost) in posted.items()}
    assert unpriced["base_price_usd"] is None
