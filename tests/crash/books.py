"""The service's books against the user's folder: what must be true after any number of crashes."""

from __future__ import annotations

import hashlib
from collections import Counter

from ..cli.command import Batch
from ..cli.fake_service import FakeService, film_of


def assert_books_agree(batch: Batch, fake: FakeService, *, doubts: int) -> None:
    """Nothing is paid twice or forgotten, at most *doubts* are held, the rest is as if undisturbed."""
    results = batch.results()
    paid = fake.paid
    unknown = {text for text, line in results.items() if line["status"] == "unknown"}
    rest = {text: line for text, line in results.items() if text not in unknown}
    assert {text: n for text, n in paid.items() if n > 1} == {}
    assert {text: fake.posts(text) for text in results if fake.posts(text) > 1} == {}
    assert len(unknown) <= doubts
    assert Counter(line["status"] for line in rest.values()) == Counter({"succeeded": len(rest)})
    for text, line in rest.items():
        assert paid[text] == 1
        assert fake.requests[line["request_id"]].text == text
        (output,) = line["outputs"]
        content = (batch.folder / output["file"]).read_bytes()
        assert output["sha256"] == hashlib.sha256(content).hexdigest()
        assert content == film_of(text)
    assert {path.name for path in (batch.folder / "videos").iterdir()} == {f"{text}.mp4" for text in rest}
