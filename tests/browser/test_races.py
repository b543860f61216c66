"""Notebook 12 in JupyterLab: the explorer's counterexample opens in the stepper, at the race; it is stepped through."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import NOTEBOOKS, SECONDS, START_LIMIT, open_notebook, run_all, screenshot
from tests.browser.test_exercises import codes

BOOK = "12-races.ipynb"
SHOW = """async index => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'center');
}"""


def test_a_counterexample_is_stepped_through(page: Page) -> None:
    """It opens at the first of the two beats that race; forward by keys comes to the second, and to the end."""
    open_notebook(page, BOOK)
    run_all(page)
    index = next(n for n, source in codes(NOTEBOOKS / BOOK) if "Stepper(found)" in source)
    page.evaluate(SHOW, index)
    cell = page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")
    told = cell.locator(".avk-said")
    expect(told).to_contain_text("races with beat", timeout=START_LIMIT * SECONDS)
    first = told.inner_text()
    cell.locator(".avk").press("ArrowRight")
    expect(told).to_contain_text("races with beat")
    expect(told).not_to_have_text(first)
    screenshot(page, "race")
    cell.locator(".avk").press("End")
    expect(told).not_to_contain_text("races with beat")
    cell.locator(".avk").press("ArrowLeft")
    expect(told).to_contain_text("beat ")
