"""What never counts as a film, however often and under whatever name it is sent."""

from __future__ import annotations

import pytest

from .acts import FILM, answers, cut_film, film, hangs_up

PAGE = b"<!DOCTYPE html><html><body>please log in</body></html>"

BAD = {
    "a page": film(PAGE),
    "json": film(b'{"error": "expired"}'),
    "empty": film(b""),
    "cut with a length": cut_film(len(FILM) // 2),
    "cut without": film(FILM[: len(FILM) // 2]),
    "zero tail": film(FILM[:-900] + b"\0" * 900),
    "half a box": film(FILM[:40]),
    "gone": answers(404, PAGE),
    "a door": hangs_up,
    "500": answers(500, PAGE),
}


@pytest.mark.slow
def test_what_is_no_whole_film_never_counts_and_never_causes_a_second_generation(batch, fake):
    batch.write(*BAD, "fox")
    for text, act in BAD.items():
        fake.always("film", act, text=text)

    outcome = batch.run("--concurrency", 16, "--downloads", 16)  # six tries each, with growing pauses
    results = batch.results()
    fake.mend()
    mended = batch.run("--downloads", 16)

    names = {path.name for path in (batch.folder / "videos").iterdir()}
    assert outcome.code == 75
    assert {name: results[name]["status"] for name in BAD} == dict.fromkeys(BAD, "ready")
    assert {results[name]["error"]["code"] for name in BAD} == {"download_failed", "bad_output"}
    assert all(len(fake.calls("film", name)) >= 6 for name in BAD)
    assert all(output["file"] is None for name in BAD for output in results[name]["outputs"])
    assert results["fox"]["status"] == "succeeded"
    assert mended.code == 0
    assert fake.paid == dict.fromkeys([*BAD, "fox"], 1)
    assert names == {f"{name}.mp4" for name in [*BAD, "fox"]}
