"""Proofs of X0-4a: which bits the emulated registers keep, which writes they ignore."""

import pytest

from avickit.beat import Beats, World
from avickit.manual.apic import Offset
from avickit.silicon.parts import Core
from avickit.xen import vlapic_init, vlapic_lvt, vlapic_regs, vlapic_state, vlapic_timer
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_ipi import vlapic_ipi
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_registers import KEEP, LVTS, MASKED
from tests.proofs.xen_tools import answered, ipi, lab, overlay, said, then


@proves("X0-4a")
def lvts_keep_their_own_bits(make: Make) -> None:
    """Timer 710FFh, thermal and perf 117FFh, LINT0/1 1F7FFh, error 110FFh. (series.md X0-4a)"""
    _, _, _, (a,) = lab(make, 1, patches=0)
    for name, kept in zip(LVTS, KEEP, strict=True):
        a.guest.write(name, 0xFFFF_FFFF)
        assert a.guest.read(name) == kept, name


@proves("X0-4a")
def the_id_is_stored_raw_and_some_writes_are_ignored(make: Make) -> None:
    """ESR, RRR, version, PPR, APR, ISR/TMR/IRR and TMCCT ignore writes, ESR is not cleared. (series.md X0-4a)"""
    _, _, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("ID", 0x1234_5678)
    assert a.guest.read("ID") == 0x1234_5678
    a.guest.write("LVT_ERROR", MASKED)
    ipi(a, 0, 0x05)
    banks = (f"{bank}{word}" for bank in ("ISR", "TMR", "IRR") for word in range(8))
    for name in ("ESR", "RRR", "VERSION", "PPR", "APR", "TMCCT", *banks):
        before = a.guest.read(name)
        a.guest.write(name, before ^ 0xFFFF_FFFF)
        assert a.guest.read(name) == before, name
    assert a.guest.read("ESR") == 0x20


@proves("X0-4a")
def counts_are_0_in_deadline_mode(make: Make) -> None:
    """In TSC-deadline mode TMICT and TMCCT read 0 and TMICT writes are ignored. (series.md X0-4a)"""
    m, _, _, (a,) = lab(make, 1, patches=0)
    a.guest.write("LVT_TIMER", 2 << 17 | 0x40)
    a.guest.write("TMICT", 100)
    assert (a.guest.read("TMICT"), a.guest.read("TMCCT"), m.next_timer()) == (0, 0, 0)


@proves("X0-4a")
def the_icr_sends_before_it_stores(make: Make) -> None:
    """ICR sends first, then stores. (series.md X0-4a)"""
    m, _, _, (a, _) = lab(make, patches=0)
    first = len(m.trace)
    ipi(a, 2, 0x41)
    assert said(m, first, "sets the IRR bit", "ICRL: the ICR") == ["sets the IRR bit", "ICRL: the ICR"]


@proves("X0-4a")
def init_leaves_id_and_esr(make: Make) -> None:
    """INIT reset leaves ID and ESR, and nothing else. (series.md X0-4a)"""
    _, _, _, (a, b) = lab(make, patches=0)
    b.guest.write("LVT_ERROR", MASKED)
    ipi(b, 0, 0x05)
    b.guest.write("LDR", 0x0200_0000)
    b.guest.write("TPR", 0x20)
    ipi(a, 2, 0x4500)
    left = {name: int(b.page[name]) for name in ("ID", "ESR", "LDR", "TPR", "SVR", "ICRL", "LVT_ERROR")}
    assert left == {"ID": 2 << 24, "ESR": 0x20, "LDR": 0, "TPR": 0, "SVR": 0xFF, "ICRL": 0, "LVT_ERROR": MASKED}


@breaks("X0-4a", patch=True)
def all_lvts_are_alike(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(vlapic_lvt.LVT_MASK, Offset.LVT_TIMER, 0x110FF)


@breaks("X0-4a")
def ignored_registers_are_written(w: World) -> None:
    def stored(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[bool]:
        yield vlapic_regs.SET_REG(vlapic_state.at(v, offset), value)
        return True

    overlay(w, vlapic_regs.vlapic_write_ignored, stored)


@breaks("X0-4a")
def tmict_counts_in_deadline_mode(w: World) -> None:
    answered(w, vlapic_timer.vlapic_read_count, lambda count: count or 1)


@breaks("X0-4a")
def the_icr_is_stored_first(w: World) -> None:
    def early(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
        yield vlapic_regs.STORE_ICR(vlapic_state.at(v, offset), value)
        yield from vlapic_ipi(w, core, v, value, (yield vlapic_state.READ_REG(vlapic_state.at(v, 0x310))))

    overlay(w, vlapic_regs.vlapic_write_icr, early)


@breaks("X0-4a")
def init_clears_esr(w: World) -> None:
    def too_much(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield vlapic_init.RESET_REG(vlapic_state.at(v, Offset.ESR), 0)

    then(w, vlapic_init.vlapic_do_init, too_much)
