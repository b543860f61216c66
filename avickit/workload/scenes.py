"""The scenes in which `counts` counts: two vCPUs of a domain, a third that can take a core away, and a tally.

Whom a core runs is told to Xen by the scene. Does not model: Xen's own scheduler, that it sends an IPI to the idle core
of a vCPU it has woken; that is in the price of a wake (`prices`).
"""

from collections import Counter

from avickit.lab.evtchn import bind, send
from avickit.lab.handles import VcpuHandle
from avickit.lab.machine import Machine
from avickit.manual.exits import EventInj
from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.doorbell import RING
from avickit.silicon.guest import Program, eoi, read, write
from avickit.silicon.vmrun import NAME_GUEST
from avickit.workload.paths import Count, Path, Target
from avickit.xen.parts import BLOCKED, INTERRUPT
from avickit.xen.sched import SET_CURRENT, UNBLOCK
from avickit.xen.vmcb import WRITE as XEN_WRITES

VECTOR, UPCALL = 0xFD, 0xF3
"""Linux' reschedule and hypervisor callback vectors."""
ENABLED = 0x1FF


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


class Tally:
    """Counts what happens on a machine from now on."""

    def __init__(self, machine: Machine, sender: VcpuHandle, target: VcpuHandle) -> None:
        self.machine, self.sender, self.target = machine, sender, target
        self.before = sender.exit_count, target.exit_count, len(machine.trace)

    def end(self, *, icrl_writes: int) -> Count:
        """What there was."""
        sent, got, first = self.before
        this = self.target.vcpu.guest
        beats = [self.machine.trace.raw[n] for n in range(first, len(self.machine.trace))]
        eventinj = this.vmcb + (VmcbOffset.EVENTINJ >> 3)
        mine, theirs = exits_since(self.sender, sent), exits_since(self.target, got)
        stayed = icrl_writes and not mine
        return Count(
            mine,
            theirs,
            accelerated=int(stayed),
            doorbells=sum(site is RING for site, *_ in beats),
            physical_ipis=sum(site is INTERRUPT and actor == 0 for site, *_, actor in beats),
            injections=sum(
                site is XEN_WRITES and place == eventinj and bool(new & EventInj.VALID.mask)
                for site, place, _, new, *_ in beats
            ),
            unblocked=sum(
                site is UNBLOCK and place == self.target.vcpu.cells.pause_flags and bool(old & BLOCKED)
                for site, place, old, *_ in beats
            ),
            loads=sum(site is SET_CURRENT and new == this.index + 1 for site, _, _, new, *_ in beats),
            entries=sum(site is NAME_GUEST and new == this.index for site, _, _, new, *_ in beats),
            beats=len(beats),
        )


def exits_since(v: VcpuHandle, before: int) -> dict[str, int]:
    """The exits of a vCPU after its first `before`, by name."""
    new = v.exits[len(v.exits) - (v.exit_count - before) :]
    return dict(sorted(Counter(e.code.name for e in new).items()))
