"""Ways for the fake service to answer one request: as it should, late, wrongly, half or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .fake_service import Exchange

FILM = (Path(__file__).parents[2] / "batchrunner/simulator/tiny.mp4").read_bytes()

Act: TypeAlias = "Callable[[Exchange], object]"


def answers(status: int, body: object = b"", **headers: str) -> Act:
    """Answer so, and accept nothing."""
    return lambda exchange: exchange.reply(status, body, **headers)


def accepts_and(then: Act) -> Act:
    """Take the submission, and let *then* be all that the client hears of it."""

    def act(exchange: Exchange) -> None:
        exchange.accept()
        then(exchange)

    return act


def usual(exchange: Exchange) -> None:
    exchange.usual()


def hangs_up(exchange: Exchange) -> None:
    exchange.hang_up()


def resets(exchange: Exchange) -> None:
    exchange.hang_up(reset=True)


def says_nothing(exchange: Exchange) -> None:
    exchange.hold()


def later(seconds: float, then: Act = usual) -> Act:
    """Answer, but only after *seconds*."""

    def act(exchange: Exchange) -> None:
        exchange.fake.closing.wait(seconds)
        then(exchange)

    return act


def status(word: str, **more: object) -> Act:
    """Give the status *word* to a look at ``/status`` or ``/result``."""

    def act(exchange: Exchange) -> None:
        assert exchange.request is not None
        exchange.reply(200, {"request_id": exchange.request.id, "status": word, **more})

    return act


def film(content: bytes, **headers: str) -> Act:
    """Send *content* as the film, whole."""
    return lambda exchange: exchange.reply(200, content, Content_Type="video/mp4", **headers)


def cut_film(size: int, promised: int = len(FILM)) -> Act:
    """Promise *promised* bytes and hang up after *size*."""

    def act(exchange: Exchange) -> None:
        exchange.start(200, {"Content-Length": str(promised), "Content-Type": "video/mp4"})
        exchange.write(FILM[:size])
        exchange.hang_up()

    return act
