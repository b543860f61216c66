"""The tour as a student meets it: a fresh copy with nothing run, then run, stepped by mouse and by keyboard."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import open_notebook, run_all, screenshot

TOUR = "00-tour.ipynb"
STORED: Any = nbformat.read(Path(__file__).parents[2] / "notebooks" / TOUR, as_version=4)  # type: ignore[no-untyped-call]
PROJECTOR = {"width": 1280, "height": 720}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SET_IN_IRR = ["41h (+41h)", "1"]
"""What is marked at the beat that sets the target's IRR bit."""
FOCUSED = """() => {
    const e = document.activeElement;
    if (e.role === 'slider' || e.getAttribute('role') === 'slider') return 'slider';
    if (e.classList.contains('widget-readout')) return 'readout';
    return e.tagName === 'INPUT' ? e.parentElement.textContent.trim() : e.textContent.trim();
}"""
SENTENCE = re.compile(r"beat (\d+) ")
NEAR_THE_TOP = 300
ALL_CELLS = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.notebookConfig = { ...notebook.notebookConfig, windowingMode: 'none' };
}"""
TO_CELL = """async index => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'start');
}"""


class Tags(HTMLParser):
    """Counts tags and style properties."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.styled = 0
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.styled += sum(len([d for d in (v or "").split(";") if d.strip()]) for n, v in attrs if n == "style")

    def handle_data(self, data: str) -> None:
        self.words += data


def index_of(text: str) -> int:
    """The number of the first cell that contains a text."""
    return next(i for i, cell in enumerate(STORED.cells) if text in cell.source)


def go_to(page: Page, text: str) -> Locator:
    """Scroll to the cell that contains a text; its element."""
    index = index_of(text)
    cell = page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")
    for _ in range(9):  # a scroll may land beside it, while cells above it get their height
        page.evaluate(TO_CELL, index)
        page.wait_for_timeout(100)
        if cell.is_visible() and (cell.bounding_box() or {"y": 999})["y"] < NEAR_THE_TOP:
            break
    expect(cell).to_be_visible()
    return cell


def theme(page: Page, name: str) -> None:
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", THEMES[name])
    page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{str(name == 'light').lower()}'")
    page.wait_for_timeout(300)


@pytest.fixture
def stepper(page: Page) -> Locator:
    """The stepper of the tour, run, on a projector."""
    page.set_viewport_size({"width": 1280, "height": 720})
    open_notebook(page, TOUR)
    run_all(page)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    cell = go_to(page, "Stepper(m, a.page")
    found = cell.locator(".jp-OutputArea-output .widget-vbox")
    expect(found).to_be_visible()
    return found


def beat_of(stepper: Locator) -> int:
    """The number of the beat whose sentence is shown."""
    found = SENTENCE.search(stepper.locator(".widget-html").first.inner_text())
    assert found
    return int(found[1])


def expect_beat(stepper: Locator, number: int, marks: list[str] | None = None) -> None:
    """Wait until that beat is told, and the marked changes are those given."""
    expect(stepper.locator(".widget-html").first).to_contain_text(f"beat {number} ")
    if marks is not None:
        expect(stepper.locator(".widget-html").nth(1).locator("mark")).to_have_text(marks)


