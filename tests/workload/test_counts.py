"""What an interrupt costs, re-derived from the Machine: a changed model changes these, and the notebook with them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from avickit import AvicError
from avickit.beat import Beats, World
from avickit.lab.machine import Machine
from avickit.lab.xen import XenHandle
from avickit.silicon.parts import Core
from avickit.workload import costs as priced
from avickit.workload.counts import Path, Target, count, counts, sleep, sleeps, tick, ticks
from avickit.workload.parameters import CELLS, Parameters
from avickit.workload.prices import PRICES, Standing
from avickit.xen.parts import Vcpu
from avickit.xen.sched import vcpu_unblock

EXPECTED = {
    # path: exits of the sender and of a running target; of the sender of a target that does not run, and of that
    Path.EMULATED: ({"VMEXIT_NPF": 3}, {"VMEXIT_INTR": 1, "VMEXIT_NPF": 1}, {"VMEXIT_NPF": 3}, {"VMEXIT_NPF": 1}),
    Path.AVIC: ({}, {}, {"AVIC_INCOMPLETE_IPI": 1}, {}),
    Path.PV: ({"VMEXIT_VMMCALL": 1}, {"VMEXIT_INTR": 1}, {"VMEXIT_VMMCALL": 1}, {}),
    Path.PV_AVIC: ({"VMEXIT_VMMCALL": 1}, {"VMEXIT_INTR": 1}, {"VMEXIT_VMMCALL": 1}, {}),
}


@pytest.mark.parametrize("path", Path)
@pytest.mark.parametrize("state", Target)
def test_exits_by_path_and_target(path: Path, state: Target) -> None:
    """X0-2: three accesses, a kick, an EOI; H-IPI-5: none; H-IPI-6: one; X0-11, X0-12: a hypercall and a kick."""
    found = count(path, state)
    running = state is Target.RUNNING
    sender, target = EXPECTED[path][:2] if running else EXPECTED[path][2:]
    assert (found.sender_exits, found.target_exits) == (sender, target)
    assert found.doorbells == found.accelerated == int(path is Path.AVIC and running)
    assert found.physical_ipis == int(path is not Path.AVIC and running)
    assert found.injections == int(path is not Path.AVIC)
    assert found == counts()[path, state]


def test_avic_is_the_shortest_path_in_beats_too() -> None:
    """The same trace, counted whole: an accelerated interrupt is an eighth of an emulated one."""
    beats = {path: counts()[path, Target.RUNNING].beats for path in Path}
    assert beats == {Path.EMULATED: 255, Path.AVIC: 32, Path.PV: 119, Path.PV_AVIC: 128}


def test_avic_changes_nothing_for_event_channels_but_beats() -> None:
    """X0-12: the same exits, signals and injections in all three states."""
    for state in Target:
        with_avic, without = counts()[Path.PV_AVIC, state], counts()[Path.PV, state]
        assert (with_avic.sender_exits, with_avic.target_exits) == (without.sender_exits, without.target_exits)
        assert with_avic.beats > without.beats


def test_a_tick() -> None:
    """Arming is an access, a trap or a hypercall; the timer's interrupt is an exit on each path. (X0-4, X5-4, X0-12)"""
    found = {path: dict(tick.target_exits) for path, tick in ticks().items()}
    upcall = {"VMEXIT_INTR": 1, "VMEXIT_VMMCALL": 1}
    assert found == {
        Path.EMULATED: {"VMEXIT_INTR": 1, "VMEXIT_NPF": 2},
        Path.AVIC: {"AVIC_NOACCEL": 1, "VMEXIT_INTR": 1},
        Path.PV: upcall,
        Path.PV_AVIC: upcall,
    }


@pytest.mark.parametrize("path", Path)
def test_the_wake_of_a_sleeper_is_counted(path: Path) -> None:
    """Unblocked once, given a core once, one VMRUN beside those that end its exits; nobody else is woken. (X0-8)"""
    for state in Target:
        found = count(path, state)
        assert found.unblocked == found.wakes == int(state is Target.SLEEPING)
        assert found.loads == int(state is not Target.RUNNING)
        assert found.entries == found.loads + sum(found.target_exits.values())


