"""Proofs of X0-1 and X0-4: the emulated local APIC's registers, seen by a guest that has no AVIC."""

import pytest

from avickit.beat import Beats, World
from avickit.manual.apic import RESET, Offset
from avickit.series import p04_initialization as p04
from avickit.silicon.parts import Core, address_of
from avickit.xen import vlapic_init, vlapic_irq, vlapic_mmio, vlapic_regs, vlapic_state, vlapic_timer
from avickit.xen.parts import Vcpu
from avickit.xen.vmcb import vmcb_set
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import ENABLED, cell, ipi, lab, overlay, poke, skip, then

LVTS = ("LVT_TIMER", "LVT_THERMAL", "LVT_PERF", "LVT_LINT0", "LVT_LINT1", "LVT_ERROR")
KEEP = (0x710FF, 0x117FF, 0x117FF, 0x1F7FF, 0x1F7FF, 0x110FF)
MASKED = 1 << 16


@proves("X0-1")
def the_apic_id_is_twice_the_number(make: Make) -> None:
    """A guest's APIC ID is vcpu_id * 2; version 00050014h, 6 LVTs. (series.md X0-1)"""
    _, _, _, vcpus = lab(make, 4, patches=0)
    assert [v.guest.read("ID") >> 24 for v in vcpus] == [0, 2, 4, 6]
    assert [v.apic_id for v in vcpus] == [0, 2, 4, 6]
    ipi(vcpus[0], 4, 0x41)
    assert [0x41 in v.guest.taken for v in vcpus] == [False, False, True, False]
    version = vcpus[1].guest.read("VERSION")
    assert version == 0x0005_0014
    assert version >> 16 & 0xFF == len(LVTS) - 1
    for name in LVTS:
        vcpus[0].guest.write(name, MASKED | 0x55)
        assert vcpus[0].guest.read(name) & 0xFF == 0x55


@proves("X0-1")
def the_registers_page_becomes_the_backing_page(make: Make) -> None:
    """vlapic keeps its registers in a page, and that page is the vAPIC backing page. (series.md X0-1)"""
    m, _, _, vcpus = lab(make, 2)
    for v in vcpus:
        page = address_of(m.world, v.vcpu.page)
        assert v.vmcb["BACKING_PAGE"].value == page
        assert m.world.at[v.vcpu.page + (Offset.ID >> 4)] >> 24 == v.apic_id
        v.guest.write("TPR", 0x30 + v.apic_id)
        assert v.page.tpr == 0x30 + v.apic_id


