"""What if in JupyterLab: fork and return by mouse, by keyboard alone, refused, and when the kernel has gone."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import (
    PATIENCE,
    SECONDS,
    Watch,
    expect_in_kernel,
    in_kernel,
    open_notebook,
    run_all,
    screenshot,
    wait_idle,
)
from tests.browser.test_tour import COLOURS, contrast, theme
from tests.browser.test_views import NORMAL

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
a.guest.write("ICRL", 0x41)
handed = m.trace.where(rule="H-IPI-5", kind="UPDATE")[0].n
s = Stepper(m, a.page, dom.physical_table, b.page, first=start, beat=handed)"""


@pytest.fixture
def two(page: Page, lab_root: Path) -> Locator:
    """Two views of one stepper, at the beat that sets IRR: the next one reads IsRunning."""
    page.set_viewport_size({"width": 1280, "height": 1500})
    new, code = nbformat.v4.new_notebook, nbformat.v4.new_code_cell
    made = new(cells=[code(source) for source in (MACHINE, "s", "s")])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab_root / "what-if.ipynb")  # type: ignore[no-untyped-call]
    open_notebook(page, "what-if.ipynb")
    run_all(page)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    found = page.locator(".jp-OutputArea-output .avk")
    expect(found).to_have_count(2)
    return found


def press(view: Locator, name: str) -> None:
    view.get_by_role("button", name=name, exact=True).click()


def test_fork_and_return_by_mouse(page: Page, two: Locator) -> None:
    view, other = two.nth(0), two.nth(1)
    said = view.locator(".avk-said")
    before = said.inner_text()
    press(view, "what if")
    expect(view.locator(".avk-what")).to_contain_text("At beat 379, what if:")
    view.get_by_label("vCPU").select_option("d1v1")
    view.get_by_label("how").select_option("at once")
    screenshot(page, "what-if-form")
    press(view, "fork and do it")
    expect(said).to_contain_text("this core shall run another vCPU")
    name = "what if at beat 379: deschedule d1v1, saving it at once"
    for one in (view, other):
        expect(one.get_by_label("branch").locator("option:checked")).to_contain_text(name)
        expect(one.locator(".avk-said")).to_contain_text("beat 380 ")
    expect(view.locator(".avk-what")).to_be_hidden()
    press(view, "next exit")
    press(view, "next exit")
    expect(said).to_contain_text("EXIT")
    screenshot(page, "what-if-branch")
    assert in_kernel(page, "print(s.branch, s.branches[1].machine.xen.domains[0].vcpus[1].page.irr)") == "1 {65}"
    view.get_by_label("branch").select_option("as it was")
    view.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect_in_kernel(page, "print(s.branch, s.beat == s.story.first)", "0 True")
    in_kernel(page, "s.beat = handed")
    expect(said).to_have_text(before, use_inner_text=True)
    assert in_kernel(page, "print(s.branch, s.beat == handed, len(m.trace))") == "0 True 390"


