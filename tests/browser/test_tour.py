"""The tour as a student meets it: a fresh copy with nothing run, then run, stepped by mouse and by keyboard."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import SECONDS, START_LIMIT, expect_in_kernel, in_kernel, open_notebook, run_all, screenshot
from tests.browser.test_views import NORMAL

TOUR = "00-tour.ipynb"
STORED: Any = nbformat.read(Path(__file__).parents[2] / "notebooks" / TOUR, as_version=4)  # type: ignore[no-untyped-call]
PROJECTOR = {"width": 1280, "height": 720}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SET_IN_IRR = ["41h (+41h)", "1"]
"""What is marked at the beat that sets the target's IRR bit."""
COLOURS = r"""e => {
    const rgba = text => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const layers = [];
    for (let at = e; at && (layers.at(-1)?.[3] ?? 1) < 1 || !layers.length; at = at.parentElement)
        layers.push(rgba(getComputedStyle(at).backgroundColor));
    let ground = layers.pop();
    for (const [r, g, b, alpha] of layers.reverse())
        ground = [r, g, b].map((c, i) => c * alpha + ground[i] * (1 - alpha));
    return [rgba(getComputedStyle(e).color), ground];
}"""
"""The colour of an element's text, and what all grounds below it come to."""
THE_STEPPER = "s = [v for v in Out.values() if type(v).__name__ == 'Stepper'][-1]"
"""The last one: a kernel may have run the tour before."""
SENTENCE = re.compile(r"beat (\d+) ")
NEAR_THE_TOP = 300
ALL_CELLS = """cells => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    return notebook.node.querySelectorAll('.jp-Cell').length === cells;
}"""
"""JupyterLab attaches cells out of sight when it is idle; another windowing mode, set meanwhile, would stop it."""
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


