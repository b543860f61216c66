"""Predict and a machine at the end of a cell in JupyterLab: mouse, keyboard, two views, a lost kernel, small places."""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from avickit import MachineView
from tests.browser.conftest import Watch, expect_in_kernel, in_kernel, open_notebook, run_all, screenshot, wait_idle
from tests.browser.views import VIEWS, made

SETUP = """from avickit import Machine, MachineView, PageView, Predict
m = Machine(cores=2)
xen = m.boot("svm=avic")
a, b = xen.create_domain(vcpus=2).vcpus
xen.run(a, core=0)
xen.run(b, core=1)
g = Predict("What does it do?", {"One.": "No: one.", "Two.": "Yes: two.", "Three.": "No: three."}, answer="Two.")
v = MachineView(m, follow=True)"""
ACT = "b.guest.hlt(); a.guest.write('ICRL', 2 << 18 | 0x41)"
HELD = "() => document.activeElement?.textContent"


@pytest.fixture
def lab(page: Page, lab_root: Path) -> Page:
    """A notebook with a machine, shown and followed, and the same gate twice."""
    new, code = nbformat.v4.new_notebook, nbformat.v4.new_code_cell
    made = new(cells=[code(source) for source in (SETUP, "m", "g", "g", "v", "PageView(b.page)")])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab_root / "side.ipynb")  # type: ignore[no-untyped-call]
    open_notebook(page, "side.ipynb")
    run_all(page)
    expect(page.locator(".avk-gate")).to_have_count(2)
    expect(page.locator(".avk-machine")).to_have_count(2)
    return page


def cells(page: Page) -> int:
    """How many cells the notebook has: Lab's own keys would change it."""
    return int(page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.cells.length"))


def test_a_gate_by_mouse_and_by_keyboard(lab: Page) -> None:
    one, other = lab.locator(".avk-gate").nth(0), lab.locator(".avk-gate").nth(1)
    expect(one.locator(".avk-why").first).to_be_hidden()
    one.get_by_role("button", name="One.").click()
    for view in (one, other):
        expect(view.locator(".avk-right")).to_contain_text("✓ answerYes: two.")
        expect(view.locator(".avk-chosen")).to_contain_text("your choiceNo: one.")
    expect(one.locator("[aria-live]")).to_have_text("You chose A. The answer is B. Two. Yes: two.")
    expect_in_kernel(lab, "print(g.chosen)", "One.")

    before = cells(lab)
    lab.keyboard.press("Escape")
    expect(other.locator(".avk-why").first).to_be_hidden()
    assert lab.evaluate(HELD) == "AOne."
    lab.keyboard.press("Tab")
    assert lab.evaluate(HELD) == "BTwo."
    lab.keyboard.press("Enter")
    expect(one.locator(".avk-chosen.avk-right")).to_have_count(1)
    lab.keyboard.press("Escape")
    lab.keyboard.press("c")
    expect(one.locator(".avk-chosen")).to_contain_text("Three.")
    assert lab.evaluate(HELD) == "CThree."
    lab.keyboard.press("Tab")
    assert lab.evaluate(HELD) == "hide the answer"
    lab.keyboard.press("Enter")
    assert lab.evaluate(HELD) == "AOne.", "the button has gone; the focus has not"
    lab.keyboard.press("Shift+Tab")
    assert lab.evaluate(HELD) != "AOne.", "Tab is not trapped"
    assert cells(lab) == before, "no key of Lab's was pressed: A and B make cells there"

    expect_in_kernel(lab, "print(repr(g.chosen))", "''")  # else what was hidden may overtake what is chosen now
    in_kernel(lab, "g.chosen = 'Two.'")
    expect(other.locator(".avk-chosen.avk-right")).to_have_count(1)
    screenshot(lab, "predict-lab")


def test_a_machine_is_told_that_it_has_gone_on_and_one_follows(lab: Page) -> None:
    still, going = lab.locator(".avk-machine").nth(0), lab.locator(".avk-machine").nth(1)
    expect(still.get_by_role("button", name="show it as it is now")).to_be_hidden()
    in_kernel(lab, ACT)
    expect(still.locator("[role=status]")).to_contain_text("The machine has gone on by")
    expect(going.locator(".avk-page")).to_contain_text("R runnable")
    expect(going.locator("[aria-live]")).to_contain_text("d1v1: guest mode, now runnable")
    expect(still.locator(".avk-page")).not_to_contain_text("R runnable")
    still.get_by_role("button", name="show it as it is now").click()
    expect(still.locator(".avk-page")).to_contain_text("R runnable")
    expect(still.locator("[role=status]")).to_be_empty()
    still.get_by_role("button", name="follow the machine").click()
    expect_in_kernel(lab, "print(v.follow)", "True")
    expect(still.get_by_role("button", name="follow the machine")).to_have_attribute("aria-pressed", "true")
    in_kernel(lab, "xen.run(b, core=1)")
    expect(still.locator(".avk-page")).not_to_contain_text("R runnable")


def test_a_machine_by_keyboard(lab: Page) -> None:
    view = lab.locator(".avk-machine").nth(1)
    before = cells(lab)
    view.get_by_role("button", name="follow the machine").focus()
    lab.keyboard.press("Tab")
    assert lab.evaluate(HELD) == "d1v0"
    lab.keyboard.press("ArrowDown")
    assert lab.evaluate(HELD) == "d1v1"
    expect(view.locator(".avk-same")).to_have_count(4)
    lab.keyboard.press("Enter")
    expect(view.locator(".avk-detail")).to_contain_text("d1v1 vAPIC page")
    expect(view.locator("[aria-expanded=true]").first).to_have_text("d1v1")
    in_kernel(lab, ACT)
    expect(view.locator(".avk-detail")).to_contain_text("41h (+41h)")
    assert lab.evaluate(HELD) == "d1v1", "the picture is new, the focus where it was"
    view.get_by_role("button", name="close").focus()
    lab.keyboard.press("Escape")
    expect(view.locator(".avk-detail")).to_be_hidden()
    assert lab.evaluate(HELD) == "d1v1"
    assert cells(lab) == before
    screenshot(lab, "machine-lab")


@pytest.mark.parametrize("place", [".avk-gate button", ".avk-machine .avk-name", ".avk[aria-label=Page]"])
def test_no_key_of_the_notebooks_is_pressed_in_a_view(lab: Page, place: str) -> None:
    """Above, below, cut, delete twice, Markdown, split: in a view they are the view's keys, or nobody's."""
    before = cells(lab)
    lab.locator(place).first.focus()
    for key in ("x", "d", "d", "m", "l", "y", "v", "z"):
        lab.keyboard.press(key)
    assert lab.evaluate("place => !!document.activeElement.closest(place)", place), "the focus stays"
    assert cells(lab) == before
    kinds = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.type)"
    assert set(lab.evaluate(kinds)) == {"code"}


