"""Counts times prices: what an interrupt of a cell costs its sender, on the way, and its target, in cycles.

Does not model: a cost that is neither counted (`counts`) nor priced (`prices`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from avickit.workload.counts import Count, Path, Target, counts, sleeps, ticks
from avickit.workload.parameters import Parameters

HANDLING = {
    "VMEXIT_NPF": "mmio_emulation",
    "VMEXIT_VMMCALL": "hypercall",
    "VMEXIT_INTR": "interrupt_exit",
    "AVIC_INCOMPLETE_IPI": "incomplete_ipi",
    "AVIC_NOACCEL": "noaccel",
    "VMEXIT_HLT": "block",
}
"""The price of handling an exit. One without a price is a KeyError: a changed model is not priced silently."""


@dataclass(frozen=True)
class Cost:
    """Cycles of one interrupt: `sender` and `target` are kept from their work, `flight` passes in between."""

    sender: int
    flight: int
    target: int

    @property
    def total(self) -> int:
        """All three."""
        return self.sender + self.flight + self.target


@dataclass(frozen=True)
class Costs:
    """A cell's: an interrupt by the state of its target, a tick, falling asleep, waking up."""

    path: Path
    ipi: Mapping[Target, Cost]
    tick: int
    sleep: int
    wake: int

    def flat(self) -> tuple[int, ...]:
        """The same as numbers in a row, for the engines: three costs of each state, then tick, sleep, wake."""
        by_state = [(c.sender, c.flight, c.target) for c in (self.ipi[state] for state in Target)]
        return (*(n for cost in by_state for n in cost), self.tick, self.sleep, self.wake)


def costs(p: Parameters) -> Costs:
    """What these parameters make of the counts."""
    path = Path.of(avic=p.avic, pv=p.pv)
    ipi = {state: bill(p, counts()[path, state]) for state in Target}
    tick = exits(p, ticks()[path].target_exits) + p.injection * ticks()[path].injections + p.tick_work
    wake = p.wake * counts()[path, Target.SLEEPING].wakes
    return Costs(path, ipi, tick, exits(p, sleeps()[path].target_exits), wake)


def bill(p: Parameters, count: Count) -> Cost:
    """One interrupt's counts at these prices."""
    sender = exits(p, count.sender_exits) + p.icrl_write * count.accelerated
    flight = p.doorbell * count.doorbells + p.physical_ipi * count.physical_ipis
    target = exits(p, count.target_exits) + p.injection * count.injections + p.handler
    return Cost(sender, flight, target)


def exits(p: Parameters, found: Mapping[str, int]) -> int:
    """#VMEXITs: each there and back, and what Xen does for it."""
    return sum(n * (p.world_switch + int(getattr(p, HANDLING[name]))) for name, n in found.items())