def reach(slider: Locator) -> tuple[int, int]:
    """The first and the last beat of a slider."""
    first, last = (float(slider.get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    return int(first), int(last)


class TestAFreshCopy:
    def test_shows_every_static_form_untouched(self, page: Page) -> None:
        """Not trusted and nothing run: JupyterLab's cleaning takes nothing away, neither element nor style."""
        open_notebook(page, TOUR)
        page.evaluate(ALL_CELLS)
        cells = page.locator(".jp-Notebook .jp-Cell")
        expect(cells).to_have_count(len(STORED.cells))
        seen = 0
        for index, cell in enumerate(STORED.cells):
            stored = [o["data"]["text/html"] for o in cell.get("outputs", ()) if "text/html" in o.get("data", {})]
            if not stored:
                continue
            shown = cells.nth(index).locator(".jp-RenderedHTML")
            expect(shown).to_be_attached()
            kept, meant = Tags(shown.inner_html()), Tags(stored[0])
            assert kept.tags == meant.tags
            assert kept.words == meant.words
            assert shown.locator("[style]").count() == stored[0].count("style=")
            assert kept.styled >= meant.styled, "a shorthand may be written out, but nothing is gone"
            seen += 1
        assert seen > 8
        screenshot(page, "tour-fresh")

    def test_has_no_broken_widget(self, page: Page) -> None:
        open_notebook(page, TOUR)
        cell = go_to(page, "Stepper(m, a.page")
        expect(cell).to_contain_text("sets the target's IRR bit of vector 41h")
        expect(page.get_by_text("Error displaying widget")).to_have_count(0)
        assert cell.locator(".widget-vbox").count() == 0


class TestTheStepper:
    def test_works_by_mouse_and_bits_change(self, page: Page, stepper: Locator) -> None:
        handed = beat_of(stepper)
        expect_beat(stepper, handed, SET_IN_IRR)
        stepper.get_by_role("button", name="back").click()
        expect_beat(stepper, handed - 1, [])
        stepper.get_by_role("button", name="forward").click()
        expect_beat(stepper, handed, SET_IN_IRR)
        handle, line = (stepper.locator(name).bounding_box() for name in (".noUi-handle", ".noUi-base"))
        assert handle
        assert line
        page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        page.mouse.down()
        page.mouse.move(line["x"] + line["width"], line["y"], steps=5)
        page.mouse.up()
        expect_beat(stepper, reach(stepper.get_by_role("slider"))[1])

    def test_plays_and_starts_where_it_is_told(self, page: Page, stepper: Locator) -> None:
        handed = beat_of(stepper)
        play, stop = stepper.locator(".widget-play button:visible").all()
        play.click()
        expect_beat(stepper, handed + 2)
        play.click()
        page.wait_for_timeout(300)
        stood = beat_of(stepper)
        page.wait_for_timeout(1500)
        assert beat_of(stepper) == stood
        stop.click()
        expect_beat(stepper, reach(stepper.get_by_role("slider"))[0])
        begin = stepper.locator("input[type=number]")
        begin.fill(str(handed))
        begin.press("Enter")
        expect_beat(stepper, handed, SET_IN_IRR)
        stepper.get_by_role("button", name="back").click()
        page.wait_for_timeout(300)
        expect_beat(stepper, handed)

    def test_works_from_the_keyboard_alone(self, page: Page, stepper: Locator) -> None:
        slider = stepper.get_by_role("slider")
        slider.focus()
        first, last = reach(slider)
        page.keyboard.press("Home")
        told = set()
        for number in range(first, last + 1):
            expect_beat(stepper, number)
            told.add(stepper.locator(".widget-html").first.inner_text())
            page.keyboard.press("ArrowRight")
        assert len(told) == last - first + 1 > 20, "each beat has a sentence of its own"
        page.keyboard.press("ArrowLeft")
        expect_beat(stepper, last - 1)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect_beat(stepper, last)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        expect_beat(stepper, last - 1)
        order = []
        for _ in range(4):
            page.keyboard.press("Tab")
            order.append(page.evaluate(FOCUSED))
        assert order == ["forward", "slider", "readout", "first beat"], "Tab is not trapped"

    def test_reads_on_a_projector_in_both_themes(self, page: Page, stepper: Locator) -> None:
        """At 1280 by 720 all of it is on the screen at once, pages side by side."""
        box = stepper.bounding_box()
        assert box
        assert box["height"] < 560
        panels = stepper.locator(".widget-html").nth(1).locator(".widget-html-content > div > div")
        assert panels.count() == 3
        assert len({round((panel.bounding_box() or {"y": -1})["y"]) for panel in panels.all()}) == 1
        for name in ("dark", "light"):
            theme(page, name)
            screenshot(page, f"tour-stepper-{name}")
            for element in (stepper.locator("mark").first, stepper.locator("td").first):
                text, ground = element.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
                assert text != ground


def test_the_whole_tour_runs_in_lab(page: Page) -> None:
    open_notebook(page, TOUR)
    run_all(page)
    cell = go_to(page, "tally(without_AVIC")
    expect(cell.locator("tr", has_text="all exits")).to_contain_text(re.compile(r"all exits\s*4\s*0"))
    screenshot(page, "tour-exits")


def test_it_is_readable_at_200_percent(chromium: Browser, lab_url: str) -> None:
    """Half as many CSS pixels: what is wider than the page scrolls within its panel, not the notebook."""
    context = chromium.new_context(base_url=lab_url, viewport={"width": 640, "height": 360}, device_scale_factor=2)
    page = context.new_page()
    open_notebook(page, TOUR)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    cell = go_to(page, "look(b.page)")
    widths = cell.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1] + 1
    screenshot(page, "tour-zoomed")
    context.close()
