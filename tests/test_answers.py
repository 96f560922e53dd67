"""What an answer means: a law over everything that can come back, then the words one by one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner._types import Output, RequestId
from batchrunner.answers import (
    Answer,
    Endpoint,
    Fault,
    Kind,
    Reply,
    classify,
    request_id_of,
    service_code,
    without_signatures,
    words_of,
)
from batchrunner.errors import ErrorCode
from batchrunner.news import (
    CANCEL_WORDS,
    FAILURE_WORDS,
    QUEUED_WORDS,
    RUNNING_WORDS,
    SUCCESS_WORDS,
    CancelledThere,
    Done,
    Ended,
    FailedThere,
    Gone,
    Running,
    Stop,
    Trouble,
    find_outputs,
    read_result,
    read_status,
)

RID = RequestId("r-1")
LINK = "https://films.example.com/1.mp4"

NOT_ACCEPTED = {Kind.NOT_SENT, Kind.THROTTLED, Kind.UNAVAILABLE, Kind.ACCOUNT, Kind.REFUSED}
SENT_AGAIN = {Kind.NOT_SENT, Kind.THROTTLED, Kind.UNAVAILABLE}

CODES = [400001, 400002, 400004, 400005, 403001, 404001, 10001, 422001, 429001, 500001, 503001, 7]
STATUSES = [200, 201, 202, 204, 301, 302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429]
STATUSES += [500, 501, 502, 503, 504, 520, 524, 529]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TALKING = st.fixed_dictionaries(
    {},
    optional={
        "error_code": st.sampled_from(CODES) | st.sampled_from(CODES).map(str) | JSON,
        "code": st.sampled_from(CODES) | JSON,
        "error_message": JSON,
        "error": JSON,
        "request_id": JSON | st.just("r-1"),
        "status": JSON | st.sampled_from(["completed", "failed", "in_queue"]),
        "output": JSON,
    },
)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    body=TALKING | JSON,
    retry_after_s=st.none() | st.floats(0, 86_400),
) | st.builds(
    Reply,
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    readable=st.just(False),
    retry_after_s=st.none() | st.floats(0, 86_400),
    excerpt=st.text(max_size=20),
)


def submitted(status: int, body: object = None, **more: object) -> Answer:
    readable = body is not None
    return classify(Endpoint.SUBMIT, Reply(status=status, body=body, readable=readable, **more))


def ok(**body: object) -> Answer:
    return classify(Endpoint.RESULT, Reply(status=200, body=body))


# ── laws ──


@given(st.sampled_from(Endpoint), REPLIES | st.sampled_from(Fault))
def test_whatever_comes_back_has_a_meaning_for_every_call(endpoint, reply):
    answer = classify(endpoint, reply)

    assert answer.kind in Kind
    assert answer.kind is Kind.OK or answer.message
    read_status(answer, RID)
    read_result(answer, RID)


@given(REPLIES)
@example(Reply(status=500, body={"error_code": 429001}))
@example(Reply(status=502, body={"error_code": 422001}))
@example(Reply(status=503, body=None, readable=False))
@example(Reply(status=408, body={"error_message": "timeout"}, retry_after_s=1.0))
def test_a_submission_is_sent_again_only_after_a_clear_no(reply):
    answer = classify(Endpoint.SUBMIT, reply)

    if answer.kind in SENT_AGAIN:
        says_no = reply.status == 503 and (reply.retry_after_s is not None or isinstance(reply.body, dict))
        said_by_code = reply.status < 500 and answer.service_code is not None
        assert reply.status == 429 or says_no or said_by_code


@given(REPLIES)
def test_a_submission_without_a_readable_answer_is_in_doubt_unless_the_status_says_no(reply):
    answer = classify(Endpoint.SUBMIT, reply)

    if answer.kind in NOT_ACCEPTED and answer.service_code is None:
        assert 400 <= reply.status < 500 or reply.status == 503
        assert reply.status not in (408, 425)


@given(REPLIES)
def test_an_acceptance_is_exactly_a_good_answer_with_a_request_id(reply):
    answer = classify(Endpoint.SUBMIT, reply)

    has_id = isinstance(reply.body, dict) and request_id_of(reply.body) is not None
    assert (answer.kind is Kind.OK) == (200 <= reply.status < 300 and has_id)


@given(REPLIES)
def test_a_submission_never_gets_a_meaning_that_only_a_look_can_have(reply):
    assert classify(Endpoint.SUBMIT, reply).kind in NOT_ACCEPTED | {Kind.OK, Kind.IN_DOUBT}


@given(st.sampled_from([e for e in Endpoint if e is not Endpoint.SUBMIT]), REPLIES | st.sampled_from(Fault))
def test_only_a_submission_can_be_in_doubt(endpoint, reply):
    assert classify(endpoint, reply).kind is not Kind.IN_DOUBT


# ── submissions ──


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"request_id": "r-1", "status": "in_queue"}, Kind.OK),
        (201, {"request_id": "r-1"}, Kind.OK),
        (200, {"request_id": "r-1", "error_code": 500001}, Kind.OK),  # an id is something to collect
        (200, {"request_id": 4711}, Kind.IN_DOUBT),
        (200, {"request_id": "../../etc"}, Kind.IN_DOUBT),
        (200, {"request_id": ""}, Kind.IN_DOUBT),
        (200, {"request_id": "r" * 129}, Kind.IN_DOUBT),
        (200, {}, Kind.IN_DOUBT),
        (200, [], Kind.IN_DOUBT),
        (200, None, Kind.IN_DOUBT),
        (204, None, Kind.IN_DOUBT),
        (302, None, Kind.IN_DOUBT),
        (400, {"error_code": 400001}, Kind.REFUSED),
        (400, {"error_code": 400002, "error_message": "InsufficientResources"}, Kind.ACCOUNT),
        (400, {"error_code": "400002"}, Kind.ACCOUNT),
        (400, {"code": 400004}, Kind.ACCOUNT),
        (200, {"error_code": 400004}, Kind.ACCOUNT),
        (402, {"code": 10001}, Kind.ACCOUNT),
        (400, {"message": "no such ratio"}, Kind.REFUSED),
        (400, None, Kind.REFUSED),
        (401, None, Kind.ACCOUNT),
        (402, None, Kind.ACCOUNT),
        (403, {"message": "forbidden"}, Kind.ACCOUNT),
        (404, {"error_code": 400001}, Kind.REFUSED),
        (404, None, Kind.REFUSED),
        (408, None, Kind.IN_DOUBT),
        (413, None, Kind.REFUSED),
        (422, {"detail": [{"loc": ["body"], "msg": "too long"}]}, Kind.REFUSED),
        (425, None, Kind.IN_DOUBT),
        (429, None, Kind.THROTTLED),
        (429, {"message": "slow down"}, Kind.THROTTLED),
        (500, {"error_message": "Redis lock timeout"}, Kind.IN_DOUBT),
        (500, None, Kind.IN_DOUBT),
        (502, None, Kind.IN_DOUBT),
        (503, None, Kind.IN_DOUBT),
        (503, {"error_message": "busy"}, Kind.UNAVAILABLE),
        (503, {"error_code": 503001}, Kind.UNAVAILABLE),
        (503, {"ok": False}, Kind.IN_DOUBT),
        (504, {"error_message": "upstream"}, Kind.IN_DOUBT),
        (524, None, Kind.IN_DOUBT),
    ],
)
def test_what_an_answer_to_a_submission_means(status, body, kind):
    assert submitted(status, body).kind is kind


def test_a_503_with_retry_after_is_a_clear_no_even_from_a_proxy():
    assert submitted(503, None, retry_after_s=7.0).kind is Kind.UNAVAILABLE
    assert submitted(502, None, retry_after_s=7.0).kind is Kind.IN_DOUBT


@pytest.mark.parametrize("endpoint", Endpoint)
def test_no_connection_means_that_nothing_was_sent(endpoint):
    assert classify(endpoint, Fault.NOT_SENT).kind is Kind.NOT_SENT


def test_a_lost_answer_is_a_doubt_for_a_submission_and_a_failed_look_for_the_rest():
    meant = {endpoint: classify(endpoint, Fault.LOST, "ReadTimeout").kind for endpoint in Endpoint}

    assert meant.pop(Endpoint.SUBMIT) is Kind.IN_DOUBT
    assert set(meant.values()) == {Kind.UNAVAILABLE}


def test_the_reason_of_a_lost_answer_is_kept():
    assert classify(Endpoint.SUBMIT, Fault.LOST, "ReadTimeout").message == "ReadTimeout"


# ── messages ──


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error_code": 400001, "error_message": "no model"}, "HTTP 400, code 400001: no model"),
        ({"message": " no model "}, "HTTP 400: no model"),
        ({"error": {"message": "no model"}}, "HTTP 400: no model"),
        ({"detail": [{"msg": "too long"}, {"msg": "too wide"}]}, "HTTP 400: too long; too wide"),
        ({"error_message": "", "error": "no model"}, "HTTP 400: no model"),
        ({}, "HTTP 400: no readable answer"),
        ({"id": 7}, 'HTTP 400: {"id": 7}'),
    ],
)
def test_a_refusal_is_told_in_the_services_own_words(body, words):
    assert submitted(400, body).message == words


def test_an_unreadable_body_is_told_by_its_first_characters():
    answer = classify(Endpoint.STATUS, Reply(status=502, readable=False, excerpt="<html>Bad gateway"))

    assert answer.message == "HTTP 502: <html>Bad gateway"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error_code": 400002}, 400002),
        ({"error_code": "400002"}, 400002),
        ({"code": 400002}, 400002),
        ({"error_code": None, "code": 400002}, 400002),
        ({"error_code": True}, None),
        ({"error_code": 0}, None),
        ({"error_code": -4}, None),
        ({"error_code": 4.5}, None),
        ({"code": "GENERATION_FAILED"}, None),
        ({"code": "9" * 5000}, None),
        ({"code": "٤"}, None),
        (None, None),
    ],
)
def test_the_services_code_is_a_positive_number_or_the_text_of_one(body, code):
    assert service_code(body) == code


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("boom", "boom"),
        ("  ", None),
        ({"message": "boom", "details": {"stage": "sampling"}}, "boom"),
        ({"reason": "boom"}, "boom"),
        (["one", {"message": "two"}, "three", "four"], "one; two; three"),
        (7, None),
        (None, None),
    ],
)
def test_words_are_found_in_every_form_an_error_is_given_in(value, words):
    assert words_of(value) == words


@pytest.mark.parametrize(
    "wrap", [lambda inner: [inner], lambda inner: {"message": inner}, lambda inner: {"a": inner}]
)
def test_a_bottomless_error_has_a_meaning_too(wrap):
    bottomless: object = "boom"
    for _ in range(2000):
        bottomless = wrap(bottomless)

    assert submitted(400, {"error": bottomless}).kind is Kind.REFUSED


# ── what a look shows ──


@pytest.mark.parametrize("word", sorted(SUCCESS_WORDS | FAILURE_WORDS))
def test_an_end_word_on_status_is_an_end_of_which_result_will_tell(word):
    assert read_status(ok(status=word), RID) == Ended(failed=word in FAILURE_WORDS)


@pytest.mark.parametrize("read", [read_status, read_result])
def test_the_words_of_an_unfinished_request_mean_wait(read):
    for word in RUNNING_WORDS:
        assert read(ok(status=word), RID) == Running()
    for word in QUEUED_WORDS:
        assert read(ok(status=word, queue_position=3), RID) == Running(in_queue=True, queue_position=3)


@pytest.mark.parametrize("position", [None, True, "3", 2.5])
def test_a_queue_position_that_is_no_number_is_left_out(position):
    assert read_status(ok(status="in_queue", queue_position=position), RID) == Running(in_queue=True)


@pytest.mark.parametrize("read", [read_status, read_result])
@pytest.mark.parametrize("word", sorted(CANCEL_WORDS))
def test_a_cancelled_request_is_cancelled(read, word):
    assert read(ok(status=word), RID) == CancelledThere()


@pytest.mark.parametrize("read", [read_status, read_result])
@pytest.mark.parametrize("word", ["paused", "", None, 7, "completed!"])
def test_an_unknown_word_is_never_taken_for_an_end(read, word):
    news = read(ok(status=word), RID)

    assert isinstance(news, Trouble)
    assert news.answer.kind is Kind.CONTRACT


@pytest.mark.parametrize("word", ["COMPLETED", " Completed\n"])
def test_words_are_read_in_any_case(word):
    assert read_status(ok(status=word), RID) == Ended()


def test_a_finished_request_gives_its_links_and_its_cost():
    news = read_result(ok(request_id=RID, status="succeeded", output={"video": LINK}, cost=0.1), RID)

    assert news == Done(outputs=(Output(key="video", url=LINK),), cost_usd=0.1)


@pytest.mark.parametrize("cost", [None, "0.1", True, -1, float("inf"), float("nan"), [0.1]])
def test_a_cost_that_is_no_amount_is_left_out(cost):
    news = read_result(ok(status="succeeded", output=LINK, cost=cost), RID)

    assert isinstance(news, Done)
    assert news.cost_usd is None


@pytest.mark.parametrize(
    ("error", "code", "message", "number"),
    [
        ("Model run failed", ErrorCode.GENERATION_FAILED, "Model run failed", None),
        ({"message": "boom", "code": 500001}, ErrorCode.GENERATION_FAILED, "boom", 500001),
        ({"code": "FAILED", "message": "boom"}, ErrorCode.GENERATION_FAILED, "boom", None),
        ("blocked by content moderation", ErrorCode.MODERATED, "blocked by content moderation", None),
        ("flagged as sensitive", ErrorCode.MODERATED, "flagged as sensitive", None),
        ("NSFW", ErrorCode.MODERATED, "NSFW", None),
        (None, ErrorCode.GENERATION_FAILED, "the service gives no reason", None),
        ([], ErrorCode.GENERATION_FAILED, "the service gives no reason", None),
    ],
)
def test_a_failed_generation_says_why(error, code, message, number):
    news = read_result(ok(status="failed", error=error), RID)

    assert isinstance(news, FailedThere)
    assert (news.error.code, news.error.message, news.error.service_code) == (code, message, number)


@pytest.mark.parametrize("read", [read_status, read_result])
@pytest.mark.parametrize(
    ("reply", "news"),
    [
        (Reply(status=400, body={"error_code": 400005}), Running),
        (Reply(status=404, body={"error_code": 404001}), Gone),
        (Reply(status=404, readable=False), Trouble),
        (Reply(status=403, body={"error_code": 403001}), Stop),
        (Reply(status=401, readable=False), Stop),
        (Reply(status=400, body={"error_code": 400002}), Stop),
        (Reply(status=400, body={"message": "what?"}), Trouble),
        (Reply(status=429, readable=False), Trouble),
        (Reply(status=500, readable=False), Trouble),
        (Reply(status=302, readable=False), Trouble),
        (Reply(status=200, readable=False), Trouble),
        (Reply(status=200, body=[]), Trouble),
    ],
)
def test_what_an_error_says_about_a_request(read, reply, news):
    assert isinstance(read(classify(Endpoint.STATUS, reply), RID), news)


@pytest.mark.parametrize("read", [read_status, read_result])
def test_an_answer_about_another_request_teaches_nothing(read):
    news = read(ok(request_id="r-2", status="succeeded", output=LINK), RID)

    assert isinstance(news, Trouble)
    assert "r-2" in news.answer.message


# ── outputs ──


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"output": LINK}, [("output", LINK)]),
        ({"output": {"video": LINK}}, [("video", LINK)]),
        ({"output": [LINK, LINK + "?2"]}, [("[0]", LINK), ("[1]", LINK + "?2")]),
        ({"output": {"videos": [{"url": LINK}]}}, [("videos[0].url", LINK)]),
        ({"output": {"result": {"files": [LINK]}}}, [("result.files[0]", LINK)]),
        ({"outputs": {"9": {"images": [LINK]}}}, [("9.images[0]", LINK)]),
        ({"output": {}, "outputs": [LINK]}, [("[0]", LINK)]),
        ({"output": {"video": LINK, "copy": LINK}}, [("video", LINK)]),
        ({"output": "HTTPS://films.example.com/1.mp4"}, [("output", "HTTPS://films.example.com/1.mp4")]),
        ({"output": None}, []),
        ({"output": {"note": "ready", "seconds": 5, "file": "ftp://x/y"}}, []),
        ({"input": {"images": [LINK]}, "result_url": LINK}, []),
        ({}, []),
    ],
)
def test_links_are_found_in_every_shape_the_service_has(body, found):
    assert [(output.key, output.url) for output in find_outputs(body)] == found


def test_a_bottomless_answer_ends():
    bottomless: object = LINK
    for _ in range(5000):
        bottomless = [bottomless]

    assert list(find_outputs({"output": bottomless})) == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("cannot fetch https://b.s3.amazonaws.com/a.png?X-Amz-Date=1&X-Amz-Signature=ab now",
         "cannot fetch https://b.s3.amazonaws.com/a.png?(signed) now"),
        ("'https://storage.googleapis.com/b/a?x=1&X-Goog-Signature=ab'",
         "'https://storage.googleapis.com/b/a?(signed)'"),
        ("https://x.blob.core.windows.net/c/a?sv=2024&sig=ab%3D", "https://x.blob.core.windows.net/c/a?(signed)"),
        ("see https://docs.example.com/?page=design&x=1", "see https://docs.example.com/?page=design&x=1"),
        ("why? nobody knows", "why? nobody knows"),
    ],
)  # fmt: skip
def test_a_message_keeps_no_signed_address(said, kept):
    assert without_signatures(said) == kept