@breaks("X0-1")
def ids_are_not_doubled(w: World) -> None:
    def once(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield vlapic_init.SET_ID(vlapic_state.at(v, Offset.ID), v.vcpu_id << 24)

    then(w, vlapic_init.vlapic_reset, once)


@breaks("X0-1", patch=True)
def the_version_is_real_hardwares(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RESET, Offset.VERSION, 0x8005_0010)


@breaks("X0-1")
def avic_gets_a_page_of_its_own(w: World) -> None:
    def elsewhere(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from vmcb_set(w, v, 0xE0, address_of(w, v.guest.vmcb))

    then(w, p04.svm_avic_init_vmcb, elsewhere)


@proves("X0-4")
def each_write_keeps_the_registers_own_bits(make: Make) -> None:
    """TPR & FFh, LDR & FF000000h, DFR | 0FFFFFFFh, SVR & 3FFh, ICRH & FF000000h, TDCR & Bh. (series.md X0-4)"""
    _, _, _, (a,) = lab(make, 1, patches=0)
    for name, kept in (
        ("TPR", 0xFF),
        ("LDR", 0xFF00_0000),
        ("SVR", 0x3FF),
        ("ICRH", 0xFF00_0000),
        ("TDCR", 0xB),
    ):
        a.guest.write(name, 0xFFFF_FFFF)
        assert a.guest.read(name) == kept, name
    a.guest.write("DFR", 0)
    assert a.guest.read("DFR") == 0x0FFF_FFFF


@proves("X0-4")
def eoi_ends_the_highest_and_tells_the_io_apic(make: Make) -> None:
    """EOI clears the highest ISR bit; if its TMR bit is set the virtual I/O APIC is told. (series.md X0-4)"""
    m, xen, dom, (a,) = lab(make, 1, patches=0)
    told = dom.domain.cells.eoi_broadcasts
    xen.set_irq(a, 0x41)
    xen.set_irq(a, 0x62, level=True)
    assert a.page.isr == {0x41, 0x62}
    a.guest.write("EOI", 0xDEAD)
    assert (a.page.isr, m.world.at[told]) == ({0x41}, 1)
    a.guest.eoi()
    a.guest.eoi()
    assert (a.page.isr, m.world.at[told]) == (set(), 1)


@proves("X0-4")
def software_disable_masks_all_lvts(make: Make) -> None:
    """SVR bit 8 = 0 masks all LVTs, and an LVT written then is masked too. (series.md X0-4)"""
    _, _, _, (a,) = lab(make, 1, patches=0)
    for name in LVTS:
        a.guest.write(name, 0x40)
    a.guest.write("SVR", 0xFF)
    assert all(a.guest.read(name) & MASKED for name in LVTS)
    a.guest.write("LVT_ERROR", 0x44)
    assert a.guest.read("LVT_ERROR") == MASKED | 0x44
    a.guest.write("SVR", ENABLED)
    a.guest.write("LVT_ERROR", 0x44)
    assert a.guest.read("LVT_ERROR") == 0x44


@proves("X0-4")
def icr_clears_bit_12_sends_and_stores(make: Make) -> None:
    """ICR clears bit 12, sends, stores. (series.md X0-4)"""
    _, _, _, (a, b) = lab(make, patches=0)
    ipi(a, 2, 0x1041)
    assert (a.guest.read("ICRL"), b.guest.taken) == (0x41, {0x41: 1})


@proves("X0-4")
def ppr_and_tmcct_are_computed(make: Make) -> None:
    """PPR is computed, TMCCT from the time passed; TMICT starts the timer in its two modes. (series.md X0-4)"""
    m, xen, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("TPR", 0x35)
    xen.set_irq(a, 0x62)
    poke(m, a.vcpu.page + (Offset.PPR >> 4), 0xEE)
    assert a.guest.read("PPR") == 0x60
    for mode in (0, 1):
        a.guest.write("LVT_TIMER", MASKED | mode << 17 | 0x40)
        a.guest.write("TDCR", 0xB)
        a.guest.write("TMICT", 10_000)
        start = cell(a, "timer_start")
        m.advance(50_000)
        count = a.guest.read("TMCCT")
        now = m.trace.where(place="machine clock", rule="X0-4")[-1].old
        assert 0 < count == 10_000 - (now - start) // 10
    a.guest.write("TMICT", 0)
    assert a.guest.read("TMCCT") == 0


@proves("X0-4")
def small_accesses_inside_a_register_are_served(make: Make) -> None:
    """1/2/4-byte accesses inside a register are served; offsets above 3E3h are not. (series.md X0-4)"""
    m, _, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("LDR", 0x5600_0000)
    assert a.guest.read(Offset.LDR + 3, 1) == 0x56
    assert a.guest.read(Offset.LDR + 2, 2) == 0x5600
    a.guest.write(Offset.SVR + 1, 0x01, 1)
    assert a.guest.read("SVR") == ENABLED
    for offset in (0x3F0, 0x400, 0xFF0):
        a.guest.write(offset, 0x55)
        assert a.guest.read(offset) == 0
        assert m.world.at[a.vcpu.page + (offset >> 4)] == 0


@breaks("X0-4", patch=True)
def ldr_keeps_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(vlapic_regs.KEEP, Offset.LDR, 0xFFFF_FFFF)


@breaks("X0-4")
def dfr_is_stored_raw(w: World) -> None:
    def raw(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
        yield vlapic_regs.SET_DFR(vlapic_state.at(v, offset), value)

    overlay(w, vlapic_regs.vlapic_write_dfr, raw)


@breaks("X0-4")
def the_io_apic_is_not_told(w: World) -> None:
    skip(w, vlapic_irq.vlapic_handle_EOI)


@breaks("X0-4")
def software_disable_masks_nothing(w: World) -> None:
    def only_the_bit(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
        yield from vlapic_regs.vlapic_write_plain(w, core, v, offset, value)
        yield (
            vlapic_regs.SW_ENABLE(v.cells.apic_disabled, 0)
            if value & 0x100
            else vlapic_regs.SW_DISABLE(v.cells.apic_disabled, 2)
        )

    overlay(w, vlapic_regs.vlapic_write_svr, only_the_bit)


@breaks("X0-4")
def bit_12_stays(w: World) -> None:
    def dirty(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
        yield vlapic_regs.STORE_ICR(vlapic_state.at(v, offset), value)

    then(w, vlapic_regs.vlapic_write_icr, dirty)


@breaks("X0-4")
def tmcct_stands_still(w: World) -> None:
    skip(w, vlapic_timer.vlapic_get_tmcct, 10_000)


@breaks("X0-4")
def ppr_is_what_the_page_holds(w: World) -> None:
    def stored(w: World, core: Core, v: Vcpu) -> Beats[int]:
        return (yield vlapic_state.READ_REG(vlapic_state.at(v, Offset.PPR)))  # type: ignore[no-any-return]

    overlay(w, vlapic_state.vlapic_get_ppr, stored)


@breaks("X0-4", patch=True)
def everything_is_served(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(vlapic_mmio, "LAST_BYTE", 0xFFF)
    patch.setattr(vlapic_regs, "WRITE", dict.fromkeys(range(0x3F0, 0x1000, 16), keep) | vlapic_regs.WRITE)


def keep(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """Any offset is a register."""
    yield vlapic_regs.SET_REG(vlapic_state.at(v, offset), value)
