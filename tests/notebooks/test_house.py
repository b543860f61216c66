"""The house rules of notebooks: nbval checks what a cell shows, this checks how the notebooks are made.

nbval passes a code cell that was never run, and it skips widget views and pictures; so these are looked at here.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from avickit.lab.rules import NUMBER, numbers

HOME = Path(__file__).parents[2] / "notebooks"
BOOKS = sorted(HOME.glob("[0-9][0-9]-*.ipynb"))
SOLUTIONS = sorted((HOME / "solutions").glob("*.ipynb"))
NOTEBOOKS = [*sorted(HOME.glob("*.ipynb")), *SOLUTIONS]
FEWEST_CELLS, MOST_CELLS = 20, 40
MOST_LINES, MOST_WORDS, MOST_HTML = 8, 60, 30_000
SECTIONS = ("Before", "The patch", "After", "Predict", "Exercises", "Further")
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
WIDGETS = "application/vnd.jupyter.widget"
UNSTABLE = re.compile(r"\bat 0x[0-9a-f]{6,}|/(home|root|tmp|Users)/|site-packages|Traceback")
STRIPPED = re.compile(r"<(script|style|svg|iframe)\b|\bon\w+=|\baria-|\bdata-", re.IGNORECASE)

Cell = dict[str, Any]


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def name_of(file: Path) -> str:
    return file.relative_to(HOME).with_suffix("").as_posix()


@pytest.fixture(params=NOTEBOOKS, ids=name_of)
def notebook(request: pytest.FixtureRequest) -> Any:
    """Any notebook: a numbered one, one with solutions, the index."""
    return read(request.param)


@pytest.fixture(params=BOOKS, ids=name_of)
def book(request: pytest.FixtureRequest) -> Any:
    """A numbered notebook."""
    return read(request.param)


@pytest.fixture(params=BOOKS, ids=name_of)
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A numbered notebook and the one with its solutions."""
    return read(request.param), read(HOME / "solutions" / request.param.name)


def code(notebook: Any) -> list[Cell]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook: Any) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def headings(notebook: Any, level: int) -> list[str]:
    return [found for text in prose(notebook) for found in re.findall(rf"^#{{{level}}} (.+)$", text, re.MULTILINE)]


def outputs(notebook: Any) -> list[dict[str, str]]:
    """The stored outputs: what each of them holds, by type, as one text."""
    found = [output for cell in code(notebook) for output in cell["outputs"]]
    return [{kind: "".join(text) for kind, text in o.get("data", {"stream": o.get("text", "")}).items()} for o in found]


def test_there_are_notebooks_each_with_solutions() -> None:
    assert BOOKS
    assert [file.name for file in BOOKS] == [file.name for file in SOLUTIONS]


