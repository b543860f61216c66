"""A guest that switches to x2APIC mode while AVIC is on. (X0-10)"""

import pytest

from avickit.lab.handles import VcpuHandle
from avickit.manual.apic import msr_of
from avickit.silicon.guest import Insn, write
from tests.proofs.xen_tools import INCOMPLETE, MSR, RUNNING, exits, field, ipi, said
from tests.series.labs import lab

APIC_BASE, ENABLE, X2 = 0x1B, 0x800, 0x400
ICR, SELF_IPI = 0x830, 0x83F
BOTH = pytest.mark.parametrize("patches", [0, 10])
VECTOR = 0x41


def switch(*vcpus: VcpuHandle) -> None:
    """Bit 10 of IA32_APIC_BASE."""
    for v in vcpus:
        v.guest.wrmsr(APIC_BASE, v.guest.rdmsr(APIC_BASE) | X2)


@BOTH
def test_the_registers_are_msrs(patches: int) -> None:
    """H-REG-8: what a write sets a read finds; each is exit 07Ch."""
    on = lab(2, patches=patches)
    _, b = on.vcpus
    switch(b)
    for name, value in (("TPR", 0x30), ("SVR", 0x1F0), ("LVT_ERROR", 0x45), ("TDCR", 0x3)):
        assert exits(b, b.guest.wrmsr, msr_of(name), value) == [MSR]
        assert b.guest.rdmsr(msr_of(name)) == value
    assert b.guest.rdmsr(msr_of("ID")) == 2
    assert b.guest.rdmsr(msr_of("LDR")) == 0x2
    assert b.guest.rdmsr(msr_of("VERSION")) == 0x0005_0014
    assert (b.guest.taken, field(b, "VINTR", "AVIC_ENABLE")) == ({}, int(patches == 10))


@BOTH
@pytest.mark.parametrize("msr", [0x802, 0x80A, 0x80D, 0x80E, 0x831, 0x8FF, 0x80B | 0x100])
def test_what_is_no_register_is_gp(patches: int, msr: int) -> None:
    """X0-10: writes of read-only and unimplemented MSRs are #GP; so is every MSR in xAPIC mode."""
    on = lab(1, patches=patches)
    (a,) = on.vcpus
    a.guest.rdmsr(0x808)
    assert a.guest.taken == {13: 1}
    switch(a)
    a.guest.execute((Insn("wrmsr", msr, 1, 8), Insn("wrmsr", msr_of("TPR"), 0x20, 8)))
    assert (a.guest.taken, a.page.tpr) == ({13: 2}, 0x20)


@BOTH
def test_ipis_between_x2apics(patches: int) -> None:
    """X0-10: physical with all 32 bits, logical by cluster, broadcast, self; all of them sent by software."""
    on = lab(3, patches=patches)
    a, b, c = on.vcpus
    switch(a, b, c)
    for v in (a, b, c):
        v.guest.wrmsr(msr_of("SVR"), 0x1FF)
    a.guest.wrmsr(ICR, 4 << 32 | 0x41)
    a.guest.wrmsr(ICR, 0x0000_0006 << 32 | 0x800 | 0x52)
    a.guest.wrmsr(ICR, 0xFFFF_FFFF << 32 | 0x63)
    a.guest.wrmsr(SELF_IPI, 0x74)
    assert [sorted(v.guest.taken) for v in (a, b, c)] == [[0x63, 0x74], [0x52, 0x63], [0x41, 0x52, 0x63]]
    assert a.guest.rdmsr(ICR) & 0xFF == 0x74


@BOTH
def test_eoi_by_msr(patches: int) -> None:
    """X0-10: software edits ISR in the page; what had to wait comes."""
    on = lab(1, patches=patches)
    (a,) = on.vcpus
    switch(a)
    on.xen.set_irq(a, 0x62)
    on.xen.set_irq(a, 0x41)
    assert (a.page.isr, a.page.irr, a.guest.rdmsr(msr_of("PPR"))) == ({0x62}, {0x41}, 0x60)
    a.guest.wrmsr(msr_of("EOI"), 0)
    assert (a.page.isr, a.page.irr, a.guest.taken) == ({0x41}, set(), {0x62: 1, 0x41: 1})
    assert a.guest.rdmsr(msr_of("PPR")) == 0x40
    on.xen.set_irq(a, 0x77, level=True)
    a.guest.wrmsr(msr_of("EOI"), 0)
    assert on.m.world.at[on.dom.domain.cells.eoi_broadcasts] == 1


def test_an_xapic_sender_still_reaches_an_x2apic() -> None:
    """X0-10, X08: AVIC stays on and the entry stays valid, so the IPI is accelerated."""
    on = lab(2)
    a, b = on.vcpus
    switch(b)
    assert exits(a, ipi, a, 2, VECTOR) == []
    assert b.guest.taken == {VECTOR: 1}


def test_the_scheduler_still_finds_its_entry() -> None:
    """X6-0, X08: the ID register reads 2, unshifted; the entry is the vCPU's all the same."""
    on = lab(2, cores=3)
    a, b = on.vcpus
    switch(b)
    on.xen.deschedule(b, sync=True)
    running = [on.dom.physical_table[n].value & RUNNING for n in (0, 2)]
    assert running == [RUNNING, 0]
    assert exits(a, ipi, a, 2, VECTOR) == [INCOMPLETE]
    on.xen.run(b, 2)
    assert [on.dom.physical_table[n].value & 0xFFF for n in (0, 2)] == [0, 2]
    assert b.guest.taken == {VECTOR: 1}


def test_a_blocked_x2apic_is_woken_by_software() -> None:
    """X0-10, X7-1: the emulated ICR delivers by the posted path: IRR, unblock."""
    on = lab(2)
    a, b = on.vcpus
    switch(a, b)
    b.guest.hlt()
    first = len(on.m.trace)
    a.guest.wrmsr(ICR, 2 << 32 | VECTOR)
    assert said(on.m, first, "Xen sets the IRR bit", "rings the doorbell") == ["Xen sets the IRR bit"]
    assert b.state == "runnable"
    on.xen.run(b, 1)
    assert b.guest.taken == {VECTOR: 1}


@BOTH
def test_what_the_base_register_refuses(patches: int) -> None:
    """X0-10: reserved bits, enabling with bit 10, and leaving x2APIC mode other than by disabling, are #GP."""
    on = lab(1, patches=patches)
    (a,) = on.vcpus
    base = a.guest.rdmsr(APIC_BASE)
    a.guest.wrmsr(APIC_BASE, base | 1)
    assert a.guest.taken == {13: 1}
    switch(a)
    a.guest.wrmsr(APIC_BASE, base)
    assert (a.guest.taken, a.guest.rdmsr(APIC_BASE)) == ({13: 2}, base | X2)
    a.guest.wrmsr(APIC_BASE, base & ~ENABLE)
    a.guest.wrmsr(APIC_BASE, base | X2)
    assert (a.guest.taken, a.guest.rdmsr(APIC_BASE)) == ({13: 3}, base & ~ENABLE)
    a.guest.wrmsr(APIC_BASE, base)
    a.guest.execute((write("SVR", 0x1FF), write("TPR", 0x20)))
    assert (a.page.tpr, int(a.page["SVR"])) == (0x20, 0x1FF)
