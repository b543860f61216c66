"""The comparison in JupyterLab: as a fresh copy shows it, then gone through by mouse and by keyboard alone."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watch, expect_in_kernel, in_kernel, open_notebook, run_all, screenshot, wait_idle
from tests.browser.test_tour import COLOURS, Tags, contrast, theme

PLAY = """from avickit import Compare, Machine
def play(patches):
    m = Machine(cores=4)
    a, b = m.boot("svm=avic", patches=patches, svm_avic=True).create_domain(vcpus=2).vcpus
    for core, vcpu in enumerate((a, b)):
        m.xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    b.guest.eoi()
    return m
c = Compare(play(5), play(6), names=("patches=5", "patches=6"))"""
SIDES = "e => e.querySelector('.avk-two').innerHTML"
"""What is said of both sides."""
NORMAL = """(e, html) => { const t = document.createElement('template'); t.innerHTML = html; return t.innerHTML; }"""


def notebook(root: Path, outputs: list[Any]) -> None:
    """A notebook that shows the comparison; with outputs it is as somebody stored it."""
    new, code = nbformat.v4.new_notebook, nbformat.v4.new_code_cell
    cells = [code(PLAY), code("c", outputs=outputs, execution_count=1 if outputs else None)]  # type: ignore[no-untyped-call]
    made = new(cells=cells)  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, root / "compare.ipynb")  # type: ignore[no-untyped-call]


@pytest.fixture
def view(page: Page, lab_root: Path) -> Locator:
    """The comparison, run, on a projector."""
    page.set_viewport_size({"width": 1280, "height": 720})
    notebook(lab_root, [])
    open_notebook(page, "compare.ipynb")
    run_all(page)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    found = page.locator(".jp-OutputArea-output .avk-compare")
    expect(found).to_be_visible()
    return found


def test_a_fresh_copy_shows_all_of_it(page: Page, lab_root: Path) -> None:
    """Not trusted and nothing run: JupyterLab takes nothing away, neither element nor style."""
    space: dict[str, Any] = {}
    exec(PLAY, space)
    html = space["c"].html
    notebook(lab_root, [nbformat.v4.new_output("execute_result", {"text/html": html}, execution_count=1)])  # type: ignore[no-untyped-call]
    open_notebook(page, "compare.ipynb")
    shown = page.locator(".jp-RenderedHTML")
    expect(shown).to_contain_text("First difference: step 8")
    kept, meant = Tags(shown.inner_html()), Tags(html)
    assert (kept.tags, kept.words) == (meant.tags, meant.words)
    assert shown.locator("[style]").count() == html.count("style=")
    assert kept.styled >= meant.styled
    screenshot(page, "compare-fresh")


def test_it_opens_at_the_first_difference_as_the_static_form_does(page: Page, view: Locator) -> None:
    meant = in_kernel(page, "from avickit.show.compare_html import begins; print(begins(c.comparison))")
    assert "reads IsRunning" in meant
    assert view.evaluate(SIDES) == view.evaluate(NORMAL, meant)
    expect(view.locator(".avk-here")).to_contain_text("write 41h to ICRL")
    expect(view.locator(".avk-count")).to_have_text("step 8, beat 6 of 116: here they differ")
    screenshot(page, "compare-light")


def test_it_goes_by_mouse(page: Page, view: Locator) -> None:
    count = view.locator(".avk-count")
    view.get_by_role("button", name="back (Left)").click()
    expect(count).to_contain_text("step 7, beat 3 of 3: both do the same")
    view.get_by_role("button", name="first difference").click()
    expect(count).to_contain_text("step 8, beat 6 of 116")
    view.locator("tr", has_text="d1v1: EOI").click()
    expect(count).to_contain_text("step 9, beat 8 of 8")
    view.get_by_label("what a move is").select_option("by beat")
    view.get_by_role("button", name="back (Left)").click()
    expect(count).to_contain_text("step 9, beat 7 of 8")
    view.get_by_text("d1v1 vAPIC page").first.click()
    expect(view.locator(".avk-pair[open]")).to_have_count(2)
    expect_in_kernel(page, "print(c._live.beat - c._live.data['steps'][8])", "6")


def test_it_goes_by_keyboard_alone(page: Page, view: Locator) -> None:
    count = view.locator(".avk-count")
    view.focus()
    page.keyboard.press("b")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect(count).to_have_text("step 8, beat 36 of 116: here they differ")
    expect(view.locator(".avk-two").first).to_contain_text("Only the other side has a beat here.")
    expect(view.locator("[aria-live]")).to_contain_text("step 8, beat 36 of 116")
    expect(view.locator("[aria-live]")).to_contain_text("patches=6: Only the other side")
    page.keyboard.press("d")
    expect(view.locator("[aria-live]")).to_contain_text("reads IsRunning in entry 2: 0")
    page.keyboard.press("ArrowDown")
    expect(count).to_contain_text("step 9, beat 8 of 8")
    expect(view.locator("tr:focus")).to_contain_text("d1v1: EOI")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(count).to_contain_text("step 1, ")
    page.keyboard.press("?")
    expect(view.locator(".avk-help")).to_contain_text("first difference")
    page.keyboard.press("Escape")
    expect(view.locator(".avk-help")).to_be_hidden()
    order = []
    for _ in range(20):
        page.keyboard.press("Tab")
        order.append(page.evaluate("() => (e => e.dataset.do ?? e.tagName)(document.activeElement)"))
    assert order[:8] == ["start", "back", "forward", "end", "SELECT", "jump", "help", "TR"]
    assert page.evaluate("() => !document.activeElement.closest('.avk')"), "Tab is not trapped"


def test_without_a_kernel_the_picture_stays_and_says_so(page: Page, view: Locator, watch: Watch) -> None:
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_idle(page)
    expect(view.locator(".avk-notice")).to_contain_text("The kernel has gone.")
    expect(view.locator(".avk-count")).to_have_text("step 8, beat 6 of 116: here they differ")
    view.get_by_role("button", name="back (Left)").click()
    expect(view.locator(".avk-count")).to_contain_text("step 7, beat 3 of 3")
    watch.errors[:] = [error for error in watch.errors if "debugger state" not in error]  # JupyterLab's own remark


def test_it_reads_in_both_themes(page: Page, view: Locator) -> None:
    for name in ("dark", "light"):
        theme(page, name)
        screenshot(page, f"compare-{name}")
        for place in ("mark", "tbody td", ".avk-bar button", ".avk-two b", "th"):
            colours = view.locator(place).first.evaluate(COLOURS)
            assert contrast(*colours) >= 4.5, f"{place} in {name}: {colours}"
    box = view.bounding_box()
    assert box
    assert box["height"] < 600, "on a projector all of it is on the screen at once"
    assert view.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
