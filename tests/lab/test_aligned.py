"""Two traces side by side: steps matched by the program, the first difference, and what is the same with itself."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avickit.errors import AvicError
from avickit.lab.aligned import STRONG, align, beat_key, beat_pairs, first_beats, first_of, matched
from avickit.lab.machine import Machine
from avickit.lab.steps import steps_of
from avickit.silicon.guest import read, write

ACTS: dict[str, Callable[[Machine, Any, Any], object]] = {
    "send": lambda m, a, b: (a.guest.write("ICRH", b.apic_id << 24), a.guest.write("ICRL", 0x41)),
    "self": lambda m, a, b: a.guest.write("ICRL", 0x40052),
    "tpr": lambda m, a, b: a.guest.write("TPR", 0x50),
    "read": lambda m, a, b: a.guest.read("PPR"),
    "eoi": lambda m, a, b: a.guest.eoi(),
    "both": lambda m, a, b: a.guest.execute((write("ICRH", b.apic_id << 24), read("ICRH"))),
    "irq": lambda m, a, b: m.command("set_irq", b.vcpu.guest.index, 0x63, False, None),
}


def play(acts: list[str], *, patches: int = 10, cmdline: str = "svm=avic", **boot: Any) -> Machine:
    """Two vCPUs, and what they do."""
    m = Machine(cores=4)
    xen = m.boot(cmdline, patches=patches, **boot)
    a, b = xen.create_domain(vcpus=2).vcpus
    for core, vcpu in enumerate((a, b)):
        xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    for act in acts:
        ACTS[act](m, a, b)
    return m


acts = st.lists(st.sampled_from(sorted(ACTS)), max_size=6)


@settings(max_examples=25)
@given(acts)
def test_a_machine_does_not_differ_from_itself(program: list[str]) -> None:
    one, other = play(program), play(program)
    pairs = align(one.trace, other.trace)
    assert all(pair.kinds == () for pair in pairs)
    assert first_of(pairs) is None
    assert all(i == j and same for pair in pairs for i, j, same in beat_pairs(one.trace, other.trace, pair))


@settings(max_examples=25)
@given(acts, st.data())
def test_a_fork_is_the_original_up_to_its_beat(program: list[str], data: st.DataObject) -> None:
    """And where it acts, nothing before that beat differs."""
    m = play([*program, "send"])
    n = data.draw(st.integers(m.trace.commands[-1].first + 1, len(m.trace) - 1))
    fork = m.fork(n)
    [*same, last] = align(m.trace, fork.trace)
    assert all(pair.kinds == () for pair in same)
    assert first_beats(m.trace, fork.trace, last) == (n + 1, None)
    fork.finish()
    assert first_of(align(m.trace, fork.trace)) is None
    assert [beat_key(m.trace, k) for k in range(1, len(m.trace) + 1)] == [
        beat_key(fork.trace, k) for k in range(1, len(fork.trace) + 1)
    ]


@settings(max_examples=25)
@given(acts, st.sampled_from([0, 4, 5, 6]))
def test_steps_stand_beside_each_other_whatever_they_cost(program: list[str], patches: int) -> None:
    """Emulated, a step has many more beats; the program is the same, so no step stands alone."""
    emulated = play(program, patches=patches, cmdline="")
    pairs = align(emulated.trace, play(program).trace)
    assert all(pair.left and pair.right for pair in pairs)
    assert len(pairs) == len(emulated.trace.commands)


@settings(max_examples=25)
@given(acts)
def test_every_beat_belongs_to_one_step(program: list[str]) -> None:
    m = play([*program, "send"])
    fork = m.fork(m.trace.commands[-1].first + 3)
    assert fork.xen
    fork.xen.pause(fork.vcpu(1))
    fork.finish()
    for trace in (m.trace, fork.trace):
        numbers = sorted(n for step in steps_of(trace) for n in step.beats)
        assert numbers == list(range(1, len(trace) + 1))


@given(st.text("abcd", max_size=12), st.text("abcd", max_size=12))
def test_matching_keeps_both_orders_and_matches_equals_only(one: str, other: str) -> None:
    found = matched(one, other)
    assert [one[i] for i, _ in found if i is not None] == list(one)
    assert [other[j] for _, j in found if j is not None] == list(other)
    assert all(one[i] == other[j] for i, j in found if i is not None and j is not None)
    both = [(i, j) for i, j in found if i is not None and j is not None]
    assert all(i < k and j < n for (i, j), (k, n) in pairwise(both))


def test_matching_by_hand() -> None:
    assert matched("abxc", "abc") == [(0, 0), (1, 1), (2, None), (3, 2)]
    assert matched("", "a") == [(None, 0)]
    assert matched("", "") == []


def test_patch_6_brings_is_running() -> None:
    """X6-2, H-IPI-5: the same IPI, an exit at patch 5, a doorbell at patch 6, from the beat on that reads IsRunning."""
    old, new = (play(["send"], patches=n, svm_avic=True) for n in (5, 6))
    pairs = align(old.trace, new.trace)
    index = first_of(pairs)
    assert index is not None
    pair = pairs[index]
    assert pair.text == "d1v0: write 41h to ICRL"
    assert {"exits", "doorbells"} <= set(pair.kinds)
    assert "guest" not in pair.kinds, "the target takes 41h on both sides"
    said = [
        trace[n].say
        for trace, n in zip((old.trace, new.trace), first_beats(old.trace, new.trace, pair), strict=True)
        if n
    ]
    assert said == ["reads IsRunning in entry 2: 0", "reads IsRunning in entry 2: 1"]
    assert pair.left
    assert pair.left.exit_codes() == {"AVIC_INCOMPLETE_IPI": 1, "VMEXIT_INTR": 1}


def test_what_a_guest_notices_is_told_apart() -> None:
    old, new = play(["read"]), play(["tpr", "read"])
    pairs = align(old.trace, new.trace)
    assert [pair.kinds for pair in pairs if pair.left is None] == [("program",)]
    assert "guest" in pairs[-1].kinds, "PPR reads 0 and 50h"
    assert first_of(pairs) == len(pairs) - 1, "what one side does more is no result"
    assert pairs[-2].text == "d1v0: write 50h to TPR"


def test_a_step_that_was_stopped_keeps_its_beats() -> None:
    m = play(["send"])
    n = m.trace.commands[-1].first + 5
    fork = m.fork(n)
    assert fork.xen
    fork.xen.pause(fork.vcpu(1))
    fork.step(2)
    fork.finish()
    send, pause = steps_of(fork.trace)[-2:]
    assert send.text == "d1v0: write 41h to ICRL"
    assert [len(piece) for piece in send.pieces][:2] == [5, 2]
    assert len(send.pieces) == 3
    assert pause.text == "pause d1v1"
    assert pause.pieces[0].start == n + 1


def test_a_fork_of_a_fork_knows_what_still_stands() -> None:
    m = play(["send"])
    fork = m.fork(m.trace.commands[-1].first + 5)
    assert fork.xen
    fork.xen.pause(fork.vcpu(1))
    again = fork.fork()
    again.finish()
    fork.finish()
    assert first_of(align(fork.trace, again.trace)) is None
    assert [step.text for step in steps_of(again.trace)][-2:] == ["d1v0: write 41h to ICRL", "pause d1v1"]


def test_what_is_not_whole_is_refused() -> None:
    m = Machine(cores=1, limit=5)
    m.boot("svm=avic")
    with pytest.raises(AvicError, match="limit of 5"):
        steps_of(m.trace)
    with pytest.raises(AvicError, match="trace: list given"):
        steps_of([])  # type: ignore[arg-type]


def test_strong_differences_come_first() -> None:
    assert STRONG == ("guest", "exits", "outcome")
