"""axe-core finds nothing serious or critical in any view: live or static, light or dark, from disk or in JupyterLab."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from avickit.show.as_page import page as whole_page
from tests.browser.conftest import SECONDS, START_LIMIT, Watch, open_notebook, run_all, screenshot
from tests.browser.views import LIVE, VIEWS, Made, made

GRAVE = ("serious", "critical")


def violations(page: Page, within: str | None = None) -> list[str]:
    """What axe-core says is serious or critical, each with the first element that it says it of."""
    found: list[dict[str, Any]] = Axe().run(page, context=within).response["violations"]
    return [told(violation) for violation in found if violation["impact"] in GRAVE]


def told(violation: dict[str, Any]) -> str:
    """A violation in a line."""
    first = violation["nodes"][0]
    lead = f"{violation['id']} ({violation['impact']}), {len(violation['nodes'])} times"
    return f"{lead}: {first['html'][:200]} {first['failureSummary']}"


@pytest.fixture(scope="module")
def story() -> Made:
    return made()


@pytest.fixture(params=["light", "dark"])
def disk(request: pytest.FixtureRequest, chromium: Browser, watch: Watch) -> Iterator[Page]:
    """A page for files from disk, in each theme, as large as a projector."""
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 720})
    context.set_offline(True)
    fresh = context.new_page()
    fresh.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    fresh.on("pageerror", lambda error: watch.errors.append(str(error)))
    yield fresh
    screenshot(fresh, f"{request.node.name}".replace("[", "-").replace("]", ""))
    context.close()
    watch.assert_quiet()


@pytest.mark.parametrize("name", LIVE)
def test_a_live_view_from_disk(name: str, disk: Page, story: Made, tmp_path: Path) -> None:
    disk.goto(VIEWS[name](story).save(tmp_path / "x.html").as_uri())
    disk.wait_for_selector("#live > *")
    assert violations(disk) == []


def test_all_static_forms(disk: Page, story: Made, tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    file.write_text(whole_page("all", "".join(view(story).html for view in VIEWS.values()), None), encoding="utf-8")
    disk.goto(file.as_uri())
    for fold in disk.locator("summary").all():
        fold.click()
    assert violations(disk) == []


def test_what_opens_when_it_is_used(disk: Page, story: Made, tmp_path: Path) -> None:
    """The stepper's help, find field and raw lines, a comparison's pages, a vCPU's pages, a gate's answer."""
    disk.goto(VIEWS["stepper"](story).save(tmp_path / "x.html").as_uri())
    disk.get_by_role("button", name="keys").click()
    disk.get_by_role("button", name="find", exact=True).click()
    disk.get_by_role("button", name="raw", exact=True).click()
    assert violations(disk) == []
    disk.goto(VIEWS["compare"](story).save(tmp_path / "w.html").as_uri())
    disk.get_by_role("button", name="keys").click()
    for fold in disk.locator(".avk-compare summary").all():
        fold.click()
    assert violations(disk) == []
    disk.goto(VIEWS["machine"](story).save(tmp_path / "y.html").as_uri())
    disk.get_by_role("button", name="d1v1", exact=True).first.click()
    disk.wait_for_selector(".avk-detail")
    assert violations(disk) == []
    disk.goto(VIEWS["predict-unchosen"](story).save(tmp_path / "z.html").as_uri())
    disk.keyboard.press("Tab")
    disk.keyboard.press("Enter")
    disk.wait_for_selector(".avk-why")
    assert violations(disk) == []


DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def test_axe_does_find_what_is_wrong(disk: Page) -> None:
    disk.set_content(f"<!doctype html><html lang=en><title>x</title><img src={DOT}><button></button>")
    assert [found.partition(" ")[0] for found in violations(disk)] == ["button-name", "image-alt"]


def test_all_views_in_jupyterlab(page: Page, lab_root: Path) -> None:
    """In one notebook, in Lab's own light and dark theme."""
    new, code = nbformat.v4.new_notebook, nbformat.v4.new_code_cell
    cells = ["from tests.browser.views import *; story = made()", *(f"VIEWS[{name!r}](story)" for name in VIEWS)]
    notebook = new(cells=[code(source) for source in cells])  # type: ignore[no-untyped-call]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells[0].source = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); {cells[0]}"
    nbformat.write(notebook, lab_root / "views.ipynb")  # type: ignore[no-untyped-call]
    open_notebook(page, "views.ipynb")
    run_all(page)
    page.wait_for_selector(".jp-OutputArea-output .avk-machine", timeout=START_LIMIT * SECONDS)
    for number in (0, 1):
        page.locator('.avk [data-do="what"]').nth(number).click()
        expect(page.locator(".avk-what").nth(number)).to_be_visible()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme)
        for output in page.locator(".jp-OutputArea-output").all():
            output.scroll_into_view_if_needed()
        screenshot(page, f"views-{theme.partition(' ')[2].lower()}")
        assert violations(page, within=".jp-OutputArea-output") == []
