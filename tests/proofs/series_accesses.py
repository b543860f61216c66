"""Proofs of X5-4 and X5-5: exit 402h, an access to a register that the hardware does not serve alone."""

from typing import Any

import pytest

from avickit.beat import Beats, World, drive
from avickit.manual.apic import Offset
from avickit.manual.vmcb import VmcbOffset
from avickit.series import p05_vmexit_handlers as p05
from avickit.series.logical_table import avic_dfr_update, avic_ldr_update
from avickit.silicon.guest import Insn, read, retire
from avickit.silicon.parts import Core
from avickit.xen import svm, vlapic
from avickit.xen.parts import Vcpu, domain_crash
from avickit.xen.vlapic_state import READ_REG
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import NOACCEL, cell, exits, lab, overlay, poke, said, skip

LVTS = ("LVT_TIMER", "LVT_THERMAL", "LVT_PERF", "LVT_LINT0", "LVT_LINT1", "LVT_ERROR")
TRAPS = ("ID", "EOI", "RRR", "LDR", "DFR", "SVR", "ESR", "ICRL", *LVTS, "TMICT", "TDCR")
MASKED = 1 << 16


@proves("X5-4")
def a_trap_hands_the_pages_value_to_vlapic(make: Make) -> None:
    """A write: vlapic_reg_write with the value that vlapic_reg_read found before, the page's. (series.md X5-4)"""
    m, xen, dom, (a,) = lab(make, 1)
    written = {"LDR": (0x12_345678, 0x12_000000), "DFR": (0xF000_0000, 0xFFFF_FFFF), "TDCR": (0xFF, 0xB)}
    written |= {"SVR": (0xFFFF_FFFF, 0x3FF), "TMICT": (1000, 1000)}
    written |= dict.fromkeys(LVTS, (MASKED | 85, MASKED | 85))
    for name, (value, kept) in written.items():
        assert exits(a, a.guest.write, name, value) == [NOACCEL], name
        assert a.exits[-1].info1 == 1 << 32 | Offset.__dict__[name]
        assert int(a.page[name]) == kept, name
    for name in ("ESR", "RRR"):
        assert exits(a, a.guest.write, name, 0x5A) == [NOACCEL], name
    assert cell(a, "timer_expiry") > 0
    xen.set_irq(a, 0x62, level=True)
    assert exits(a, a.guest.eoi) == [NOACCEL]
    assert (a.page.isr, m.world.at[dom.domain.cells.eoi_broadcasts], dom.crashed) == (set(), 1, False)


@proves("X5-4")
def a_read_of_a_trap_register_crashes(make: Make) -> None:
    """A read of a trap register is a microcode fault -> log, crash. (series.md X5-4)"""
    for name in TRAPS:
        m, xen, dom, (a,) = lab(make, 1)
        offset = Offset.__dict__[name]
        assert exits(a, a.guest.read, offset) == [], name
        poke(m, a.vcpu.guest.vmcb + (VmcbOffset.EXITINFO1 >> 3), offset)
        drive(m.world, p05.vmexit_no_acceleration(m.world, m.world.objects["cores"][0], a.vcpu))
        assert dom.crashed
        assert any(f"Invalid #VMEXIT due to trap read ({offset:#x})" in line for line in xen.console)


@proves("X5-4")
def a_new_id_crashes_the_domain(make: Make) -> None:
    """A write of the APIC ID is unhandleable: crash. (series.md X5-4)"""
    _, xen, dom, (a,) = lab(make, 1)
    assert exits(a, a.guest.write, "ID", 0x1000_0000) == [NOACCEL]
    assert (dom.crashed, "Failed to handle trap write (0x20)" in " ".join(xen.console)) == (True, True)


@proves("X5-4")
def the_logical_table_comes_first(make: Make) -> None:
    """LDR and DFR update the logical table first. (series.md X5-4)"""
    m, _, _, (a,) = lab(make, 1)
    for name, value, words in (
        ("LDR", 0x0100_0000, ["logical table entry 0: writes", "LDR: vlapic writes"]),
        ("DFR", 0x0FFF_FFFF, ["logical table entry 0: writes", "DFR: DFR reads as ones"]),
    ):
        first = len(m.trace)
        a.guest.write(name, value)
        assert said(m, first, *words)[-2:] == words


@proves("X5-4")
def in_deadline_mode_tmict_is_0(make: Make) -> None:
    """The value taken before is the page's, except TMICT in TSC-deadline mode: 0. (series.md X5-4)"""
    m, _, dom, (a,) = lab(make, 1)
    a.guest.write("LVT_TIMER", 2 << 17 | 0x40)
    first = len(m.trace)
    assert exits(a, a.guest.write, "TMICT", 1000) == [NOACCEL]
    assert said(m, first, "TMICT: vlapic reads") == []
    assert (int(a.page["TMICT"]), cell(a, "timer_expiry"), dom.crashed) == (1000, 0, False)


@breaks("X5-4", patch=True)
def svr_is_not_a_trap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p05, "TRAPS", p05.TRAPS - {Offset.SVR})


