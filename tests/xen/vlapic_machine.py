"""A small machine for the tests of vlapic: three vCPUs of one domain, their APICs enabled, nothing running."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from avickit.beat import CLOCK, Beats, World, drive, perform
from avickit.manual.apic import offset_of
from avickit.manual.cpuid import cpu_model
from avickit.silicon.access import split
from avickit.silicon.parts import Core, new_machine
from avickit.xen import vlapic
from avickit.xen.boot import new_xen
from avickit.xen.domain import domain_create
from avickit.xen.parts import Hypervisor, Vcpu, xen
from avickit.xen.svm import do_tasklet

R = TypeVar("R")
VCPUS = 3
ENABLED = 0x1FF
"""SVR with software enable and spurious vector FFh."""


class Rig:
    """A World with the calls that tests make: `rig.do(op, v, ...)` runs an Op to its end on core 0."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.cores: list[Core] = w.objects["cores"]
        self.vcpus: list[Vcpu] = w.objects["vcpus"]
        self.xen: Hypervisor = xen(w)

    def do(self, op: Callable[..., Beats[R]], v: Vcpu, *args: Any, core: int = 0) -> R:
        return drive(self.w, op(self.w, self.cores[core], v, *args))

    def run(self, beats: Beats[R]) -> R:
        return drive(self.w, beats)

    def steps(self, beats: Beats[Any]) -> Iterator[int]:
        """Run it beat by beat; after each, the place that it was about."""
        answer: Any = None
        while True:
            try:
                ask = beats.send(answer)
            except StopIteration:
                return
            answer = perform(self.w, ask)
            yield ask[1]

    def write(self, v: Vcpu, register: str | int, value: int) -> bool:
        return self.do(vlapic.vlapic_reg_write, v, offset_of(register), value)

    def read(self, v: Vcpu, register: str | int) -> int:
        return self.do(vlapic.vlapic_reg_read, v, offset_of(register))

    def page(self, v: Vcpu, register: str | int) -> int:
        """What stands in the page, all 256 bits of ISR, TMR and IRR."""
        value: int = self.w.at[v.page + split(offset_of(register))[0]]
        return value

    def poke(self, v: Vcpu, register: str | int, value: int) -> None:
        """What hardware or an earlier moment has left in the page."""
        self.w.at[v.page + split(offset_of(register))[0]] = value

    def ipi(self, v: Vcpu, icrl: int, dest: int = 0) -> None:
        """Send it, and let core 0 do what INIT and STARTUP leave to it when it idles."""
        self.do(vlapic.vlapic_ipi, v, icrl, dest << 24)
        self.tasklet()

    def tasklet(self) -> bool:
        """Core 0 idles; whether no tasklet is left."""
        pending = self.w.at[self.w.objects["pcpus"][0].tasklet]
        return not pending or self.run(do_tasklet(self.w, self.cores[0]))

    def at(self, time: int) -> None:
        assert time >= self.w.at[CLOCK], "time only passes"
        self.w.at[CLOCK] = time

    def now(self) -> int:
        time: int = self.w.at[CLOCK]
        return time

    def lines(self) -> list[str]:
        console = self.w.objects["console"][0]
        found: list[str] = self.w.objects["lines"][: self.w.at[console.length]]
        return found


@cache
def booted() -> World:
    w = World(pages=32)
    new_machine(w, 2, cpu_model("epyc"))
    new_xen(w)
    drive(w, domain_create(w, w.objects["cores"][0], VCPUS))
    return w


def fresh() -> Rig:
    """The domain as Xen has just created it."""
    original = booted()
    w = original.copy()
    w.objects["xen"] = [Hypervisor(funcs=dict(xen(original).funcs), flags={})]
    return Rig(w)


def enabled() -> Rig:
    """The same, with every APIC enabled by its guest."""
    rig = fresh()
    for v in rig.vcpus:
        rig.write(v, "SVR", ENABLED)
    return rig
