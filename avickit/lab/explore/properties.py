"""What must hold however a race goes: nobody sleeps over an interrupt, nothing comes twice, host and domains live.

Each property looks at an end of the race, where nothing moves any more, and says what is wrong, in a sentence. Does not
model: interrupts that were meant for one vCPU and accepted by another's page; who is meant is the tables' matter.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avickit.beat import LOCK, name_of
from avickit.errors import AvicError
from avickit.lab.explore.actors import LISTEN
from avickit.lab.handles import VcpuHandle
from avickit.manual.apic import Offset, Svr
from avickit.manual.vectors import vectors_of
from avickit.silicon.deliver import CLASS, IRR, ISR, TPR, can_take
from avickit.xen.parts import BLOCKED, Vcpu

if TYPE_CHECKING:
    from avickit.lab.explore.node import Node
    from avickit.lab.machine import Machine

SVR = Offset.SVR >> 4
FIRST_VECTOR = 16
"""Below it are exceptions and the NMI."""


@dataclass(frozen=True)
class End:
    """An end of a race: the machine as it is then, where each thread stands, what was accepted and taken.

    `accepted` says how often each vector of each vCPU went from 0 to 1 in IRR, or waited there at the start.
    """

    machine: "Machine"
    names: tuple[str, ...]
    nodes: "tuple[Node, ...]"
    accepted: Mapping[tuple[int, int], int]
    taken: Mapping[tuple[int, int], int]
    events: frozenset[tuple[int, int]]

    @property
    def vcpus(self) -> list[VcpuHandle]:
        """All vCPUs."""
        return [VcpuHandle(self.machine, v) for v in self.machine.world.objects["vcpus"]]


def deliverable(machine: "Machine", v: Vcpu) -> int | None:
    """The vector that waits in IRR and that the vCPU could take, if any. (H-EVAL-2)

    None in an APIC that SVR disables: Xen's look at IRR stops there, and the guest has asked for it. (X0-5a)
    """
    at = machine.world.at
    irr, isr = at[v.page + IRR], at[v.page + ISR]
    if not irr or not at[v.guest.interrupt_flag] or not at[v.page + SVR] & Svr.ENABLE.mask:
        return None
    vector: int = irr.bit_length() - 1
    busy = max(at[v.page + TPR] & CLASS, isr.bit_length() - 1 & CLASS if isr else 0)
    return vector if vector & CLASS > busy else None


def lost_wakeup(end: End) -> str:
    """Nobody sleeps over an interrupt that he could take: at rest nobody is left who would wake him. (X6-5)"""
    at = end.machine.world.at
    for v in end.vcpus:
        vector = deliverable(end.machine, v.vcpu)
        if vector is not None and at[v.vcpu.cells.pause_flags] == BLOCKED and v.state == "blocked":
            return f"{v.name} sleeps, and vector {vector:X}h waits in its IRR"
    return ""


def late_delivery(end: End) -> str:
    """Nobody runs on over an interrupt that he could take: the doorbell came too early, or never. (H-EVAL-1)"""
    w = end.machine.world
    for v in end.vcpus:
        vector = deliverable(end.machine, v.vcpu)
        if vector is None or v.state != "guest mode" or v.core is None:
            continue
        if can_take(w, w.objects["cores"][v.core], v.vcpu.guest):
            return f"{v.name} runs on, and vector {vector:X}h waits in its IRR until its next exit"
    return ""


def excess(end: End) -> Iterator[tuple[str, int, int, int]]:
    """Vectors taken more often than accepted: vCPU, vector, how often each."""
    for (index, vector), taken in sorted(end.taken.items()):
        accepted = end.accepted.get((index, vector), 0)
        if taken > accepted and vector >= FIRST_VECTOR and (index, vector) not in end.events:
            yield end.machine.world.objects["vcpus"][index].name, vector, taken, accepted


def double_delivery(end: End) -> str:
    """Nothing is taken more often than it was accepted into IRR. (H-EVAL-2, X22)"""
    for name, vector, taken, accepted in excess(end):
        if accepted:
            return f"{name} took vector {vector:X}h {taken} times, and accepted it {accepted} times"
    return ""


def wrong_delivery(end: End) -> str:
    """Nobody takes what his own APIC has never accepted. (H-EVAL-2)"""
    for name, vector, _, accepted in excess(end):
        if not accepted:
            return f"{name} took vector {vector:X}h, which its APIC never accepted"
    return ""


def host_alive(end: End) -> str:
    """Xen has not crashed, no core runs into an error of it, or waits for ever."""
    w = end.machine.world
    if any(w.at[host.crashed] for host in w.objects.get("host", ())):
        return f"the host has crashed: {w.objects['lines'][-1]}"
    for name, node in zip(end.names, end.nodes, strict=True):
        if node.crash:
            return f"{name}: {node.crash}"
        if node.do is not None and node.site is not LISTEN:
            what = "holds" if node.do is LOCK else "gives"
            return f"{name} waits for ever for {name_of(end.machine.world, node.place)}: nobody {what} it any more"
    return ""


def domain_alive(end: End) -> str:
    """No domain is crashed."""
    at = end.machine.world.at
    for d in end.machine.world.objects["domains"]:
        if at[d.cells.crashed]:
            return f"d{d.index} is crashed"
    return ""


PROPERTIES: dict[str, Callable[[End], str]] = {
    "lost wake-up": lost_wakeup,
    "double delivery": double_delivery,
    "wrong delivery": wrong_delivery,
    "host": host_alive,
    "domain": domain_alive,
    "late delivery": late_delivery,
}
"""By the name that a verdict gives; all but the last are looked at unless asked otherwise."""
USUAL = tuple(PROPERTIES)[:-1]


def chosen(names: tuple[str, ...]) -> dict[str, Callable[[End], str]]:
    """These properties. Raises AvicError for one that there is not."""
    for name in names:
        if name not in PROPERTIES:
            raise AvicError.of("property", name, ", ".join(PROPERTIES))
    return {name: PROPERTIES[name] for name in names}


def taken_by(machine: "Machine") -> dict[tuple[int, int], int]:
    """How often each vCPU has taken each vector."""
    at = machine.world.at
    return {
        (v.guest.index, n): at[v.guest.taken + n]
        for v in machine.world.objects["vcpus"]
        for n in range(256)
        if at[v.guest.taken + n]
    }


def pending_in(machine: "Machine") -> dict[tuple[int, int], int]:
    """What waits in each vCPU's IRR."""
    at = machine.world.at
    return {(v.guest.index, n): 1 for v in machine.world.objects["vcpus"] for n in vectors_of(at[v.page + IRR])}
