"""The machine that the tests of the views look at: one IPI from d1v0 to d1v1, not yet ended."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from avickit.lab.handles import DomainHandle, VcpuHandle
from avickit.lab.machine import Machine
from avickit.lab.pages import ApicPage, TableView, VmcbView
from avickit.lab.trace import Beat
from avickit.show.moment import Moment


class Scene(NamedTuple):
    m: Machine
    dom: DomainHandle
    a: VcpuHandle
    b: VcpuHandle
    start: int
    """The number of beats before the IPI."""
    handed: Beat
    """The beat that set the target's IRR bit."""

    @property
    def pages(self) -> list[ApicPage | TableView | VmcbView]:
        return [self.a.page, self.b.page, self.dom.physical_table, self.dom.logical_table, self.a.vmcb]

    @property
    def things(self) -> list[Any]:
        """Everything that a user can hold."""
        registers = [self.a.page["ICRL"], self.a.vmcb["VINTR"], self.dom.physical_table[2]]
        return [
            self.m,
            self.dom,
            self.b,
            self.m.trace,
            self.handed,
            self.a.exits,
            self.b.exits[0],
            *self.pages,
            *registers,
        ]


def play() -> Scene:
    m = Machine(cores=4)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(vcpus=2)
    a, b = dom.vcpus
    for core, vcpu in enumerate((a, b)):
        xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    start = len(m.trace)
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    handed = m.trace.where(kind="UPDATE", rule="H-IPI-5")[0]
    return Scene(m, dom, a, b, start, handed)


def filled(scene: Scene, place: int, now: Sequence[int], before: Sequence[int]) -> Moment:
    """A moment at which a page holds whatever one likes."""
    states = []
    for values in (now, before):
        at = scene.m.world.at.copy()
        at[place : place + len(values)] = values
        states.append(at)
    return Moment(scene.m, 2, 0, states[0], states[1], told=False)
