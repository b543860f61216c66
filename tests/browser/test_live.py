"""The live stepper beyond the tour: two views of one model, a kernel that goes, ten thousand beats, narrow windows."""

import json
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watch, expect_in_kernel, in_kernel, open_notebook, run_all, screenshot, wait_idle

MACHINE = """from avickit import Machine, Stepper
m = Machine(cores=4)
dom = m.boot("svm=avic").create_domain(vcpus=2)
a, b = dom.vcpus
m.xen.run(a, core=0)
m.xen.run(b, core=1)
for v in (a, b):
    v.guest.write("SVR", 0x1FF)
start = len(m.trace) + 1
a.guest.write("ICRH", b.apic_id << 24)
while len(m.trace) - start < {beats}:
    a.guest.write("ICRL", 0x41)
    b.guest.eoi()
    b.guest.hlt()
    a.guest.write("ICRL", 0x52)
    m.xen.run(b, core=1)
    b.guest.eoi()
s = Stepper(m, a.page, dom.physical_table, b.page, first=start)
_ = s"""
SCRUB = """async root => {
    const strip = root.querySelector('.avk-time');
    const box = strip.getBoundingClientRect();
    const at = (kind, x) => strip.dispatchEvent(new PointerEvent(kind, {
        clientX: x, clientY: box.y + 20, bubbles: true, pointerId: 1 }));
    strip.setPointerCapture = () => {};
    const frame = () => new Promise(done => requestAnimationFrame(done));
    const frames = [], paints = [];
    at('pointerdown', box.x + 70);
    await frame();
    let last = performance.now();
    for (let i = 0; i < 200; i += 1) {
        at('pointermove', box.x + 70 + (box.width - 90) * Math.abs(Math.sin(i / 20)));
        const asked = performance.now();
        await frame();
        await new Promise(done => setTimeout(done, 0));
        paints.push(performance.now() - asked);
        frames.push(performance.now() - last);
        last = performance.now();
    }
    at('pointerup', box.x + 70);
    const p95 = list => list.sort((a, b) => a - b)[Math.floor(list.length * 0.95)];
    return [p95(frames), p95(paints)];
}"""
"""Drags along the timeline; the 95th percentiles of the times between frames and from a step to its paint, in ms."""


def shown(page: Page, root: Path, beats: int, *cells: str) -> Locator:
    """The steppers of a fresh notebook with this machine and these cells behind it."""
    new, code = nbformat.v4.new_notebook, nbformat.v4.new_code_cell
    made = new(cells=[code(source) for source in (MACHINE.format(beats=beats), *cells)])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, root / "live.ipynb")  # type: ignore[no-untyped-call]
    open_notebook(page, "live.ipynb")
    run_all(page)
    found = page.locator(".jp-OutputArea-output .avk")
    expect(found).to_have_count(len(cells))
    return found


@pytest.fixture
def two(page: Page, lab_root: Path) -> Locator:
    """Two views of one stepper."""
    page.set_viewport_size({"width": 1280, "height": 1200})
    return shown(page, lab_root, 60, "s", "s")


def test_two_views_go_together_and_python_moves_both(page: Page, two: Locator) -> None:
    one, other = two.nth(0), two.nth(1)
    one.get_by_role("button", name="to the last beat").click()
    last = json.loads(one.get_by_role("slider").get_attribute("aria-valuemax") or "0")
    for view in (one, other):
        expect(view.locator(".avk-said")).to_contain_text(f"beat {last} ")
    other.focus()
    page.keyboard.press("e")
    page.keyboard.press("Home")
    page.keyboard.press("e")
    for view in (one, other):
        expect(view.locator(".avk-said")).to_contain_text("EXIT")
    expect_in_kernel(page, "print(s.beat)", one.locator(".avk-count").inner_text().split()[1])
    in_kernel(page, "s.beat = s.story.first + 5; n = s.beat")
    for view in (one, other):
        expect(view.locator(".avk-said")).to_contain_text(f"beat {in_kernel(page, 'print(n)')} ")
    one.get_by_role("button", name="keys").click()
    expect(one.locator(".avk-help")).to_be_visible()
    expect(other.locator(".avk-help")).to_be_hidden()
    screenshot(page, "live-two")


def test_a_restarted_kernel_leaves_the_picture_and_the_steps(page: Page, two: Locator, watch: Watch) -> None:
    view = two.nth(0)
    before = view.locator(".avk-said").inner_text()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_idle(page)
    expect(view.locator(".avk-said")).to_have_text(before, use_inner_text=True)
    expect(view.locator(".avk-notice")).to_have_text(
        "The kernel has gone. The picture stands, and can still be stepped through."
    )
    view.get_by_role("button", name="forward (Right)").click()
    expect(view.locator(".avk-said")).not_to_have_text(before, use_inner_text=True)
    page.wait_for_timeout(500)
    watch.errors[:] = [error for error in watch.errors if "debugger state" not in error]  # JupyterLab's own remark


def test_it_fits_into_a_narrow_window(page: Page, two: Locator) -> None:
    """As at 200 % of 1280 by 720: nothing but the pages scrolls sideways."""
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 640, "height": 900})
    page.wait_for_timeout(500)
    view = two.nth(0)
    assert view.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    outer = view.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')]").first
    assert outer.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    assert view.locator(".avk-time").evaluate("e => e.querySelector('svg').clientWidth - e.clientWidth") <= 1
    screenshot(page, "live-narrow")


def test_ten_thousand_beats_scrub_without_the_kernel(
    page: Page, lab_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    view = shown(page, lab_root, 10_000, "s").first
    frames, paints = view.evaluate(SCRUB)
    with capsys.disabled():
        print(f"\n10,000 beats: p95 between frames {frames:.1f} ms, from step to paint {paints:.1f} ms")
    assert frames > 0
    screenshot(page, "live-long")
