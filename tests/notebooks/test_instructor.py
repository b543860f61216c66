"""INSTRUCTOR.md has what a lecturer needs for each notebook, and what it says about files, sections, seeds is so."""

import json
import re
from pathlib import Path

import pytest

from avickit.cli import main
from avickit.lessons import check, e04_init, given
from avickit.lessons.books import books

HOME = Path(__file__).parents[2] / "notebooks"
TEXT = (HOME / "INSTRUCTOR.md").read_text(encoding="utf-8")
FOUND = re.findall(r"^## (\d\d) .+\n((?:(?!## ).*\n)*)", TEXT, re.MULTILINE)
SECTIONS: dict[str, str] = dict(FOUND)
CLASS = 50  # minutes
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
EXAM = re.compile(r"^(\d)\. (.+?) \*Answer:\* (.+)$", re.MULTILINE)


@pytest.fixture(params=sorted(SECTIONS))
def section(request: pytest.FixtureRequest) -> str:
    number: str = request.param
    return SECTIONS[number]


def test_every_notebook_has_one_section_in_order() -> None:
    assert {book.number for book in books()} <= SECTIONS.keys()
    assert [number for number, _ in FOUND] == sorted(SECTIONS)


def test_a_plan_fills_the_class(section: str) -> None:
    assert sum(int(minutes) for minutes, _, _ in ROW.findall(section)) == CLASS


@pytest.mark.parametrize("number", [book.number for book in books()])
def test_a_plan_names_sections_of_its_notebook(number: str) -> None:
    [file] = HOME.glob(f"{number}-*.ipynb")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    headings = [heading.partition(":")[0] for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    named = [name for _, name, _ in ROW.findall(SECTIONS[number])]
    assert named == [heading for heading in headings if heading in named], "all there, in the order of the notebook"


def test_it_has_goals_misconceptions_and_three_questions_with_answers(section: str) -> None:
    assert re.search(r"^\*\*Goals\.\*\* \w", section, re.MULTILINE)
    assert re.search(r"^\*\*Misconceptions\.\*\* \w", section, re.MULTILINE)
    assert [number for number, _, _ in EXAM.findall(section.partition("**Exam.**")[2])] == ["1", "2", "3"]


def test_for_whom_it_is_and_how_it_is_shown() -> None:
    wanted = ["Audience and prior knowledge", "Ten minutes before", "On a projector, 1280x720", "Exercises and seeds"]
    assert [heading for heading in re.findall(r"^## (.+)$", TEXT, re.MULTILINE) if heading in wanted] == wanted


def test_the_commands_and_files_that_it_names_exist() -> None:
    assert set(re.findall(r"`avickit (\w+)", TEXT)) <= main.commands.keys()
    files = re.findall(r"`([\w-]+\.(?:md|ipynb))`", TEXT)
    assert all((HOME / name).is_file() for name in files if name != "START.md"), files


def test_a_seed_gives_another_input_whose_answer_is_checked_with_that_seed() -> None:
    [(entry, word)] = e04_init.READ.drawn("B")
    right = (entry // 2, word >> 12 & (1 << 40) - 1)
    assert repr(given(e04_init.READ, seed="B")) != repr(given(e04_init.READ))
    assert repr(check(e04_init.READ, right, seed="B")).startswith("Right")
    assert not repr(check(e04_init.READ, right)).startswith("Right")
