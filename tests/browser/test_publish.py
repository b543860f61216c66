"""The deck and the site, opened from disk in Chromium: nothing is asked for elsewhere, no error, keys work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from avickit.cli import main
from avickit.lessons.books import book, books
from avickit.lessons.deck import deck
from tests.browser.conftest import Watch, screenshot


@pytest.fixture
def projector(chromium: Browser) -> Iterator[Page]:
    """A page of a projector's size that must stay on this disk and quiet."""
    watch, context = Watch(), chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    local = ("file:", "data:", "blob:")
    context.on("request", lambda r: watch.external.append(r.url) if not r.url.startswith(local) else None)
    yield page
    context.close()
    watch.assert_quiet()


def test_a_deck_turns_its_pages(projector: Page, tmp_path: Path) -> None:
    file = tmp_path / "deck.html"
    assert CliRunner().invoke(main, ["slides", "0", "--to", str(file)]).exit_code == 0
    projector.goto(file.as_uri())
    present = projector.locator(".slides section.present:not(.stack)")
    expect(present.locator("h1")).to_have_text(f"{book('0').title}¶")
    screenshot(projector, "deck-first")
    for _ in range(7):
        projector.keyboard.press("Space")
        projector.wait_for_timeout(100)
    expect(present).to_be_visible()
    expect(present.locator("h1")).to_have_count(0)
    screenshot(projector, "deck-later")


TOO_TALL = """() => Reveal.getSlides().flatMap((slide, number) => {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v);
    const begins = slide.innerText.slice(0, 60);
    const fits = slide.scrollHeight <= slide.clientHeight && slide.scrollWidth <= slide.clientWidth;
    return fits ? [] : [`${number + 1}: ${begins}`];
})"""


@pytest.mark.parametrize("name", [each.number for each in books()])
def test_every_slide_fits_the_projector(projector: Page, tmp_path: Path, name: str) -> None:
    file = tmp_path / "deck.html"
    file.write_text(deck(book(name)), encoding="utf-8")
    projector.goto(file.as_uri())
    projector.wait_for_function("Reveal.isReady()")
    assert projector.evaluate(TOO_TALL) == []


def test_the_site_is_read_searched_and_stepped_through_from_disk(projector: Page, tmp_path: Path) -> None:
    title = book("4").title
    assert CliRunner().invoke(main, ["html", "4", "--to", str(tmp_path / "site")]).exit_code == 0
    projector.goto((tmp_path / "site/index.html").as_uri())
    projector.locator("article").get_by_role("link", name=title).click()
    expect(projector.locator("h1")).to_contain_text(title)
    screenshot(projector, "site-page")
    stepper = projector.frame_locator("iframe[src*='views']").nth(1)
    projector.locator("iframe[src*='views']").nth(1).scroll_into_view_if_needed()
    told = stepper.locator(".avk-said")
    expect(told).to_contain_text("vector 41h is in service")
    before = told.inner_text()
    stepper.get_by_role("button", name="back").first.click()
    expect(told).not_to_have_text(before)
    screenshot(projector, "site-view")
    still = projector.locator("details.avk-still table").first
    expect(still).to_be_hidden()
    projector.emulate_media(media="print")
    expect(still).to_be_visible()
    expect(projector.locator("iframe").first).to_be_hidden()
    expect(projector.locator("details:not(.avk-still) > :not(summary)").first).to_be_hidden()  # a hint stays folded
    screenshot(projector, "site-print")
    projector.emulate_media(media="screen")
    projector.get_by_placeholder("Search").first.fill("doorbell")
    projector.keyboard.press("Enter")
    expect(projector.locator("#search-results .search li").first).to_be_visible()
