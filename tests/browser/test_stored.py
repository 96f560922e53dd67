"""A film that is in the store only: the report says where, and gives an address where one was asked for."""

from __future__ import annotations

from contextlib import closing

from batchrunner.causes import Address
from batchrunner.ledger import Store
from batchrunner.ledger.stored import record_stored, unstored
from batchrunner.lifecycle import State
from batchrunner.outputs.report import write_report
from tests.builders import a_job, bring, take

from .conftest import open_report

URL = "s3://films/videos/fox & owl.mp4"
SIGNED = "https://films.example.com/videos/fox.mp4?X-Amz-Signature=ab&x=%22"


def test_a_film_in_the_store_is_named_and_can_be_fetched(chromium, tmp_path):
    with closing(Store.in_memory()) as store:
        take(store, [a_job("fox")])
        bring(store, State.SUCCEEDED)
        [film] = unstored(store)
        record_stored(store, film, URL, 5.0)
        store.local_gone(film.seq, film.generation, film.n)
        write_report(store, tmp_path / "report.html", Address(folder=tmp_path), sign=lambda url: SIGNED)

    page = open_report(chromium, tmp_path / "report.html")
    card = page.locator(".card").inner_text()
    page.locator(".card .poster").click()
    record = page.locator("#detail-record")

    assert "In the store" in card
    assert "In the store, not in this folder" in page.locator("#screen").inner_text()
    assert URL in record.inner_text()
    assert record.locator("a").get_attribute("href") == SIGNED
    assert (page.complaints, page.network) == ([], [])
    page.context.close()
