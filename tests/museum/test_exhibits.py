"""Every exhibit shows its defect, by the check that the correct code passes; another defect in its place does not."""

import random

import pytest

import avickit
from avickit.beat import World
from avickit.errors import AvicError
from avickit.lab.exhibit import Exhibit, exhibit, exhibits, repairs, shown, swap, swapped, symptoms, tell
from avickit.lab.scenario import load
from avickit.museum.catalogue import item

NAMES = [d.id for d in exhibits()]
ASKED = {f"X{n:02}" for n in (*range(1, 9), *range(10, 17), 18, 19, 21, 22, 32)} | {"K01", "K02", "K04", "K07", "K08"}
PAIRS = swapped(NAMES)
SAMPLE = random.Random(5).sample([pair for pair in PAIRS if pair[0] != "X21"], 100)


def test_there_are_enough() -> None:
    assert set(NAMES) >= ASKED
    assert len({item(name).number for name in NAMES}) >= 45


@pytest.mark.parametrize("name", NAMES)
def test_an_exhibit_shows_what_the_catalogue_says(name: str) -> None:
    """The correct code passes; with the defect exactly the expectations of the catalogue fail."""
    found = exhibit(name)
    assert [str(check) for check in found.right.failures] == []
    assert not found.wrong.stopped
    assert symptoms(found.wrong) == list(found.defect.symptoms)
    assert set(found.explored) == set(found.defect.verdicts)
    assert found.ok
    assert bool(found.differs) != (found.defect.form == "repair")


@pytest.mark.parametrize(("name", "memory"), [("X02", "sc"), ("X03", "tso"), ("K01", "tso")])
def test_what_only_some_order_shows_is_found_among_all(name: str, memory: str) -> None:
    """The correct code is explored to its end with no finding; the defect loses a wake-up. (defects.md 2)"""
    right, wrong = exhibit(name).explored[memory]
    assert (right.verdict, right.complete) == ("pass", True)
    assert wrong.verdict == "lost wake-up"
    assert wrong.shortest.says == "d1v1 sleeps, and vector 41h waits in its IRR"
    if memory == "tso":
        assert exhibit(name).explored["sc"][1].verdict == "pass", "without store buffers it cannot be seen"


@pytest.mark.parametrize(("name", "defect"), [("X02", "X03"), ("X03", "X01"), ("X03", "X05"), ("K01", "X01")])
def test_another_defect_in_a_race_is_noticed(name: str, defect: str) -> None:
    assert not swap(name, defect).ok


@pytest.mark.slow
@pytest.mark.parametrize("name", ["X02", "X03", "K01"])
def test_any_other_defect_in_a_race_is_noticed(name: str) -> None:
    near = [d.id for d in exhibits() if d.patch in (0, 6, 7) and d.form != "repair" and not d.built_in]
    same = [other for other in near if other != name and swap(name, other).ok]
    assert same == list(item(name).same_as)


@pytest.mark.parametrize("name", [name for name in NAMES if item(name).cut])
def test_told_one_after_the_other_the_correct_code_holds_too(name: str) -> None:
    assert load(item(name).scenario).run().ok


def fails_with(name: str, defect: str) -> bool:
    """Whether the exhibit's check fails when another defect takes the place; two that do not go together fail too."""
    found = item(name)
    try:
        wrong = tell(found, (*repairs(found), defect))
    except AvicError:
        return True
    return bool(wrong.stopped) or symptoms(wrong) != list(found.symptoms)


@pytest.mark.parametrize(("name", "defect"), SAMPLE)
def test_another_defect_in_its_place_is_noticed(name: str, defect: str) -> None:
    if item(name).symptoms:
        assert fails_with(name, defect)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_any_other_defect_in_its_place_is_noticed(name: str) -> None:
    if item(name).symptoms:
        assert [b for a, b in PAIRS if a == name and not fails_with(a, b)] == []


@pytest.mark.parametrize(("name", "other"), [(a, b) for a in NAMES for b in item(a).same_as])
def test_what_the_catalogue_calls_the_same_is_the_same(name: str, other: str) -> None:
    assert swap(name, other).ok


def test_a_partial_repair_of_x11_repairs_nothing() -> None:
    """Polarity only, gating only: as published. B1's form notes the LDR, and the old entry stays. (defects.md X11)"""
    published = exhibit("X11").differs
    for name in ("X11-polarity", "X11-gating"):
        assert exhibit(name).differs == published
    b1 = exhibit("X11-b1").differs
    assert b1 == published[:-1]
    assert "entry 6" in published[-1], "the change of model enters the LDR again"
    early = exhibit("X11-early").differs
    assert [line for line in early if "entry 2: VALID (bit 31) is 0" in line], "the fresh entry is erased"


def test_the_naive_repair_of_x22_cures_it_and_stops_the_timer() -> None:
    """Leaving LAPIC vectors alone is right; forgetting pt_intr_post is not. (X8-2; defects.md X22)"""
    assert load("museum-x22").run(defects=["X22-naive"]).ok
    assert exhibit("X22-naive").differs == ["d1v0 taken: expected 31h 3 times, found 31h once"]


@pytest.mark.parametrize("name", ["X23", "X24", "X25", "X26", "X27", "X33"])
def test_what_the_series_has_itself_is_there_without_a_word(name: str) -> None:
    """The plain machine shows it; its own overlay changes nothing; the repair mends it. (series.md)"""
    scenario = load(item(name).scenario)
    assert scenario.run().ok
    plain, asked = scenario.run(defects=()), scenario.run(defects=[name])
    assert [str(c) for c in plain.failures] == [str(c) for c in asked.failures]
    assert not plain.ok


def test_a_cut_that_cannot_be_made_says_so() -> None:
    scenario = load("museum-x02")
    [late] = scenario.cut({"actor": "sleeper", "rule": "X0-6", "nth": 99}).failures
    assert "sleeper has no beat 99 of X0-6" in str(late)
    [nobody] = scenario.cut({"actor": "nobody", "rule": "X0-6", "nth": 1}).failures
    assert "nobody given, expected sleeper device" in str(nobody)


def test_a_told_exhibit_can_be_stepped_and_forked() -> None:
    """The cut is in the command log: a fork of the machine tells it again."""
    found = exhibit("X02")
    m = found.wrong.machine
    again = m.fork()
    assert again.world.at == m.world.at
    assert isinstance(again.world, World)
    assert list(again.trace) == list(m.trace)


def test_errors() -> None:
    with pytest.raises(AvicError, match=r"X17 .* has no exhibit: no run can show it"):
        shown("X17")
    with pytest.raises(AvicError, match="X23-fix is the repair that the exhibit X23 is told with"):
        shown("X23-fix")
    with pytest.raises(AvicError, match=r"defect: x11 given, expected a number of the catalogue; near it: X11"):
        exhibit("x11")


def test_an_exhibit_reads_as_text() -> None:
    found = avickit.exhibit("X06")
    assert repr(found) == (
        "<X06: Only the first target that matches is kicked; correct code: 5 expectations, 0 fail; "
        "with the defect 1 fail>"
    )
    assert str(found).splitlines()[1] == "  d1v2 lost_wakeup: expected False, found True"


def test_an_exhibit_as_data() -> None:
    found: Exhibit = exhibit("X06")
    data = found.data()
    assert data["ok"] is True
    assert data["differs"] == ["d1v2 lost_wakeup: expected False, found True"]
    assert data["right"]["ok"] is True
    assert data["wrong"]["ok"] is False
