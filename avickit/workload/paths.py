"""What is counted of an interrupt: on which path it goes, what its target does just then, how often what happens.

Does not model: anything; `counts` fills it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Path(Enum):
    """How an interrupt goes from vCPU to vCPU, for each cell of the series' table."""

    EMULATED = "emulated"
    AVIC = "AVIC"
    PV = "PV"
    PV_AVIC = "PV with AVIC"

    @staticmethod
    def of(*, avic: bool, pv: bool) -> "Path":
        """The path of a cell. A guest with PV uses event channels, whatever the hardware could do."""
        return (Path.PV_AVIC if avic else Path.PV) if pv else (Path.AVIC if avic else Path.EMULATED)

    @property
    def avic(self) -> bool:
        """Whether Xen is booted with svm=avic."""
        return self in (Path.AVIC, Path.PV_AVIC)

    @property
    def pv(self) -> bool:
        """Whether the guest sends by event channel."""
        return self in (Path.PV, Path.PV_AVIC)


class Target(Enum):
    """What the target vCPU does when the interrupt is sent."""

    RUNNING = "running"
    PREEMPTED = "preempted"
    SLEEPING = "sleeping"


@dataclass(frozen=True)
class Count:
    """One interrupt, from the sender's first instruction to the end of the target's handler; or a tick, or a HLT.

    `sender_exits` and `target_exits` are #VMEXITs by name; `accelerated` ICRL writes stayed in the guest. The target
    was `unblocked` so often out of a HLT, got a core so often (`loads`), was entered by so many VMRUNs (`entries`).
    `beats` are all beats of the machine, the scheduling of a preempted or sleeping target among them.
    """

    sender_exits: Mapping[str, int]
    target_exits: Mapping[str, int]
    accelerated: int
    doorbells: int
    physical_ipis: int
    injections: int
    unblocked: int
    loads: int
    entries: int
    beats: int

    @property
    def exits(self) -> int:
        """#VMEXITs of both sides."""
        return sum(self.sender_exits.values()) + sum(self.target_exits.values())

    @property
    def wakes(self) -> int:
        """How often a sleeping target was woken: unblocked, and given a core."""
        return min(self.unblocked, self.loads)
