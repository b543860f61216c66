"""The notebooks' prose is spelled by a word list: English from pyspellchecker, names from the declarations, words.txt.

pyspellchecker, because its English list comes inside the package: no network, no dictionary of the system. Prose is
the text of markdown cells and whatever a code cell says in a string of some words: questions, options, their whys.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from spellchecker import SpellChecker

from avickit.lab.rules import NUMBER
from avickit.lessons.glossary import EXITS, STRUCTURES, WORDS
from avickit.manual.apic_map import MAP

HOME = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted([*HOME.glob("*.ipynb"), *HOME.glob("solutions/*.ipynb")])
PAGES = sorted(HOME.glob("*.md"))
ENGLISH = SpellChecker()
OWN = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()
NO_PROSE = re.compile(rf"```.*?```|`[^`]*`|<[^>]+>|(?<=\])\([^)]*\)|{NUMBER}|\b\w*\d[\w.]*|\b[A-F]+h\b", re.DOTALL)
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
SENTENCE = 3


def declared() -> set[str]:
    """What the declarations name: registers, fields, exits; the parts of a name, too."""
    names = [row.name for row in MAP] + [code.name for code in EXITS] + list(WORDS)
    for kinds in STRUCTURES.values():
        names += [name for kind in kinds for name in (kind.__name__, *kind.fields)]
    return {word for name in names for word in WORD.findall(name.replace("_", " "))}


KNOWN = {word.removesuffix("s") for word in [*declared(), *OWN]}


def misspelled(text: str) -> set[str]:
    """The words of a text that no list has. Code, links, numbers and rules are no words."""
    words = {word.removesuffix("'s") for word in WORD.findall(NO_PROSE.sub(" ", text))}
    return {word for word in words if word.removesuffix("s") not in KNOWN and word.lower() not in ENGLISH}


def strings(source: str) -> Iterator[str]:
    """The strings of a code cell that are sentences."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(WORD.findall(node.value)) >= SENTENCE:
            yield node.value


def prose(file: Path) -> Iterator[str]:
    """All that a reader of a notebook, or of a page, reads as language."""
    if file.suffix == ".md":
        yield file.read_text(encoding="utf-8")
        return
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        yield from [source] if cell["cell_type"] == "markdown" else strings(source)


@pytest.mark.parametrize("file", [*NOTEBOOKS, *PAGES], ids=lambda file: file.relative_to(HOME).as_posix())
def test_all_words_are_known(file: Path) -> None:
    assert not {word for text in prose(file) for word in misspelled(text)}, "a slip, or a word for words.txt"


def test_the_lists_find_slips_and_only_slips() -> None:
    assert misspelled(
        "The interupt is recieved by a seperate vCPU's APIC, the vCPUs' behaviour is definately right"
    ) == {
        "interupt",
        "recieved",
        "seperate",
        "definately",
    }
    assert not misspelled("`recieve` [it](recieve.md) at FEE0_0000h, H-IPI-5; vector 2Fh, FFh; ICRL, IsRunning")


def test_a_string_of_some_words_counts_as_prose() -> None:
    assert list(strings('Predict("Who recieves it?", {"svm=avic": 1})')) == ["Who recieves it?"]


def test_words_txt_is_in_order_and_repeats_nothing_that_is_declared() -> None:
    assert sorted(set(OWN), key=lambda word: (word.lower(), word)) == OWN
    assert not declared() & set(OWN)
