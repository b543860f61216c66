"""What a guest sees of a program: run the same steps on two machines and compare.

A step is what one vCPU executes, or what the scheduler or a device does; after each the machine is quiet.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from avickit import Machine
from avickit.lab.handles import VcpuHandle
from avickit.silicon.guest import Insn, write
from avickit.silicon.parts import TAKEN

ENABLED = 0x1FF
FIRST_AVIC, FIRST_OPTION = 4, 9


class Step(NamedTuple):
    """`what` is "do" (code), "hlt", "irq" (vector, level), "nmi", "run" (core), "stop" or "wake"; `who` a vCPU."""

    what: str
    who: int
    value: Any = None


Handlers = dict[int, tuple[Insn, ...]]


class Seen(NamedTuple):
    """What a vCPU's guest has noticed: vectors taken and values read, in their order; and how it is now."""

    log: tuple[tuple[str, int], ...]
    state: str
    registers: tuple[int, ...]


def sti() -> tuple[Insn, Insn]:
    """STI and the instruction in its shadow. (An NMI that meets a shadow waits for an exit under AVIC: X23)"""
    return Insn("sti"), Insn("nop")


def ipi(destination: int, icrl: int) -> tuple[Insn, Insn]:
    """The two writes that send an interrupt."""
    return write("ICRH", destination << 24), write("ICRL", icrl)


class Rig:
    """A machine with one domain, its vCPUs on its cores, APICs enabled, handlers installed."""

    def __init__(self, patches: int, vcpus: int = 3, handlers: Sequence[Handlers] = (), **kw: Any) -> None:
        self.cores = kw.setdefault("cores", vcpus)
        self.m = Machine(host_ids=range(4, 4 + self.cores), **kw)
        variable = True if FIRST_AVIC <= patches < FIRST_OPTION else None
        self.xen = self.m.boot("svm=avic" if patches >= FIRST_OPTION else "", patches=patches, svm_avic=variable)
        self.vcpus: tuple[VcpuHandle, ...] = self.xen.create_domain(vcpus).vcpus
        for v, table in zip(self.vcpus, [*handlers, *[{}] * vcpus], strict=False):
            for vector, code in table.items():
                v.guest.on(vector, code)
        for n, v in enumerate(self.vcpus):
            self.xen.run(v, n % self.cores)
            v.guest.write("SVR", ENABLED)
        self.start = len(self.m.trace)

    def can(self, step: Step) -> bool:
        """Whether the step makes sense now; what is legitimately different is left out here, with its rule."""
        v = self.vcpus[step.who]
        if step.what == "hlt":
            # X8-1: with AVIC pending vectors are not compared with ISR, so HLT may end at once for one that must
            # wait. X5-2: exit 401h kicks a sleeper even if the IRR bit was set before, X0-3 does not.
            return v.state == "guest mode" and not v.page.irr and not v.page.isr
        return step.what not in ("do", "run") or v.state in ("guest mode", "runnable")

    def do(self, step: Step) -> None:
        """One step."""
        v, value = self.vcpus[step.who], step.value
        if step.what == "do":
            if v.state == "runnable":
                self.xen.run(v, step.who % self.cores)
            v.guest.execute(value)
        elif step.what == "hlt":
            v.guest.hlt()
        elif step.what == "irq":
            self.xen.set_irq(v, value[0], level=value[1])
        elif step.what == "run":
            self.xen.run(v, value)
        else:
            {"nmi": self.xen.nmi, "stop": self.xen.deschedule, "wake": self.xen.wake}[step.what](v)

    def settle(self) -> None:
        """Everybody who can run does, one after the other."""
        for n, v in enumerate(self.vcpus):
            if v.state == "runnable":
                self.xen.run(v, n % self.cores)

    def seen(self, v: VcpuHandle) -> Seen:
        """What this guest has noticed so far."""
        guest = v.vcpu.guest
        taken = range(guest.taken, guest.taken + TAKEN)
        log = []
        for _, place, _, new, *_ in list(self.m.trace.raw)[self.start :]:
            if place == guest.answer:
                log.append(("read", new))
            elif place in taken:
                log.append(("take", place - guest.taken))
        return Seen(tuple(log), v.state, self.registers(v))

    def registers(self, v: VcpuHandle) -> tuple[int, ...]:
        """IRR and ISR, and TPR and PPR as the guest reads them."""
        sets = [sum(1 << vector for vector in found) for found in (v.page.irr, v.page.isr)]
        if v.state != "guest mode":
            return tuple(sets)
        return (*sets, v.guest.read("TPR"), v.guest.read("PPR"), v.guest.read_cr8())


def compare(
    steps: Sequence[Step], handlers: Sequence[Handlers] = (), patches: int = 10, **kw: Any
) -> tuple[list[Seen], list[Seen]]:
    """Run the steps emulated and with AVIC; what each guest has seen, in both."""
    rigs = Rig(0, handlers=handlers, **kw), Rig(patches, handlers=handlers, **kw)
    for step in steps:
        able = [rig.can(step) for rig in rigs]
        assert able[0] == able[1], f"{step}: {[rig.vcpus[step.who].state for rig in rigs]}"
        if able[0]:
            for rig in rigs:
                rig.do(step)
    for rig in rigs:
        rig.settle()
    emulated, avic = ([rig.seen(v) for v in rig.vcpus] for rig in rigs)
    return emulated, avic
