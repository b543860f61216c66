"""data/defects.toml and the overlays agree; a reader finds the code by the number; a bad file is refused by name."""

import inspect
import re
from pathlib import Path

import pytest

from avickit import data
from avickit.beat import Op
from avickit.errors import AvicError
from avickit.lab.exhibit import code, exhibits
from avickit.lab.machine import Machine
from avickit.lab.rules import numbers
from avickit.museum import MODULES, OVERLAYS
from avickit.museum.catalogue import CONFIDENCE, catalogue, item, read, versions

TEXT = data.path("defects.toml").read_text("utf-8")
HEAD = 'format = 1\n[[version]]\nname = "A1"\nsays = "one"\n'
ITEM = '[[defect]]\nid = "X99"\ntitle = "wrong"\npatch = 5\nrules = ["X5-6"]\nconfidence = "S"\nfunction = "some"\n'
NOT_HERE = 'not_modelled = "no reason"\n'


def test_every_overlay_is_in_the_catalogue_and_the_other_way_round() -> None:
    assert set(OVERLAYS) == {d.id for d in catalogue().values() if d.modelled}


def test_every_number_of_the_xen_series_and_of_kvm_is_there() -> None:
    have = {d.number for d in catalogue().values()}
    assert have == (
        {f"X{n:02}" for n in range(1, 45)} | {f"P{n}" for n in range(1, 11)} | {f"K{n:02}" for n in range(1, 25)}
    )


def test_each_item_is_whole() -> None:
    for d in catalogue().values():
        assert set(d.rules) <= set(numbers()), d.id
        assert set(d.confidence.split("/")) <= set(CONFIDENCE), d.id
        assert all(letter in d.certainty for letter in d.confidence.split("/"))
        assert set(d.same_as) <= set(catalogue()), d.id
        assert d.number != d.id or d.number[0] in "XKP"
        assert not d.title.endswith("."), d.id


def test_kvm_items_are_told_as_kvms() -> None:
    assert item("K02").whose == "KVM's defect on this machine"
    assert item("X11").whose == "a defect of the Xen series"
    assert item("P4").whose == "a defect of the prototypes of 2016"


def test_what_leans_on_hardware_says_so() -> None:
    """H and M are told as such. (defects.md)"""
    assert "the manual leaves open" in item("X24").certainty
    assert "not fully traced" in item("X26").certainty
    assert item("X09").confidence == item("X01").confidence == "S/H"
    assert {d.confidence for d in catalogue().values() if d.number[0] in "KP"} == {"-"}
    assert item("K02").certainty.startswith("-: no letter")


@pytest.mark.parametrize("name", [d.id for d in exhibits()])
def test_a_reader_goes_from_number_to_code(name: str) -> None:
    """The lines that `avickit museum` gives are those of functions whose docstrings name number and rule."""
    places = code(name)
    assert places
    root = Path(__file__).parents[2]
    for place in places:
        file, line, function = re.fullmatch(r"(.+\.py):(\d+) (\w+)", place).groups()  # type: ignore[union-attr]
        source = (root / file).read_text("utf-8").splitlines()
        assert any(f"def {function}(" in text for text in source[int(line) - 1 : int(line) + 3]), place
    assert any(place.startswith("avickit/museum/") for place in places)


def test_every_step_of_the_museum_cites_its_number_and_a_rule() -> None:
    for module in MODULES:
        for name, fn in inspect.getmembers(module, inspect.isfunction):
            if fn.__module__ == module.__name__ and inspect.isgeneratorfunction(getattr(fn, "fn", fn)):
                doc = fn.__doc__ or ""
                assert re.search(r"\b(H-[A-Z0-9]+-\w+|X\d+-\d+)", doc), name
                shared = name in ("claim", "release", "note_model", "set_avic")
                assert shared or re.search(r"\b([XK]\d\d|P\d+)\b", doc), name


@pytest.mark.parametrize("name", sorted(OVERLAYS))
def test_an_overlay_replaces_steps_under_its_own_name(name: str) -> None:
    """Each replaced step is an Op of the machine, and the World says by whom. (design.md, ideas 3)"""
    m = Machine(cores=1, record=False)
    m.boot(defects=[name])
    mine = [op for op, by in m.world.by.items() if by == name]
    assert mine or item(name).built_in or name in ("X32", "X32-b1", "X43")
    assert all(isinstance(op.name, str) for op in mine)
    assert all(callable(op) for op in mine)
    assert Op is not None


def test_versions() -> None:
    assert list(versions()) == ["P16", "A1", "A2", "B1", "B2"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("format = ", "no TOML"),
        (HEAD, "the file: .*must contain \\['defect'\\]"),
        (HEAD + ITEM, "X99: where when consequence notices fix shows scenario missing; not_modelled says why"),
        (HEAD + (ITEM + NOT_HERE) * 2, "X99 comes a second time"),
        (HEAD + ITEM + 'colour = "red"\n', "X99: .*must not contain {'colour'} properties"),
        (HEAD + ITEM.replace('"S"', '"Q"'), "confidence: .*must be one of"),
        (HEAD + ITEM.replace("patch = 5", "patch = 11"), "patch: .*must be smaller than or equal to 10"),
        (HEAD + ITEM.replace("X99", "X99-b1") + NOT_HERE, "X99-b1: a name with a suffix"),
        (HEAD + ITEM + NOT_HERE + 'versions = ["A1"]\nabsent = ["A1"]\n', "X99: A1 both in versions and in absent"),
        (HEAD + ITEM + NOT_HERE + 'versions = ["C7"]\n', "must be one of"),
    ],
)
def test_a_bad_file_is_refused_and_named(text: str, error: str) -> None:
    with pytest.raises(AvicError, match=error) as found:
        read(text)
    assert str(found.value).startswith("defects.toml: ")


def test_the_shipped_file_can_be_read_from_its_text() -> None:
    assert read(TEXT) == catalogue()


@pytest.mark.parametrize(
    ("name", "near"),
    [("x11", "X11"), ("X1", "X01"), ("K1", "K01"), ("X11b1", "X11-b1"), ("X18-A2", "X18-a2"), ("zzz", "X11")],
)
def test_an_unknown_name_comes_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(AvicError, match=f"defect: {name} given, .*near it: .*{near}"):
        item(name)