@pytest.mark.parametrize("path", Path)
def test_a_sleep(path: Path) -> None:
    """HLT is one exit on each path, and nobody is interrupted by it. (X0-7)"""
    found = sleep(path)
    assert found.target_exits == {"VMEXIT_HLT": 1}
    assert (found.doorbells, found.physical_ipis, found.wakes, found.entries) == (0, 0, 0, 0)
    assert not found.sender_exits
    assert found == sleeps()[path]


Booting = Callable[..., XenHandle]


@pytest.fixture
def booting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Booting, Machine, str], XenHandle]], None]:
    """Lets a test say how the machines boot on which `counts` counts; what it keeps was counted before."""
    boot, _ = Machine.boot, (counts(), ticks(), sleeps())
    return lambda how: monkeypatch.setattr(Machine, "boot", lambda m, line="": how(boot, m, line))


def test_a_changed_model_is_noticed(booting: Any) -> None:
    """Xen with eight patches of ten does not yet use AVIC: the accelerated path counts what the emulated one does."""
    booting(lambda boot, m, line: boot(m, line, patches=8))
    for state in Target:
        found = count(Path.AVIC, state)
        assert found != counts()[Path.AVIC, state]
        assert found == count(Path.EMULATED, state)
    assert tick(Path.AVIC) != ticks()[Path.AVIC]
    assert sleep(Path.AVIC) != sleeps()[Path.AVIC]


def test_a_model_that_wakes_nobody_has_no_count(booting: Any) -> None:
    """Were a sleeper never unblocked, there would be no number for its wake, not a wrong one."""

    def unblock_nobody(w: World, core: Core, v: Vcpu) -> Beats[None]:
        return
        yield

    def broken(boot: Booting, m: Machine, line: str) -> XenHandle:
        xen = boot(m, line)
        m.world.replace(vcpu_unblock, unblock_nobody, "test")
        return xen

    booting(broken)
    with pytest.raises(AvicError, match="blocked"):
        count(Path.PV, Target.SLEEPING)
    assert count(Path.PV, Target.PREEMPTED).wakes == 0


def test_costs_are_counts_times_prices() -> None:
    p = Parameters()
    emulated = priced.costs(p).ipi[Target.RUNNING]
    assert emulated.sender == 3 * (p.world_switch + p.mmio_emulation)
    target = p.world_switch + p.interrupt_exit + p.world_switch + p.mmio_emulation + p.injection + p.handler
    assert (emulated.flight, emulated.target) == (p.physical_ipi, target)
    avic = priced.costs(p.but(avic=True)).ipi[Target.RUNNING]
    assert (avic.sender, avic.flight, avic.target) == (p.icrl_write, p.doorbell, p.handler)


def test_sleeping_and_waking_are_counts_times_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """One HLT, one wake on each path; were two counted, two would be paid."""
    p = Parameters()
    for avic, pv in CELLS:
        found = priced.costs(p.but(avic=avic, pv=pv))
        assert (found.sleep, found.wake) == (p.world_switch + p.block, p.wake)
    twice = {key: replace(c, unblocked=2, loads=2, entries=c.entries + 1) for key, c in counts().items()}
    monkeypatch.setattr(priced, "counts", lambda: twice)
    assert priced.costs(p).wake == 2 * p.wake


def test_the_prices_are_near_what_is_known_of_them() -> None:
    """About 13, 0.5 to 0.8 and 3 microseconds to a running vCPU at 2.2 GHz."""
    us = {c: priced.costs(Parameters(avic=c[0], pv=c[1])).ipi[Target.RUNNING].total / 2200 for c in CELLS}
    assert us[False, False] == pytest.approx(13, rel=0.1)
    assert us[True, False] == pytest.approx(0.8, rel=0.1)
    assert us[False, True] == us[True, True] == pytest.approx(3, rel=0.1)


def test_each_price_has_a_source_and_lies_in_its_range() -> None:
    for name, price in PRICES.items():
        assert price.low <= price.cycles <= price.high, name
        assert price.buys, name
        assert price.source, name
        assert getattr(Parameters(), name) == price.cycles
    assert {p.standing for p in PRICES.values()} == set(Standing)


def test_an_exit_without_a_price_is_an_error() -> None:
    with pytest.raises(KeyError):
        priced.exits(Parameters(), {"VMEXIT_SMI": 1})
