"""A student's way through three notebooks in JupyterLab: run all, answer an exercise wrong, then right."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NOTEBOOKS, SECONDS, START_LIMIT, open_notebook, run_all, screenshot

BOOKS = ("05-vmexit-handlers", "06-scheduling", "07-interrupts")
CHECK = re.compile(r"^check\(", re.MULTILINE)
RUN = """async ([index, source]) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'center');
    notebook.activeCell.model.sharedModel.setSource(source);
    await window.jupyterapp.commands.execute('notebook:run-cell');
    return notebook.activeCell.model.outputs.toJSON().map(o => o.data?.['text/plain'] ?? o.evalue ?? o.text ?? '');
}"""


def codes(file: Path) -> list[tuple[int, str]]:
    """The code cells of a notebook, with their numbers."""
    notebook: Any = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    return [(n, cell.source) for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def first_exercise(name: str) -> tuple[int, str]:
    """The cell of a notebook's first exercise, and its stub."""
    return next((n, source) for n, source in codes(NOTEBOOKS / f"{name}.ipynb") if CHECK.search(source))


def solution(name: str) -> str:
    """What its solutions run up to the first check."""
    sources = [source for _, source in codes(NOTEBOOKS / "solutions" / f"{name}.ipynb")]
    last = next(n for n, source in enumerate(sources) if CHECK.search(source))
    return "\n".join(sources[: last + 1])


@pytest.mark.parametrize("name", BOOKS)
def test_an_exercise_is_answered_wrong_then_right(page: Page, name: str) -> None:
    """The verdict stands below the cell at once, each time."""
    open_notebook(page, f"{name}.ipynb")
    run_all(page)
    index, stub = first_exercise(name)
    wrong = stub.replace(": ...", ": return 'no idea'").replace("= ...", "= 'no idea'")
    assert wrong != stub
    cell = page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")
    [*_, said] = page.evaluate(RUN, [index, wrong])
    assert said.startswith("Not yet: ")
    assert "still the stub" not in said
    expect(cell.locator(".jp-OutputArea")).to_contain_text("Not yet: ", timeout=START_LIMIT * SECONDS)
    screenshot(page, f"{name}-wrong")
    [*_, said] = page.evaluate(RUN, [index, solution(name)])
    assert said.startswith("Right")
    expect(cell.locator(".jp-OutputArea")).to_contain_text("Right", timeout=START_LIMIT * SECONDS)