def test_without_a_kernel_the_pictures_stay_and_say_so(lab: Page, watch: Watch) -> None:
    gate, machine = lab.locator(".avk-gate").first, lab.locator(".avk-machine").first
    lab.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_idle(lab)
    expect(machine.locator("[role=status]")).to_contain_text("The kernel is gone")
    machine.get_by_role("button", name="d1v0", exact=True).first.click()
    expect(machine.locator(".avk-detail")).to_contain_text("d1v0 vAPIC page")
    expect(gate.locator("small")).to_contain_text("The kernel is gone")
    gate.get_by_role("button", name="Two.").click()
    expect(gate.locator(".avk-right")).to_contain_text("Yes: two.")
    watch.errors[:] = [error for error in watch.errors if "debugger state" not in error]  # JupyterLab's own remark


@pytest.mark.parametrize("name", ["machine", "predict"])
def test_narrow_windows_paper_and_high_contrast(name: str, chromium: Browser, tmp_path: Path) -> None:
    """640 pixels are 1280 at 200 %; nothing but what may scroll does."""
    file = VIEWS[name](made()).save(tmp_path / "x.html")
    context = chromium.new_context(
        viewport={"width": 640, "height": 720}, forced_colors="active", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("#live > *")
    if name == "machine":
        page.get_by_role("button", name="d1v1", exact=True).first.click()
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    screenshot(page, f"{name}-high-contrast")
    page.emulate_media(media="print", forced_colors="none")
    screenshot(page, f"{name}-print")
    expect(page.locator(".avk-gate .avk-foot, .avk-machine > small")).to_be_hidden()
    assert page.locator(".avk-theme").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    context.close()


def test_many_vcpus_fit(chromium: Browser, tmp_path: Path) -> None:
    from avickit import Machine

    m = Machine(cores=64, pages=1024)
    xen = m.boot("svm=avic")
    for core, vcpu in enumerate(xen.create_domain(vcpus=64).vcpus):
        xen.run(vcpu, core=core)
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(MachineView(m).save(tmp_path / "x.html").as_uri())
    page.get_by_role("button", name="d1v9", exact=True).first.click()
    expect(page.locator(".avk-detail")).to_contain_text("d1v9 VMCB")
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    screenshot(page, "machine-many")
    context.close()


def test_a_fresh_clone_shows_the_static_forms(page: Page, lab_root: Path) -> None:
    """Stored outputs, not trusted, nothing run: the question with its fold, the tables, the picture with its alt."""
    new, code, out = nbformat.v4.new_notebook, nbformat.v4.new_code_cell, nbformat.v4.new_output
    cells, story = [], made("word")
    for name in ("predict-unchosen", "machine", "sequence"):
        view = VIEWS[name](story)
        data = {"text/plain": view.text, "text/html": view.html}
        output = out("execute_result", data=data, execution_count=1)  # type: ignore[no-untyped-call]
        cells.append(code(name, outputs=[output], execution_count=1))  # type: ignore[no-untyped-call]
    book = new(cells=cells)  # type: ignore[no-untyped-call]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, lab_root / "fresh.ipynb")  # type: ignore[no-untyped-call]
    open_notebook(page, "fresh.ipynb")
    outputs = page.locator(".jp-OutputArea-output")
    expect(outputs).to_have_count(3)
    gate, machine, picture = (outputs.nth(i) for i in range(3))
    expect(gate.get_by_text("Yes. word")).to_be_hidden()
    gate.locator("summary").click()
    expect(gate.get_by_text("Yes. word")).to_be_visible()
    expect(machine.get_by_text("runnable").first).to_be_visible()
    image = picture.get_by_role("img", name="Sequence diagram of")
    image.scroll_into_view_if_needed()
    assert image.evaluate("e => e.naturalWidth") > 300
    assert page.locator(".avk-gate, .avk-machine, .jupyter-widgets").count() == 0
    screenshot(page, "fresh-clone")
