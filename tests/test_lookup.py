"""The catalogue's answers: asked for once a day, anew for a run, and old ones when nobody answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from batchrunner.client import Client
from batchrunner.errors import AccountRefused
from batchrunner.folder.folder import Folder
from batchrunner.lookup import CatalogueSilent, Lookup
from batchrunner.models.schemas import Missing
from batchrunner.service import Service

SCHEMA = {"properties": {"prompt": {"type": "string"}}}


class Wired(Service, frozen=True, kw_only=True):
    """A service elsewhere, whose wire ends in a function."""

    answer: Callable[[httpx.Request], httpx.Response]

    @asynccontextmanager
    async def connected(self, folder: Folder | None) -> AsyncIterator[Client]:
        async with Client(self.base_url, self.token, transport=httpx.MockTransport(self.answer)) as client:
            yield client


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Make lookups of one service that answers as told, and count what it was asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    class Asked:
        paths: list[str] = []  # noqa: RUF012 (one a test)
        reply = httpx.Response(200, json={"model_id": "a/b", "input_schema": SCHEMA})
        remarks: list[str] = []  # noqa: RUF012

        def __call__(self, *, token: str = "t", refresh: bool = False) -> Lookup:
            def answer(request: httpx.Request) -> httpx.Response:
                self.paths.append(request.url.path)
                return self.reply

            service = Wired(base_url="https://api.example.com", token=token, answer=answer)
            return Lookup(service=service, refresh=refresh, remark=self.remarks.append)

    Asked.paths, Asked.remarks = [], []
    return Asked()


def test_what_was_read_today_is_asked_for_again_only_by_who_wants_it_anew(asked):
    schemas = [asked().schema("a/b"), asked().schema("a/b")]
    assert schemas == [SCHEMA, SCHEMA]
    assert asked.paths == ["/v1/models/a/b"]

    asked(refresh=True).schema("a/b")

    assert len(asked.paths) == 2


def test_what_is_older_than_a_day_is_asked_for_again(asked):
    asked().service.catalogue.put("a/b", {"input_schema": {}}, now=time.time() - 86_401)

    assert asked().schema("a/b") == SCHEMA


def test_an_old_answer_serves_with_its_age_when_nobody_answers(asked):
    asked().service.catalogue.put("a/b", {"input_schema": SCHEMA}, now=time.time() - 200_000)

    assert asked(token="").schema("a/b") == SCHEMA
    assert "ago" in asked.remarks[0]
    assert asked.paths == []


def test_without_a_token_and_without_memory_the_reason_is_said(asked):
    missing = asked(token="").schema("a/b")

    assert isinstance(missing, Missing)
    assert "no RunComfy token" in missing.why


def test_a_model_that_is_not_known_any_more_is_not_taken_from_memory(asked):
    asked().schema("a/b")
    asked.reply = httpx.Response(404, json={"error_code": 400001, "error_message": "no such model"})

    with pytest.raises(CatalogueSilent, match="does not know a/b"):
        asked(refresh=True).entry("a/b")


def test_a_refused_token_is_no_question_of_the_model(asked):
    asked.reply = httpx.Response(401, json={"message": "who are you?"})

    with pytest.raises(AccountRefused):
        asked().schema("a/b")