def luminance(colour: list[float]) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [c / 255 for c in colour[:3]]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(text: list[float], ground: list[float]) -> float:
    """The contrast of two colours as WCAG 2 defines it."""
    low, high = sorted((luminance(text), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def stepper(page: Page) -> Locator:
    """The stepper of the tour, run, on a projector."""
    page.set_viewport_size({"width": 1280, "height": 720})
    open_notebook(page, TOUR)
    run_all(page)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    cell = go_to(page, "Stepper(m, a.page")
    found = cell.locator(".jp-OutputArea-output .avk")
    expect(found).to_be_visible()
    return found


def beat_of(stepper: Locator) -> int:
    """The number of the beat whose sentence is shown."""
    found = SENTENCE.search(stepper.locator(".avk-said").inner_text())
    assert found
    return int(found[1])


def expect_beat(stepper: Locator, number: int, marks: list[str] | None = None) -> None:
    """Wait until that beat is told, and the marked changes are those given."""
    expect(stepper.locator(".avk-said")).to_contain_text(f"beat {number} ")
    if marks is not None:
        expect(stepper.locator(".avk-sheets mark")).to_have_text(marks)


def reach(stepper: Locator) -> tuple[int, int]:
    """The first and the last beat."""
    slider = stepper.get_by_role("slider")
    first, last = (int(slider.get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    return first, last


def press(stepper: Locator, name: str) -> None:
    stepper.get_by_role("button", name=name).click()


class TestAFreshCopy:
    def test_shows_every_static_form_untouched(self, page: Page) -> None:
        """Not trusted and nothing run: JupyterLab's cleaning takes nothing away, neither element nor style."""
        open_notebook(page, TOUR)
        page.wait_for_function(ALL_CELLS, arg=len(STORED.cells), timeout=START_LIMIT * SECONDS)
        cells = page.locator(".jp-Notebook .jp-Cell")
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
        assert seen >= 8
        screenshot(page, "tour-fresh")

    def test_has_no_broken_widget(self, page: Page) -> None:
        open_notebook(page, TOUR)
        cell = go_to(page, "Stepper(m, a.page")
        expect(cell).to_contain_text("sets the target's IRR bit of vector 41h")
        expect(page.get_by_text("Error displaying widget")).to_have_count(0)
        assert cell.locator(".avk").count() == 0


class TestTheStepper:
    def test_works_by_mouse_and_bits_change(self, page: Page, stepper: Locator) -> None:
        handed, (first, last) = beat_of(stepper), reach(stepper)
        expect_beat(stepper, handed, SET_IN_IRR)
        press(stepper, "back (Left)")
        expect_beat(stepper, handed - 1, [])
        press(stepper, "forward (Right)")
        expect_beat(stepper, handed, SET_IN_IRR)
        press(stepper, "to the last beat")
        expect_beat(stepper, last)
        press(stepper, "to the first beat")
        expect_beat(stepper, first)
        box = stepper.get_by_role("slider").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 20, steps=9)
        page.mouse.up()
        expect_beat(stepper, last)

    def test_every_beat_is_the_static_form(self, page: Page, stepper: Locator) -> None:
        """Browser and Python are moved in turn; what stands there is what Python would have drawn."""
        first, last = reach(stepper)
        assert last - first > 20
        in_kernel(page, THE_STEPPER)
        stepper.focus()
        for number in (*range(last, first, -1), *range(first + 1, last, 5)):
            html = in_kernel(page, f"s.beat = {number}; print(s.sentence + s.source + s.panels)")
            assert html.startswith("<div"), html
            expect_beat(stepper, number)
            shown, meant = stepper.evaluate(f"(live, wanted) => ({NORMAL})([live, wanted])", html)
            assert shown == meant
        page.keyboard.press("Home")
        expect_beat(stepper, first)
        expect_in_kernel(page, "print(s.beat)", str(first))

    def test_plays_and_goes_by_instructions(self, page: Page, stepper: Locator) -> None:
        handed, (_, last) = beat_of(stepper), reach(stepper)
        stepper.get_by_label("speed").select_option("2x")
        press(stepper, "play (Space)")
        expect(stepper.locator(".avk-said")).not_to_contain_text(f"beat {handed} ")
        press(stepper, "pause (Space)")
        page.wait_for_timeout(200)
        stood = beat_of(stepper)
        page.wait_for_timeout(1000)
        assert handed < beat_of(stepper) == stood < last
        stepper.get_by_label("what a step is").select_option("by instruction")
        press(stepper, "back (Left)")
        expect(stepper.locator(".avk-said")).to_contain_text("the guest executes write 41h to ICRL")
        expect(stepper.get_by_role("button", name="next exit")).to_be_disabled()

    def test_goes_to_the_next_change_of_a_row(self, page: Page, stepper: Locator) -> None:
        press(stepper, "to the first beat")
        stepper.locator("tr", has_text="ICRL").click()
        page.keyboard.press("Shift+ArrowRight")
        expect(stepper.locator(".avk-said")).to_contain_text("ICRL = 41h")
        press(stepper, "next change: ICRL")
        expect(stepper.locator(".avk-count")).to_have_text("no further change")
        stepper.locator("tr", has_text="PPR").focus()
        page.keyboard.press("Shift+ArrowRight")
        expect(stepper.locator(".avk-said")).to_contain_text("refreshes PPR: 0 to 40h")
        assert page.evaluate("() => document.activeElement.textContent").startswith("* 0A0PPR"), "focus is kept"
        page.keyboard.press("Shift+ArrowRight")
        expect(stepper.locator(".avk-said")).to_contain_text("refreshes PPR: 40h to 0")
        page.keyboard.press("Shift+ArrowLeft")
        expect(stepper.locator(".avk-said")).to_contain_text("refreshes PPR: 0 to 40h")

    def test_works_from_the_keyboard_alone(self, page: Page, stepper: Locator) -> None:
        stepper.focus()
        first, last = reach(stepper)
        page.keyboard.press("Home")
        told = set()
        for number in range(first, last + 1):
            expect_beat(stepper, number)
            told.add(stepper.locator(".avk-said").inner_text())
            page.keyboard.press("ArrowRight")
        assert len(told) == last - first + 1 > 20, "each beat has a sentence of its own"
        expect(stepper.locator("[aria-live]")).to_contain_text(f"beat {last} ")
        page.keyboard.press("/")
        page.keyboard.type("rings the doorbell")
        page.keyboard.press("Enter")
        expect(stepper.locator(".avk-said")).to_contain_text("rings the doorbell of core 1")
        page.keyboard.press("Escape")
        expect(stepper.get_by_role("search")).to_be_hidden()
        page.keyboard.press("?")
        expect(stepper.locator(".avk-help")).to_contain_text("Shift+Right")
        page.keyboard.press("Escape")
        expect(stepper.locator(".avk-help")).to_be_hidden()
        order: list[str] = []
        while len(order) < 60 and (not order or page.evaluate("() => !!document.activeElement.closest('.avk')")):
            page.keyboard.press("Tab")
            order.append(
                page.evaluate(
                    "() => (e => e.dataset.do ?? e.getAttribute('role') ?? e.tagName)(document.activeElement)"
                )
            )
        shown = ["start", "back", "play", "forward", "end", "SELECT", "SELECT"]
        shown += ["watch", "since", "raw", "find", "help", "what", "slider"]
        assert order[: len(shown)] == shown
        assert page.evaluate("() => !document.activeElement.closest('.avk')"), "Tab is not trapped"

    def test_reads_on_a_projector_in_both_themes(self, page: Page, stepper: Locator) -> None:
        """At 1280 by 720 all of it is on the screen at once, pages side by side."""
        box = stepper.bounding_box()
        assert box
        assert box["height"] < 560
        panels = stepper.locator(".avk-sheets > div > div")
        assert panels.count() == 3
        assert len({round((panel.bounding_box() or {"y": -1})["y"]) for panel in panels.all()}) == 1
        for name in ("dark", "light"):
            theme(page, name)
            screenshot(page, f"tour-stepper-{name}")
            for place in ("mark", "td", ".avk-bar button", "select", ".avk-said b"):
                colours = stepper.locator(place).first.evaluate(COLOURS)
                assert contrast(*colours) >= 4.5, f"{place} in {name}: {colours}"


def test_the_whole_tour_runs_in_lab(page: Page) -> None:
    open_notebook(page, TOUR)
    run_all(page)
    cell = go_to(page, "saved = Compare(")
    expect(cell.locator(".avk-compare tr", has_text=re.compile(r"^\s*all"))).to_contain_text(
        re.compile(r"all\s*4\s*0\s*0")
    )
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
