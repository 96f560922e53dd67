"""The report in a real browser: three widths, light and dark; it renders, filters, plays, and stays inert."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .conftest import FILMS, HOSTILE, Opened, open_report

JOBS = FILMS + len(HOSTILE)
PAGE = 24


@pytest.fixture(scope="module")
def shared(chromium, report) -> Iterator[Opened]:
    opened = open_report(chromium, report)
    yield opened
    opened.context.close()


@pytest.fixture
def page(shared, report) -> Opened:
    """The report as it is when just opened."""
    shared.complaints.clear()
    shared.goto("about:blank")  # a reload would stay where the last test had scrolled
    shared.goto(report.as_uri())
    return shared


def ids(page: Opened) -> list[str]:
    return page.locator(".card .id").all_text_contents()


def contrast(page: Opened, selector: str) -> float:
    """The contrast of an element's text and the first opaque ground behind it, as WCAG counts it."""
    return page.eval_on_selector(
        selector,
        """(element) => {
          const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
            .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          let behind = element;
          const ground = (node) => rgb(getComputedStyle(node).backgroundColor);
          while (ground(behind)[3] === 0 && behind.parentElement) behind = behind.parentElement;
          const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(behind))];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }""",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_it_renders_without_complaint_network_or_sideways_scrolling(chromium, report, width, scheme):
    page = open_report(chromium, report, width=width, scheme=scheme)

    assert page.locator("h1").inner_text().startswith(f"{FILMS} films, {len(HOSTILE)} failed")
    assert page.locator(".card").count() == PAGE
    assert page.locator("#throughput canvas").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for selector in (".lead", ".tiles dt", ".meaning", ".card .facts", ".chips button", ".command code",
                     ".badge.b-failed", "#found", ".foot p"):  # fmt: skip
        if selector == ".badge.b-failed":
            page.locator("#states button", has_text="Failed").click()
        assert contrast(page, selector) >= 4.5, selector
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    assert dark == (scheme == "dark")
    assert page.complaints == []
    assert page.network == []
    page.context.close()


def test_the_switch_goes_through_the_colours_and_is_remembered(page):
    for theme in ("light", "dark"):
        page.locator("#theme").click()
        assert page.evaluate("document.documentElement.dataset.theme") == theme

    page.reload()

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_searching_narrows_and_says_so_to_those_who_listen(page):
    page.keyboard.press("/")
    page.keyboard.type("Number film-07")
    page.wait_until("document.querySelectorAll('.card').length === 1")

    assert ids(page) == ["film-07"]
    assert page.locator("[role=status]#found").inner_text() == f"1 of {JOBS} jobs"


def test_nothing_found_is_said_and_undone_with_one_button(page):
    page.locator("#query").fill("no such thing")
    page.locator("#clear").click()

    assert page.locator(".card").count() == PAGE
    assert page.evaluate("document.activeElement.id") == "query"


def test_a_state_shows_just_its_jobs(page):
    page.locator("#states button", has_text="Failed").click()

    assert len(ids(page)) == len(HOSTILE)
    assert page.locator("#states button[aria-pressed=true]").inner_text().startswith("Failed")


def test_a_cause_shows_just_its_jobs_in_the_gallery(page):
    page.locator(".show-cause").click()

    assert len(ids(page)) == len(HOSTILE)
    assert "The generation failed" in page.locator("#cause-note").inner_text()


def test_pages_turn_and_hold_only_their_own_cards(page):
    page.locator("#next").click()

    assert page.locator(".card").count() == JOBS - PAGE
    assert ids(page)[0] == f"film-{PAGE + 1:02d}"
    assert page.locator("#next").is_disabled()
    page.locator("#page").fill("1")
    page.locator("#page").press("Enter")
    assert ids(page)[0] == "film-01"


def test_only_films_in_sight_are_opened(page):
    page.wait_for_timeout(100)
    assert page.locator(".card video[src]").count() == 0

    page.locator("#films").scroll_into_view_if_needed()
    page.wait_until("document.querySelector('.card video[src]')?.readyState >= 1")


def test_a_film_plays_in_the_dialog(page):
    page.locator(".poster").first.click()

    page.wait_until("document.querySelector('#screen video')?.currentTime > 0")
    assert page.locator("#detail-id").inner_text() == "film-01"
    assert page.locator("#detail-prompt .prompt").inner_text() == "film number 1"
    assert "seed\n1" in page.locator("#detail-inputs").inner_text()
    link = page.locator("#detail-references a")
    assert link.get_attribute("href") == "https://pictures.example.com/fox.png"
    assert "noreferrer" in link.get_attribute("rel")
    assert page.complaints == []


def test_arrows_step_through_what_was_found_and_escape_returns_to_the_card(page):
    page.locator(".poster").nth(1).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#place").inner_text() == f"3 of {JOBS}"
    assert page.locator("#detail-id").inner_text() == "film-03"

    page.keyboard.press("Escape")
    page.wait_until("!document.querySelector('#screen video')")  # a dialog's end is told a moment later

    assert "Play film-03" in page.evaluate("document.activeElement.textContent")


def test_a_job_of_two_outputs_shows_both(page):
    page.locator(".poster").nth(1).click()
    page.locator("#outputs button").nth(1).click()

    assert page.locator("#screen video").get_attribute("src") == "videos/film-02.2.mp4"


def test_everything_can_be_reached_by_keyboard_and_has_a_name(page):
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, a[href], input, select")]
             .filter((one) => one.checkVisibility())
             .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
             .map((one) => one.outerHTML)"""
    )

    assert nameless == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_copy_gives_the_exact_command(page, report):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".cause .copy").click()

    page.wait_until("document.getElementById('said').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"batchrunner resume '{report.parent}' --retry generation_failed"


def test_hostile_words_are_shown_and_do_nothing(page):
    page.locator("#states button", has_text="Failed").click()
    page.locator(".poster").first.click()
    for _ in HOSTILE:
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(20)

    shown = page.evaluate("document.body.innerText")
    assert page.complaints == []
    assert page.locator("img").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028]", shown)
    page.keyboard.press("Escape")
    for text in ("</script><script>owned()</script>", "<img src=x onerror=owned()>", "\\u202egnp.exe\\u202c"):
        assert text in ids(page)


def test_a_film_that_is_not_beside_the_page_is_said_to_be_missing(page, report):
    film = report.parent / "videos" / "film-05.mp4"
    kept = film.read_bytes()
    film.unlink()
    try:
        page.reload()
        page.locator(".poster").nth(4).click()
        page.locator("#screen .sign").wait_for()
        assert "was not found beside this page" in page.locator("#screen").inner_text()
    finally:
        film.write_bytes(kept)