def test_every_cell_was_run_once_in_order(notebook: Any) -> None:
    counts = [cell["execution_count"] for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_cell_ended_in_an_error(notebook: Any) -> None:
    kinds = {output["output_type"] for cell in code(notebook) for output in cell["outputs"]}
    assert kinds <= {"stream", "execute_result", "display_data"}
    assert not any(output.get("name") == "stderr" for cell in code(notebook) for output in cell["outputs"])


def test_code_cells_are_tiny(notebook: Any) -> None:
    for cell in code(notebook):
        lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
        assert 0 < len(lines) <= MOST_LINES, lines


def test_prose_cells_are_short(notebook: Any) -> None:
    for text in prose(notebook):
        words = re.sub(r"<[^>]+>", " ", text).split()
        assert 0 < len(words) <= MOST_WORDS, text


def test_it_has_its_sections_in_order(book: Any) -> None:
    assert len(headings(book, 1)) == 1
    told = [heading.partition(":")[0] for heading in headings(book, 2)]
    assert [name for name in told if name in SECTIONS] == list(SECTIONS)
    bare = [heading for heading in headings(book, 2) if ": " not in heading]
    assert bare == ["Exercises", "Further"], "the others make a statement"


def test_it_is_neither_a_leaflet_nor_a_novel(book: Any) -> None:
    assert FEWEST_CELLS <= len(book["cells"]) <= MOST_CELLS


def test_its_citations_are_rules_that_there_are(notebook: Any) -> None:
    cited = {number for text in prose(notebook) for number in re.findall(NUMBER, text)}
    assert cited <= set(numbers()), cited - set(numbers())


def test_a_numbered_notebook_cites(book: Any) -> None:
    assert any(re.search(NUMBER, text) or "15.29" in text for text in prose(book)[-1:]), "Further names its sources"


def test_every_cell_has_slide_metadata(notebook: Any) -> None:
    for cell in notebook["cells"]:
        assert cell["metadata"]["slideshow"]["slide_type"] in SLIDES
    assert notebook["cells"][0]["metadata"]["slideshow"]["slide_type"] == "slide"


def test_no_widget_is_stored(notebook: Any) -> None:
    """Neither state nor views: a fresh clone has no kernel that could fill them."""
    assert "widgets" not in notebook["metadata"]
    assert not any(kind.startswith(WIDGETS) for found in outputs(notebook) for kind in found)


def test_nothing_stored_differs_from_run_to_run(notebook: Any) -> None:
    assert not any("execution" in cell["metadata"] for cell in notebook["cells"])
    for found in outputs(notebook):
        assert not any(UNSTABLE.search(text) for kind, text in found.items() if not kind.startswith("image/"))


def test_what_is_rich_has_a_twin_and_is_small(notebook: Any) -> None:
    """nbval compares text and HTML, never a picture."""
    for found in outputs(notebook):
        assert "stream" in found or "text/plain" in found
        assert not any(kind.startswith("image/") for kind in found) or "text/html" in found
        assert len(found.get("text/html", "").encode()) <= MOST_HTML
        assert not STRIPPED.search(re.sub(r'"[^"]*"', '""', found.get("text/html", "")))


def test_prose_needs_no_trust(notebook: Any) -> None:
    for text in prose(notebook):
        assert not STRIPPED.search(text)
        assert text.count("<details>") == text.count("</details>") == text.count("</summary>")
        assert all("](" not in image or image[2] != "]" for image in re.findall(r"!\[[^)]*\)", text)), "alt text"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=name_of)
def test_each_link_to_a_file_goes_somewhere(file: Path) -> None:
    links = [link for text in prose(read(file)) for link in re.findall(r"\]\(([^)#]+)\)", text)]
    assert [link for link in links if "://" not in link and not (file.parent / link).is_file()] == []


def test_it_asks_for_a_prediction_before_it_shows_what_happens(book: Any) -> None:
    at = next(n for n, cell in enumerate(book["cells"]) if "".join(cell["source"]).startswith("## Predict"))
    gate = next(cell for cell in book["cells"][at:] if cell["cell_type"] == "code")
    assert re.search(r"^Predict\(", "".join(gate["source"]), re.MULTILINE)
    [shown] = gate["outputs"]
    assert "".join(shown["data"]["text/plain"]).startswith("Predict: ")
    assert "<details>" in "".join(shown["data"]["text/html"])


def test_it_has_exercises_that_answer(book: Any) -> None:
    checks = checks_of(book)
    assert len(checks) >= 3
    for cell in checks:
        assert "still the stub" in "".join(cell["outputs"][0]["data"]["text/plain"])
    hints = [text for text in prose(book) if "<summary>Hint</summary>" in text]
    assert len(hints) == len(checks)


def checks_of(notebook: Any) -> list[Cell]:
    return [cell for cell in code(notebook) if re.search(r"^check\(", "".join(cell["source"]), re.MULTILINE)]


def test_its_solutions_are_right_and_say_why(pair: tuple[Any, Any]) -> None:
    asked, solved = ([re.findall(r"check\((\w+\.\w+)", "".join(c["source"]))[0] for c in checks_of(n)] for n in pair)
    assert asked == solved
    for cell in checks_of(pair[1]):
        assert "".join(cell["outputs"][-1]["data"]["text/plain"]).startswith("Right")
    kinds = [cell["cell_type"] for cell in pair[1]["cells"]]
    for n, cell in enumerate(pair[1]["cells"]):
        if cell in checks_of(pair[1]):
            last = max(k for k in range(n) if kinds[k] == "markdown")
            assert len("".join(pair[1]["cells"][last]["source"]).split()) >= 15, "each says why"


def test_it_ends_in_an_assertion(notebook: Any) -> None:
    assert re.search(r"^assert ", "".join(notebook["cells"][-1]["source"]), re.MULTILINE)
    assert notebook["cells"][-1]["cell_type"] == "code"


def test_it_runs_on_any_python(notebook: Any) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
