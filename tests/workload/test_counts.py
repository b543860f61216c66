"""What an interrupt costs, re-derived from the Machine: a changed model changes these, and the notebook with them."""

import pytest

from avickit.lab.handles import VcpuHandle
from avickit.workload import costs as priced
from avickit.workload.counts import Path, Target, count, counts, ticks
from avickit.workload.parameters import CELLS, Parameters
from avickit.workload.prices import PRICES, Standing

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


def test_a_changed_model_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the target's EOI not counted as an exit, the count would say so: it is the machine's, not a table's."""
    monkeypatch.setattr(VcpuHandle, "exit_count", property(lambda self: 0))
    assert count(Path.EMULATED, Target.RUNNING) != counts()[Path.EMULATED, Target.RUNNING]


def test_costs_are_counts_times_prices() -> None:
    p = Parameters()
    emulated = priced.costs(p).ipi[Target.RUNNING]
    assert emulated.sender == 3 * (p.world_switch + p.mmio_emulation)
    target = p.world_switch + p.interrupt_exit + p.world_switch + p.mmio_emulation + p.injection + p.handler
    assert (emulated.flight, emulated.target) == (p.physical_ipi, target)
    avic = priced.costs(p.but(avic=True)).ipi[Target.RUNNING]
    assert (avic.sender, avic.flight, avic.target) == (p.icrl_write, p.doorbell, p.handler)


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