@breaks("X5-4")
def a_trap_is_forgotten(w: World) -> None:
    skip(w, p05.trap_write, True)


@breaks("X5-4")
def trap_reads_are_emulated(w: World) -> None:
    def any_read(w: World, core: Core, v: Vcpu) -> Beats[None]:
        info1 = w.at[v.guest.vmcb + (VmcbOffset.EXITINFO1 >> 3)]
        if info1 >> 32:
            yield from p05.vmexit_no_acceleration.fn(w, core, v)

    overlay(w, p05.vmexit_no_acceleration, any_read)


def trap_write(w: World, core: Core, v: Vcpu, offset: int, *, table_first: bool, value: int | None) -> Beats[bool]:
    """What the handler does, with one thing done otherwise."""
    value = (yield from vlapic.vlapic_reg_read(w, core, v, offset)) if value is None else value
    if not table_first:
        yield from vlapic.vlapic_reg_write(w, core, v, offset, value)
    if offset == Offset.LDR:
        yield from avic_ldr_update(w, core, v, value)
    elif offset == Offset.DFR:
        yield from avic_dfr_update(w, core, v, value)
    if table_first:
        yield from vlapic.vlapic_reg_write(w, core, v, offset, value)
    return True


@breaks("X5-4")
def the_table_comes_last(w: World) -> None:
    def last(w: World, core: Core, v: Vcpu, offset: int) -> Beats[bool]:
        return (yield from trap_write(w, core, v, offset, table_first=False, value=None)) and offset != Offset.ID

    overlay(w, p05.trap_write, last)


@breaks("X5-4")
def a_new_id_is_accepted(w: World) -> None:
    def any_id(w: World, core: Core, v: Vcpu, offset: int) -> Beats[bool]:
        return (yield from trap_write(w, core, v, offset, table_first=True, value=None))

    overlay(w, p05.trap_write, any_id)


@breaks("X5-4")
def the_value_is_0(w: World) -> None:
    def zero(w: World, core: Core, v: Vcpu, offset: int) -> Beats[bool]:
        return (yield from trap_write(w, core, v, offset, table_first=True, value=0)) and offset != Offset.ID

    overlay(w, p05.trap_write, zero)


@breaks("X5-4")
def tmict_is_read_from_the_page(w: World) -> None:
    def stored(w: World, core: Core, v: Vcpu, offset: int) -> Beats[bool]:
        if offset != Offset.TMICT:
            return (yield from p05.trap_write.fn(w, core, v, offset))
        value = yield READ_REG(v.page + (offset >> 4))
        return (yield from vlapic.vlapic_reg_write(w, core, v, offset, value))

    overlay(w, p05.trap_write, stored)


class Moving:
    """A guest program that another core has changed when the hypervisor looks at it: no access any more."""

    def __init__(self) -> None:
        self.asked = 0

    def fetch(self, pc: int, answers: Any) -> Insn | None:
        """A read that faults; then, at the same place, something that cannot be emulated."""
        self.asked += 1
        return None if pc else read("TMCCT") if self.asked == 1 else Insn("cli")


@proves("X5-5")
def a_fault_is_emulated(make: Make) -> None:
    """NOACCEL on any other register (fault): emulate the instruction. (series.md X5-5)"""
    _, _, dom, (a,) = lab(make, 1)
    a.guest.write("LVT_TIMER", MASKED | 0x40)
    a.guest.write("TMICT", 100_000)
    found: list[int] = []

    def program() -> Any:
        for name in ("TMCCT", "APR"):
            found.append((yield read(name)))

    assert exits(a, a.guest.execute, program) == [NOACCEL, NOACCEL]
    assert 90_000 < found[0] < 100_000
    assert found[1] == 0
    for name in ("VERSION", "PPR", "ISR1", "IRR7", "TMCCT", 0x400, 0x540):
        assert exits(a, a.guest.write, name, 0xFFFF_FFFF) == [NOACCEL]
    assert (int(a.page["VERSION"]), a.page.ppr, a.page.isr, dom.crashed) == (0x0005_0014, 0, set(), False)


@proves("X5-5")
def what_cannot_be_emulated_is_ud(make: Make) -> None:
    """Unhandleable -> #UD into the guest. (series.md X5-5)"""
    _, _, dom, (a,) = lab(make, 1)
    assert exits(a, a.guest.execute, Moving()) == [NOACCEL]
    assert (a.guest.taken, dom.crashed, a.guest.interrupt_flag) == ({6: 1}, False, True)


@breaks("X5-5")
def a_fault_is_stepped_over(w: World) -> None:
    def over(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from retire(w, v.guest, 0)

    overlay(w, p05.emulate_fault, over)


@breaks("X5-5")
def a_fault_crashes(w: World) -> None:
    def crash(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from domain_crash(w, v.domain, "a fault")

    overlay(w, p05.emulate_fault, crash)


@breaks("X5-5")
def no_ud(w: World) -> None:
    def quiet(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if not (yield from svm.emulate(w, core, v)):
            yield from retire(w, v.guest, 0)

    overlay(w, p05.emulate_fault, quiet)
