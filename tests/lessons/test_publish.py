"""What leaves the notebooks: a folder for a class, a deck, a site, the glossary. All without Jupyter and network."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from avickit.cli import main
from avickit.data import notebooks
from avickit.errors import AvicError
from avickit.lab.rules import NUMBER, numbers
from avickit.lessons.books import book, books, needs
from avickit.lessons.glossary import WORDS, glossary

LOADED = re.compile(r"""(?:src|href)=["'](?!#|data:)([^"']+)|@import|url\((?!["']?(?:data:|\$))""")


def avickit(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_books_are_found_by_number_and_name() -> None:
    assert book("0").file == book("00").file == book("00-tour").file == books()[0].file
    assert book("00").title.startswith("An interrupt goes from one vCPU to another")
    with pytest.raises(AvicError, match="notebook: 99 given, expected 00"):
        book("99")


def test_a_library_that_lacks_is_named_with_its_cure() -> None:
    with pytest.raises(AvicError, match=r"no_such_library is not installed: pip install 'avickit\[publish\]'"):
        needs("no_such_library", "publish")


def test_a_lesson_is_packed(tmp_path: Path) -> None:
    result = avickit("lesson", "0", "00", "--to", str(tmp_path / "class"))
    assert result.exit_code == 0, result.output
    solved = {"solutions/00-tour.ipynb"} if book("0").solutions else set()
    packed = {file.relative_to(tmp_path / "class").as_posix() for file in (tmp_path / "class").rglob("*.*")}
    assert packed == {"00-tour.ipynb", "START.md"} | solved
    assert (tmp_path / "class/LICENSE").read_bytes() == (notebooks() / "LICENSE").read_bytes()
    assert (tmp_path / "class/00-tour.ipynb").read_bytes() == book("0").file.read_bytes()
    assert book("0").title in (tmp_path / "class/START.md").read_text("utf-8")


def test_a_lesson_without_solutions_holds_none(tmp_path: Path) -> None:
    numbers = [found.number for found in books()]
    result = avickit("lesson", *numbers, "--without-solutions", "--to", str(tmp_path / "class"))
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "class/solutions").exists()
    assert len(list((tmp_path / "class").glob("*.ipynb"))) == len(numbers)


def test_a_lesson_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    result = avickit("lesson", "0", "--to", str(tmp_path))
    assert result.exit_code == 2
    assert "one that does not exist yet" in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
    assert avickit("lesson", "77", "--to", str(tmp_path / "new")).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_a_deck_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "deck.html"
    result = avickit("slides", "0", "--to", str(file))
    assert result.exit_code == 0, result.output
    text = file.read_text("utf-8")
    markup = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
    assert [found for found in LOADED.findall(markup) if found] == []
    starts = [c["metadata"]["slideshow"]["slide_type"] for c in book("0").read()["cells"]]
    assert text.count("<section") >= starts.count("slide") + starts.count("subslide")
    assert "sourceMappingURL" not in text


def test_the_glossary_is_that_of_the_declarations() -> None:
    assert (notebooks() / "GLOSSARY.md").read_text("utf-8") == glossary(), "python -m avickit.lessons.glossary"
    for text in WORDS.values():
        assert set(re.findall(NUMBER, text)) <= set(numbers())


def test_a_site_is_built_with_links_and_search(tmp_path: Path) -> None:
    result = avickit("html", "--stored", "--to", str(tmp_path / "site"))
    assert result.exit_code == 0, result.output
    site = tmp_path / "site"
    for name in [b.file.stem for b in books()] + ["index", "search", "GLOSSARY"]:
        assert (site / f"{name}.html").is_file(), name
    front = (site / "index.html").read_text("utf-8")
    assert all(f'href="{b.file.stem}.html"' in front for b in books())
    assert "doorbel" in (site / "searchindex.js").read_text("utf-8")
    assert avickit("html", "1", "--stored", "--to", str(site)).exit_code == 0, "again, over the old one"


def test_a_site_is_not_built_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    result = avickit("html", "--to", str(tmp_path))
    assert result.exit_code == 2
    assert "an empty one, or a site that was built before" in result.output


def test_a_live_site_holds_its_views_beside_the_pages(tmp_path: Path) -> None:
    result = avickit("html", "3", "--to", str(tmp_path / "site"))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "site/03-non-static.html").read_text("utf-8")
    frames = re.findall(r'<iframe src="([^"]+)" title="([^"]+)"', page)
    assert len(frames) == 3
    for source, title in frames:
        view = (tmp_path / "site" / source).read_text("utf-8")
        assert "default-src 'none'" in view, title
    assert page.count("The same without stepping") == len(frames)
    assert not list((tmp_path / "site").glob("map-*")), "the index stands only where all notebooks are"
