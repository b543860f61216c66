"""The comparison as people see it: its sentences, its numbers, its size, and that nothing strange gets in."""

from typing import Any

import pytest

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show import Compare, Stepper
from avickit.show.comparison import MOST_LINES
from tests.lab.test_aligned import play
from tests.show.scene import Scene

LIMIT = 30_000
NAMES = ("patches=5", "patches=6")


@pytest.fixture(scope="module")
def before_and_after() -> Compare:
    """One IPI at patch 5 and at patch 6."""
    old, new = (play(["send", "eoi"], patches=n, svm_avic=True) for n in (5, 6))
    return Compare(old, new, names=NAMES)


def test_it_says_where_and_with_what_they_begin_to_differ(before_and_after: Compare) -> None:
    """X6-2: the entry says that the target runs, so the doorbell rings and nobody exits."""
    text = before_and_after.text
    assert "First difference: step 8, d1v0: write 41h to ICRL. It shows in exits." in text
    assert "CHECK: reads IsRunning in entry 2: 0  [H-IPI-5]" in text
    assert "CHECK: reads IsRunning in entry 2: 1  [H-IPI-5]" in text
    assert "> 8    d1v0: write 41h to ICRL " in text
    for word in ("reads IsRunning in entry 2: 0", "reads IsRunning in entry 2: 1", "&gt; 8", "AVIC_INCOMPLETE_IPI"):
        assert word in before_and_after.html


def test_its_numbers_are_those_of_the_machines(before_and_after: Compare) -> None:
    c = before_and_after.comparison
    for which, trace in enumerate((c.left, c.right)):
        exits = sum(trace.world.at[guest.exit_count] for guest in trace.world.objects["guests"])
        assert before_and_after.counts["exits"][which] == exits
        assert before_and_after.counts["beats"][which] == len(trace)
        assert before_and_after.counts["doorbells"][which] == len(trace.where(kind="SIGNAL", rule="H-BELL-1"))
    assert sum(line[2] for line in c.by_code()) == before_and_after.counts["exits"][0]
    assert [sum(n) for n in zip(*(line.counts[0] for line in c.lines()), strict=True)] == [4, 2]


def test_first_and_its_beats_can_be_asked_for(before_and_after: Compare) -> None:
    assert before_and_after.first
    assert before_and_after.first.number == 8
    left, right = before_and_after.first_beats
    assert left
    assert right
    assert before_and_after.comparison.left[left].say != before_and_after.comparison.right[right].say


def test_steps_that_are_alike_are_folded_and_can_be_unfolded(before_and_after: Compare) -> None:
    assert "1-7  7 steps alike" in before_and_after.text
    _, _, folded = before_and_after.html.partition("<details>")
    assert "run d1v1 on core 1" in folded
    assert folded.count("<tr") == 2 + 7


def test_without_a_difference_it_says_so() -> None:
    same = Compare(play(["send"]), play(["send"]))
    assert same.first is None
    assert same.first_beats == (None, None)
    assert "No difference in 8 steps." in same.text
    assert "No difference in 8 steps." in same.html


def test_weaker_differences_are_called_what_they_are() -> None:
    """Patch 10 counts: beats more, and nothing that a guest could notice."""
    c = Compare(play(["send"], patches=9), play(["send"], patches=10))
    assert "Guests, exits and outcome are alike in 8 steps. The first difference is in beats" in c.text


def test_it_counts_from_the_step_that_is_asked_for() -> None:
    machines = play(["send", "eoi"], patches=0, cmdline=""), play(["send", "eoi"])
    assert Compare(*machines).counts["exits"] == (6, 2)
    later = Compare(*machines, since=7)
    assert later.counts["exits"] == (4, 0)
    assert later.first
    assert later.first.number == 7
    with pytest.raises(AvicError, match=r"since: 10 given, expected 1\.\.9"):
        Compare(*machines, since=10)


def test_a_fork_that_acted_is_told_from_its_original(ipi: Scene) -> None:
    fork = ipi.m.fork(ipi.handed.n)
    assert fork.xen
    fork.xen.deschedule(fork.vcpu(1), sync=True)
    fork.finish()
    c = Compare(ipi.m, fork, names=("as it was", "what if"))
    assert "deschedule d1v1, saving it at once (only what if)" in c.html
    assert "reads IsRunning in entry 2: 0" in c.text


def test_long_programs_stay_small() -> None:
    c = Compare(play(["send", "eoi", "irq"] * 40, patches=0, cmdline=""), play(["send", "eoi", "irq"] * 40))
    assert len(c.html.encode()) <= LIMIT
    assert len(c.comparison.lines()) > MOST_LINES
    assert "more lines" in c.text
    assert "more lines" in c.html


def test_steppers_and_traces_are_sides_too(ipi: Scene) -> None:
    c = Compare(Stepper(ipi.m, ipi.b.page), ipi.m.trace, names=("a", "b"))
    assert c.first is None


@pytest.mark.parametrize(
    ("sides", "names", "said"),
    [
        ((1, 2), ("a", "b"), "side of a comparison: 1 given"),
        ((None, None), ("a", "a"), "names: .* two different names"),
        ((None, None), ("a", ""), "two different names"),
        ((None, None), ("a", "b", "c"), "two different names"),
    ],
)
def test_what_cannot_be_compared_is_named(ipi: Scene, sides: Any, names: Any, said: str) -> None:
    left, right = (ipi.m if side is None else side for side in sides)
    with pytest.raises(AvicError, match=said):
        Compare(left, right, names)


def test_a_recording_that_is_not_whole_is_refused() -> None:
    m = Machine(cores=1, limit=5)
    m.boot("svm=avic")
    with pytest.raises(AvicError, match="limit of 5"):
        Compare(m, m)


def test_names_of_strangers_stay_text(ipi: Scene) -> None:
    evil = "<img src=x onerror=alert(1)>"
    assert "<img" not in Compare(ipi.m, ipi.m, (evil, f"{evil}2")).html
