"""What one interrupt between vCPUs costs in exits, doorbells and beats, counted on the bit-exact Machine.

Four paths, three states of the target: each is a small scenario that is run, and its trace counted. No number stands
here: a change of the model changes these counts, and with them all that the workload computes. Does not model: prices.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from avickit.lab.evtchn import bind, send
from avickit.lab.handles import VcpuHandle
from avickit.lab.machine import Machine
from avickit.manual.exits import EventInj
from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.doorbell import RING
from avickit.silicon.guest import Program, eoi, read, write
from avickit.xen.hypercall import vmmcall
from avickit.xen.parts import INTERRUPT
from avickit.xen.vmcb import WRITE as XEN_WRITES

VECTOR, TIMER_VECTOR, UPCALL = 0xFD, 0xEC, 0xF3
"""Linux' reschedule, local timer and hypervisor callback vectors."""
ENABLED = 0x1FF
TICK_NS = 1_000_000
VCPU_OP, SET_SINGLESHOT_TIMER = 24, 8


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
    """One interrupt, from the sender's first instruction to the end of the target's handler.

    `sender_exits` and `target_exits` are #VMEXITs by name; `accelerated` ICRL writes stayed in the guest; `beats` are
    all beats of the machine, the scheduling of a preempted or sleeping target among them.
    """

    sender_exits: Mapping[str, int]
    target_exits: Mapping[str, int]
    accelerated: int
    doorbells: int
    physical_ipis: int
    injections: int
    beats: int

    @property
    def exits(self) -> int:
        """#VMEXITs of both sides."""
        return sum(self.sender_exits.values()) + sum(self.target_exits.values())


class Pair:
    """Two vCPUs of a domain on cores 0 and 1, ready for the path; core 1 can be taken away by another domain's vCPU."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.machine = Machine(cores=3)
        self.xen = self.machine.boot("svm=avic" if path.avic else "")
        self.sender, self.target = self.xen.create_domain(vcpus=2).vcpus
        self.rival = self.xen.create_domain(vcpus=1).vcpus[0]
        for core, v in enumerate((self.sender, self.target)):
            self.xen.run(v, core)
            v.guest.write("SVR", ENABLED)
        self.target.guest.on(VECTOR, [eoi()])
        self.instructions = self._instructions()

    def _instructions(self) -> Program:
        """The sender's code: a hypercall, or what Linux does to an xAPIC: wait for the ICR to be idle, write it."""
        if self.path.pv:
            return (send(bind(self.target, UPCALL)),)
        return (read("ICRL"), write("ICRH", self.target.apic_id << 24), write("ICRL", VECTOR))

    def put(self, state: Target) -> None:
        """Bring the target into this state."""
        if state is Target.PREEMPTED:
            self.xen.run(self.rival, 1)
        elif state is Target.SLEEPING:
            self.target.guest.hlt()

    def taken(self) -> int:
        """How many interrupts the target has taken."""
        return sum(self.target.guest.taken.values())


def count(path: Path, state: Target) -> Count:
    """Send one interrupt and count. Raises AssertionError if the model should not deliver it exactly once."""
    pair = Pair(path)
    pair.put(state)
    before = pair.taken()
    tally = Tally(pair.machine, pair.sender, pair.target)
    pair.sender.guest.execute(pair.instructions)
    if state is not Target.RUNNING:
        pair.xen.run(pair.target, 1)
    assert pair.taken() == before + 1, f"{path.value}, {state.value}: not taken exactly once"
    return tally.end(icrl_writes=0 if path.pv else 1)


@cache
def counts() -> Mapping[tuple[Path, Target], Count]:
    """All twelve: four paths, three states of the target. About half a second, once a process."""
    return {(path, state): count(path, state) for path in Path for state in Target}


@cache
def ticks() -> Mapping[Path, Count]:
    """One timer tick for each path: arm a one-shot timer, take its interrupt. All exits are the target's own.

    PV guests arm it by hypercall (VCPUOP_set_singleshot_timer: its exit is counted, its timer is not modelled) and
    are told by upcall; the others write TMICT.
    """
    return {path: tick(path) for path in Path}


def tick(path: Path) -> Count:
    """One tick of this path."""
    pair = Pair(path)
    v = pair.target
    v.guest.on(TIMER_VECTOR, [eoi()])
    if not path.pv:
        v.guest.write("LVT_TIMER", TIMER_VECTOR)
    tally = Tally(pair.machine, pair.sender, v)
    if path.pv:
        v.guest.execute((vmmcall(VCPU_OP, SET_SINGLESHOT_TIMER, 0),))
        pair.xen.callback(v, UPCALL)
    else:
        v.guest.write("TMICT", 1000)
        pair.machine.advance(TICK_NS)
    assert pair.taken() >= 1, f"{path.value}: the tick was not taken"
    return tally.end(icrl_writes=0)


class Tally:
    """Counts what happens on a machine from now on."""

    def __init__(self, machine: Machine, sender: VcpuHandle, target: VcpuHandle) -> None:
        self.machine, self.sender, self.target = machine, sender, target
        self.before = sender.exit_count, target.exit_count, len(machine.trace)

    def end(self, *, icrl_writes: int) -> Count:
        """What there was."""
        sent, got, first = self.before
        beats = [self.machine.trace.raw[n] for n in range(first, len(self.machine.trace))]
        eventinj = self.target.vcpu.guest.vmcb + (VmcbOffset.EVENTINJ >> 3)
        mine, theirs = exits_since(self.sender, sent), exits_since(self.target, got)
        stayed = icrl_writes and not mine
        return Count(
            mine,
            theirs,
            accelerated=int(stayed),
            doorbells=sum(site is RING for site, *_ in beats),
            physical_ipis=sum(site is INTERRUPT and actor == 0 for site, *_, actor in beats),
            injections=sum(
                site is XEN_WRITES and place == eventinj and new & EventInj.VALID.mask
                for site, place, _, new, *_ in beats
            )
            // EventInj.VALID.mask,
            beats=len(beats),
        )


def exits_since(v: VcpuHandle, before: int) -> dict[str, int]:
    """The exits of a vCPU after its first `before`, by name."""
    new = v.exits[len(v.exits) - (v.exit_count - before) :]
    return dict(sorted(Counter(e.code.name for e in new).items()))
