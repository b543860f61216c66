"""The race table of defects.md section 2: row by row as small programs, and the same on the whole machine."""

from collections.abc import Callable

import pytest

from avickit import data
from avickit.beat import World
from avickit.lab.explore import explore
from avickit.lab.scenario import load
from tests.lab import overlays
from tests.lab.principle import TABLE, Row, of_principle

IPI, DEVICE = "race-sleep-against-ipi", "race-sleep-against-device"
NAMES = [f"{row.sender.__name__}-{row.target.__name__}" for row in TABLE]


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_a_row_of_the_table(row: Row, memory: str) -> None:
    race, judge = of_principle(row)
    result = explore(race, memory, judge=judge)
    lost = row.sc if memory == "sc" else row.tso
    assert result.complete
    assert result.bad.get("lost wake-up", 0) == lost
    assert result.verdict == ("lost wake-up" if lost else "pass")
    everything = explore(race, memory, judge=judge, reduction=False)
    assert (everything.finals, everything.bad) == (result.finals, result.bad)


def test_what_only_store_buffers_lose_is_invisible_without_them() -> None:
    hidden = [name for name, row in zip(NAMES, TABLE, strict=True) if row.tso and not row.sc]
    assert hidden == ["irr_then_running-plain_clear", "irr_without_barrier-locked_clear"]


def test_x02_loses_one_final_state_and_an_unblock_none() -> None:
    """defects.md X02: one lost final state; none with the unconditional unblock."""
    counts = []
    for row in TABLE[6:]:
        race, judge = of_principle(row)
        result = explore(race, "sc", judge=judge)
        counts.append((result.finals, dict(result.bad)))
    assert counts == [(3, {"lost wake-up": 1}), (2, {})]


MACHINE: dict[str, tuple[str, Callable[[World], None] | None, str, str]] = {
    "as intended": (IPI, None, "pass", "pass"),
    "plain clear, X03": (IPI, overlays.plain_clear, "pass", "lost wake-up"),
    "IRR read before the clear": (IPI, overlays.look_then_clear, "lost wake-up", "lost wake-up"),
    "IsRunning read before IRR is set": (IPI, overlays.running_then_irr, "lost wake-up", "lost wake-up"),
    "IsRunning never cleared, X01": (IPI, overlays.never_cleared, "lost wake-up", "lost wake-up"),
    "no unblock, X02": (DEVICE, overlays.no_unblock, "lost wake-up", "lost wake-up"),
    "always unblock": (DEVICE, None, "pass", "pass"),
}


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("name", MACHINE)
def test_a_row_on_the_whole_machine(name: str, memory: str) -> None:
    scenario, overlay, sc, tso = MACHINE[name]
    result = explore(scenario, memory, overlay=overlay)
    assert result.verdict == (sc if memory == "sc" else tso)
    assert result.complete


@pytest.mark.parametrize(("memory", "verdict"), [("sc", "pass"), ("tso", "lost wake-up")])
def test_erratum_1235_on_the_whole_machine(memory: str, verdict: str) -> None:
    """H-CPUID-5: the IRR write is no barrier, so the sender may miss that IsRunning was cleared."""
    text = data.scenario(IPI).read_text("utf-8") + "\n[machine]\nerrata = [1235]\n"
    assert explore(load(text), memory).verdict == verdict
