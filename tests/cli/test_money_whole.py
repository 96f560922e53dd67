"""The whole way of the money: planned with reasons and price, run under a cap, edited, planned again."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from batchrunner.ledger import Store
from batchrunner.simulator import FileMemory

SEEDANCE = "bytedance/seedance-1-0/lite/reference-to-video"
FILM = "bytedance/seedance-2.5/image-to-video/720p"
STILL = "google/nano-banana-2/text-to-image"
QUICK = "blackforestlabs/flux-2/flash/text-to-image"
UNPRICED = "bytedance/seedream-4-5/edit"
IMAGE = "https://images.example.com/a.png"


def rows():
    for n in range(3):
        yield {"id": f"lite-{n}", "model": SEEDANCE, "text": "a fox", "images": [IMAGE], "duration": 2 + n}
        yield {"id": f"still-{n}", "model": STILL, "prompt": "a fox", "num_images": 1 + n % 3}
        yield {"id": f"quick-{n}", "model": QUICK, "prompt": "a fox", "seed": n}
    yield {"id": "film", "model": FILM, "prompt": "a fox", "image": IMAGE, "duration": 4}
    yield {"id": "edit", "model": UNPRICED, "prompt": "a fox", "images": [IMAGE]}


LITE = 0.02 * (2 + 3 + 4)
STILLS = 0.08 * (1 + 2 + 3)
QUICKS = 0.005 * 3
PRICED = round(LITE + STILLS + QUICKS + 0.35 * 4, 6)


def write(path, jobs):
    path.write_text("".join(json.dumps(row) + "\n" for row in jobs))


def billed(folder) -> tuple[int, int]:
    """What the service has billed, and what the ledger says: in micro-dollars."""
    with closing(FileMemory(folder / "simulator.sqlite")) as memory:
        theirs = sum(round(record.cost_usd * 1_000_000) for record in memory.load())
    with closing(Store.read_only(folder / "ledger.sqlite")) as store:
        assert store.reserved_micros() == 0
        return theirs, round((store.cost_usd() or 0) * 1_000_000)


@pytest.mark.slow
def test_mixed_models_are_planned_capped_edited_and_add_up_to_what_the_service_billed(here):
    simulated = ("--simulate", "--poll-interval", "0.05", "--progress", "none")
    order = ("run", here.manifest, "-o", here.folder, *simulated, "--concurrency", 20)
    write(here.manifest, rows())

    # Planned: what is known has its price, what is not has none, and nothing is invented.
    plan = here("plan", here.manifest, "-o", here.folder, "--simulate", "--json").json
    costs = {line["model"]: line["cost_usd"] for line in plan["costs"]}
    assert (plan["reasons"], plan["cost_usd"]) == ({"new": 11}, None)
    assert {model: round(cost, 6) for model, cost in costs.items() if cost is not None} == {
        SEEDANCE: round(LITE, 6), STILL: round(STILLS, 6), QUICK: round(QUICKS, 6), FILM: 1.4
    }  # fmt: skip
    assert costs[UNPRICED] is None

    # A cap cannot be kept where a price is not known; with one it is, at full concurrency.
    assert here(*order, "--max-cost", "0.5").code == 2
    capped = here(*order, "--max-cost", "0.5", "--price", "0.03")
    theirs, ours = billed(here.folder)
    assert capped.code == 75
    assert 0 < theirs == ours <= 500_000

    # The rest under a cap that is enough to the cent.
    whole = PRICED + 0.03
    rest = here(*order, "--max-cost", f"{whole:.6f}", "--price", "0.03")
    theirs, ours = billed(here.folder)
    assert rest.code == 0
    assert theirs == ours == round(whole * 1_000_000)

    # Edited: the fields that changed are named, and only these jobs cost again.
    edited = [row | ({"duration": 9} if row["id"] == "lite-0" else {}) for row in rows()]
    edited = [row | ({"prompt": "an owl"} if row["id"] == "quick-2" else {}) for row in edited]
    write(here.manifest, edited)
    again = here("plan", here.manifest, "-o", here.folder, "--simulate", "--json").json
    assert again["reasons"] == {"edited": 2, "done": 9}
    assert [edit["changes"] for edit in again["edits"]] == ["duration 2 → 9", "prompt a fox → an owl"]
    assert again["cost_usd"] == 0.185
    assert again["estimated_s"] is not None

    assert here(*order, "--max-cost", f"{whole + 0.185:.6f}", "--price", "0.03").code == 0
    theirs, ours = billed(here.folder)
    assert theirs == ours == round((whole + 0.185) * 1_000_000)
