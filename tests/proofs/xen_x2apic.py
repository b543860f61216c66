"""Proofs of X0-10: a guest that switches its APIC to x2APIC mode, while AVIC stays on."""

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.manual.vmcb import VIntr, VmcbOffset
from avickit.silicon.parts import Core
from avickit.xen import vlapic_irq, vlapic_x2apic
from avickit.xen.parts import Vcpu
from avickit.xen.vmcb import vmcb_read, vmcb_set
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import MSR, exits, field, lab, overlay, said, skip, then

APIC_BASE, X2_MODE = 0x1B, 0x400
TPR, EOI, ICR, SELF_IPI = 0x808, 0x80B, 0x830, 0x83F


def to_x2apic(v: VcpuHandle) -> None:
    """The guest sets bit 10 of IA32_APIC_BASE."""
    v.guest.wrmsr(APIC_BASE, v.guest.rdmsr(APIC_BASE) | X2_MODE)


@proves("X0-10")
def msrs_are_intercepted_and_avic_stays_on(make: Make) -> None:
    """A guest in x2APIC mode uses MSRs that Xen intercepts (07Ch) while AVIC stays on. (series.md X0-10)"""
    _, _, _, (a,) = lab(make, 1)
    assert exits(a, to_x2apic, a) == [MSR, MSR]
    assert field(a, "VINTR", "AVIC_ENABLE") == 1
    assert exits(a, a.guest.wrmsr, TPR, 0x20) == [MSR]
    assert exits(a, a.guest.rdmsr, TPR) == [MSR]
    assert (a.guest.rdmsr(TPR), a.page.tpr) == (0x20, 0x20)
    assert a.guest.rdmsr(0x802) == a.apic_id


@proves("X0-10")
def the_icr_is_emulated(make: Make) -> None:
    """ICR is emulated: one 64-bit write, sent by software. (series.md X0-10)"""
    m, _, _, (a, b) = lab(make)
    for v in (a, b):
        to_x2apic(v)
    first = len(m.trace)
    assert exits(a, a.guest.wrmsr, ICR, b.apic_id << 32 | 0x41) == [MSR]
    assert b.guest.taken == {0x41: 1}
    assert said(m, first, "Xen sets the IRR bit", "sets the target's IRR bit") == ["Xen sets the IRR bit"]
    assert exits(a, a.guest.wrmsr, SELF_IPI, 0x52) == [MSR]
    assert a.guest.taken == {0x52: 1}


@proves("X0-10")
def software_edits_isr(make: Make) -> None:
    """EOI is emulated, and software edits ISR in the page. (series.md X0-10)"""
    m, xen, _, (a,) = lab(make, 1)
    to_x2apic(a)
    xen.set_irq(a, 0x41)
    xen.set_irq(a, 0x62)
    assert a.page.isr == {0x41, 0x62}
    first = len(m.trace)
    assert exits(a, a.guest.wrmsr, EOI, 0) == [MSR]
    assert (a.page.isr, a.page.ppr) == ({0x41}, 0x40)
    assert said(m, first, "ISR: ends vector 62h") == ["ISR: ends vector 62h"]
    assert m.trace.where(rule="X0-4", place="ISR")[-1].module == vlapic_irq.__name__


@breaks("X0-10")
def the_switch_turns_avic_off(w: World) -> None:
    def off(w: World, core: Core, v: Vcpu) -> Beats[None]:
        vintr = yield from vmcb_read(w, v, VmcbOffset.VINTR)
        yield from vmcb_set(w, v, VmcbOffset.VINTR, vintr & ~VIntr.AVIC_ENABLE.mask)

    then(w, vlapic_x2apic.set_x2apic_id, off)


@breaks("X0-10")
def x2apic_mode_does_not_exist(w: World) -> None:
    def never(w: World, core: Core, v: Vcpu, msr: int, value: int) -> Beats[bool]:
        return False
        yield

    overlay(w, vlapic_x2apic.guest_wrmsr_x2apic, never)


@breaks("X0-10")
def the_icr_is_only_stored(w: World) -> None:
    def stored(w: World, core: Core, v: Vcpu, msr: int, value: int) -> Beats[bool]:
        if msr != ICR:
            return (yield from vlapic_x2apic.guest_wrmsr_x2apic.fn(w, core, v, msr, value))
        yield vlapic_x2apic.SET_ICRH(v.page + 0x31, value >> 32)
        return True

    overlay(w, vlapic_x2apic.guest_wrmsr_x2apic, stored)


@breaks("X0-10")
def eoi_leaves_isr(w: World) -> None:
    skip(w, vlapic_irq.vlapic_EOI_set)
