"""Exploring races: orders and states per second, with and without reduction; the same protocol beside SPIN.

SPIN and a C compiler are needed for the comparison only; without them it is skipped.
"""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from avickit.lab.explore import explore
from tests.lab.principle import TABLE, of_principle

SCENARIOS = ("race-sleep-against-ipi", "race-sleep-against-device", "race-broadcast", "race-migrate-against-ipi")
MODEL = Path(__file__).parent / "spin" / "block.pml"
ROWS = ((0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (0, 3), (3, 3), (4, 3))
"""The rows of the race table as SENDER and TARGET of the model, in the order of the table."""
FULL = SCENARIOS[:2]
"""Small enough for all states."""


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_reduced(benchmark: Any, scenario: str, memory: str) -> None:
    """Partial order reduction: one order of each class."""
    measured(benchmark, scenario, memory, reduction=True)


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("scenario", FULL)
def test_not_reduced(benchmark: Any, scenario: str, memory: str) -> None:
    """Every reachable state; `orders` is how many orders lead through them."""
    measured(benchmark, scenario, memory, reduction=False)


def measured(benchmark: Any, scenario: str, memory: str, *, reduction: bool) -> None:
    """Explore, and note the figures."""
    benchmark._timer = time.process_time
    result = benchmark.pedantic(
        explore, args=(scenario, memory), kwargs={"reduction": reduction}, rounds=3, warmup_rounds=1
    )
    seconds = benchmark.stats.stats.min
    assert result.verdict == "pass"
    benchmark.extra_info["orders"] = result.orders or result.executions
    benchmark.extra_info["states"] = result.states
    benchmark.extra_info["orders a second"] = round((result.orders or result.executions) / seconds)
    benchmark.extra_info["states a second"] = round(result.states / seconds)
    benchmark.extra_info["ms"] = round(seconds * 1e3)


def ours() -> list[bool]:
    """Whether each row of the table loses a wake-up, under sc and tso."""
    found = []
    for row in TABLE:
        for memory in ("sc", "tso"):
            race, judge = of_principle(row)
            found.append(not explore(race, memory, judge=judge).ok)
    return found


def test_the_table_by_the_explorer(benchmark: Any) -> None:
    """Eight rows, two memory models."""
    benchmark._timer = time.process_time
    lost = benchmark.pedantic(ours, rounds=5, warmup_rounds=1)
    benchmark.extra_info["lost"] = sum(lost)
    benchmark.extra_info["ms"] = round(benchmark.stats.stats.min * 1e3, 1)


@pytest.mark.skipif(not (shutil.which("spin") and shutil.which("gcc")), reason="needs spin and gcc")
def test_the_table_by_spin(benchmark: Any, tmp_path: Path) -> None:
    """The same, written again in Promela: verdicts equal; on the clock, the compiler apart."""
    began = time.perf_counter()
    checkers = []
    for sender, target in ROWS:
        for memory in ((), ("-DTSO",)):
            folder = tmp_path / f"{sender}{target}{len(memory)}"
            folder.mkdir()
            shutil.copy(MODEL, folder)
            options = [f"-DSENDER={sender}", f"-DTARGET={target}", *memory]
            subprocess.run(["spin", "-a", *options, MODEL.name], cwd=folder, check=True, capture_output=True)
            subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-o", "pan", "pan.c"], cwd=folder, check=True)
            checkers.append(folder)
    made = time.perf_counter() - began
    said = benchmark.pedantic(lambda: [run(folder) for folder in checkers], rounds=5)
    assert [b"errors: 0" not in text for text in said] == ours()
    benchmark.extra_info["ms"] = round(benchmark.stats.stats.min * 1e3, 1)
    benchmark.extra_info["ms with making the checkers"] = round((made + benchmark.stats.stats.min) * 1e3)


def run(folder: Path) -> bytes:
    """Run a checker."""
    return subprocess.run(["./pan"], cwd=folder, check=True, capture_output=True).stdout
