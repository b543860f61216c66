"""The house rules of notebooks: nbval checks what a cell shows, this checks how the notebooks are made.

nbval passes a code cell that was never run, and it skips widget views and pictures; so these are looked at here.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MOST_LINES, MOST_WORDS, MOST_HTML = 8, 60, 30_000
SECTIONS = ("Before", "The patch", "After", "Predict", "Exercises", "Further")
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
WIDGETS = "application/vnd.jupyter.widget"
UNSTABLE = re.compile(r"\bat 0x[0-9a-f]{6,}|/(home|root|tmp|Users)/|site-packages|Traceback")
STRIPPED = re.compile(r"<(script|style|svg|iframe)\b|\bon\w+=|\baria-|\bdata-", re.IGNORECASE)

Cell = dict[str, Any]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text(encoding="utf-8"))


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


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


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


def test_it_has_its_sections_in_order(notebook: Any) -> None:
    assert len(headings(notebook, 1)) == 1
    told = [heading.partition(":")[0] for heading in headings(notebook, 2)]
    assert [name for name in told if name in SECTIONS] == list(SECTIONS)


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


def test_it_asks_for_a_prediction_and_gives_a_why_for_each_answer(notebook: Any) -> None:
    after = "\n".join(prose(notebook)).partition("## Predict")[2].partition("\n## ")[0]
    answers = re.findall(r"<summary>(.+?)</summary>(.+?)</details>", after)
    assert len(answers) >= 2
    assert all(len(why.split()) > 3 for _, why in answers)


def test_it_has_exercises_that_answer(notebook: Any) -> None:
    checks = [cell for cell in code(notebook) if re.search(r"^check\(", "".join(cell["source"]), re.MULTILINE)]
    assert len(checks) >= 3
    for cell in checks:
        assert "still the stub" in "".join(cell["outputs"][0]["data"]["text/plain"])


def test_it_ends_in_an_assertion(notebook: Any) -> None:
    assert re.search(r"^assert ", "".join(notebook["cells"][-1]["source"]), re.MULTILINE)
    assert notebook["cells"][-1]["cell_type"] == "code"


def test_it_runs_on_any_python(notebook: Any) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