def test_fork_and_return_by_keyboard_alone(page: Page, two: Locator) -> None:
    view = two.nth(0)
    said = view.locator(".avk-said")
    view.focus()
    page.keyboard.press("w")
    expect(view.get_by_label("what to do")).to_be_focused()
    page.keyboard.type("ring")  # the choice takes it, as choices do
    page.keyboard.press("Tab")
    expect(view.get_by_label("core")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("rings the doorbell of core 1")
    expect(view).to_be_focused()
    expect(view.locator("[aria-live]")).to_contain_text("now showing: what if at beat 379: ring the doorbell of core 1")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("the doorbell reaches core 1 in guest mode")
    expect(view.locator("[aria-live]")).to_contain_text("the doorbell reaches core 1")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.dataset.do") == "branch":
            break
    page.keyboard.press("ArrowUp")
    expect(said).to_contain_text("beat 381 ")
    expect(view.get_by_label("branch")).to_be_focused()
    expect(view.get_by_label("branch").locator("option:checked")).to_have_text("as it was")
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("the doorbell reaches core 1")
    page.keyboard.press("w")
    expect(view.locator(".avk-what")).to_be_hidden()
    expect(view.locator(".avk-help div").last).to_have_text("w what if")
    view.focus()
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    expect(view.locator(".avk-what")).to_be_hidden()
    expect(view).to_be_focused()


def test_what_is_impossible_is_told_and_nothing_changes(page: Page, two: Locator) -> None:
    view = two.nth(0)
    before = view.locator(".avk-said").inner_text()
    press(view, "what if")
    view.get_by_label("what to do").select_option("guest write")
    view.get_by_label("register").fill("TPR")
    view.get_by_label("value").fill("20h")
    press(view, "fork and do it")
    problem = view.locator(".avk-trouble")
    expect(problem).to_contain_text("write: core 0 is in the middle of d1v0: write 41h to ICRL")
    screenshot(page, "what-if-refused")
    view.get_by_label("vCPU").select_option("d1v1")
    view.get_by_label("register").fill("<img src=x onerror=alert(1)>")
    view.get_by_label("value").press("Enter")
    expect(problem).to_contain_text("APIC register: <img src=x onerror=alert(1)> given")
    assert view.locator("img").count() == 0
    expect(view.locator(".avk-said")).to_have_text(before, use_inner_text=True)
    assert in_kernel(page, "print(len(s.branches), s.branch, s.beat == handed)") == "1 0 True"
    view.get_by_label("register").fill("TPR")
    press(view, "fork and do it")
    expect(view.get_by_label("branch").locator("option:checked")).to_contain_text("d1v1: write 20h to TPR")
    expect(two.nth(1).locator(".avk-what")).to_be_hidden()


def test_each_branch_is_what_python_would_draw(page: Page, two: Locator) -> None:
    view = two.nth(0)
    in_kernel(page, "_ = s.what_if(handed, 'store', dom.physical_table, 2, 'IS_RUNNING=0')")
    expect(view.locator(".avk-said")).to_contain_text("software writes entry 2")
    for step in range(0, 60, 6):
        html = in_kernel(page, f"s.beat = min(handed + {step}, s.story.last); print(s.sentence + s.source + s.panels)")
        expect(view.locator(".avk-said")).to_contain_text(f"beat {in_kernel(page, 'print(s.beat)')} ")
        shown, meant = view.evaluate(f"(live, wanted) => ({NORMAL})([live, wanted])", html)
        assert shown == meant


def test_when_the_kernel_has_gone_the_view_says_so_and_keeps_its_picture(
    page: Page, two: Locator, watch: Watch
) -> None:
    view = two.nth(0)
    said = view.locator(".avk-said")
    in_kernel(page, "_ = s.what_if(handed, 'ring', 1)")
    expect(said).to_contain_text("rings the doorbell of core 1")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_idle(page)
    expect(view.locator(".avk-notice")).to_contain_text("The kernel has gone.")
    expect(said).to_contain_text("rings the doorbell of core 1")
    press(view, "what if")
    press(view, "fork and do it")
    expect(view.locator(".avk-trouble")).to_contain_text("The kernel does not answer.", timeout=PATIENCE * SECONDS)
    screenshot(page, "what-if-silent")
    expect(said).to_contain_text("rings the doorbell of core 1")
    view.get_by_label("branch").select_option("as it was")
    expect(said).to_contain_text("reads IsRunning in entry 2: 1")
    expect(view.locator(".avk-notice")).to_contain_text("The kernel has gone.")
    press(view, "forward (Right)")
    expect(said).to_contain_text("beat 381 ")
    watch.errors[:] = [error for error in watch.errors if "debugger state" not in error]  # JupyterLab's own remark


def test_saved_it_shows_every_branch_from_disk(chromium: Browser, tmp_path: Path) -> None:
    """And says that a new one needs a kernel."""
    space: dict[str, Any] = {}
    exec(MACHINE, space)
    stepper, handed = space["s"], space["handed"]
    stepper.what_if(handed, "ring", 1)
    where = stepper.save(tmp_path / "branches.html")
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(where.as_uri())
    view = page.locator(".avk")
    expect(view.locator(".avk-said")).to_contain_text("rings the doorbell of core 1")
    view.get_by_label("branch").select_option("as it was")
    expect(view.locator(".avk-said")).to_contain_text("reads IsRunning in entry 2: 1")
    expect(view.locator('[data-do="what"]')).to_be_disabled()
    assert view.locator('[data-do="what"]').get_attribute("title") == "what if needs a kernel"
    view.focus()
    page.keyboard.press("w")
    expect(view.locator(".avk-what")).to_be_hidden()
    context.close()
    assert errors == []


def test_it_reads_in_both_themes_and_on_a_projector(page: Page, two: Locator) -> None:
    view = two.nth(0)
    in_kernel(page, "_ = s.what_if(handed, 'deschedule', b, 'at once'); _ = s.what_if(s.story.last, 'run', b, 2)")
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(view.get_by_label("branch").locator("option:checked")).to_contain_text("run d1v1 on core 2")
    press(view, "what if")
    for name in ("dark", "light"):
        theme(page, name)
        screenshot(page, f"what-if-{name}")
        for place in (
            ".avk-what b",
            ".avk-what label",
            ".avk-what button",
            ".avk-branches label",
            ".avk-branches select",
        ):
            colours = view.locator(place).first.evaluate(COLOURS)
            assert contrast(*colours) >= 4.5, f"{place} in {name}: {colours}"
    assert view.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
