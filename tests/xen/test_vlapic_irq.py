"""Acceptance, what is pending, acknowledging, EOI."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.beat import Beats, World
from avickit.silicon.parts import INTR, Core
from avickit.xen import vlapic
from avickit.xen.parts import BLOCKED, Vcpu
from tests.xen.vlapic_machine import Rig, enabled, fresh

VECTORS = st.integers(16, 255)
SETS = st.sets(VECTORS).map(lambda found: sum(1 << vector for vector in found))


def set_irq(rig: Rig, v: Vcpu, vector: int, trig: int = 0) -> None:
    rig.do(vlapic.vlapic_set_irq, v, vector, trig)


def test_a_new_vector_is_set_and_wakes() -> None:
    """X0-3: IRR, and a kick, which unblocks (X0-8)."""
    rig = enabled()
    v = rig.vcpus[1]
    rig.w.at[v.cells.pause_flags] = BLOCKED
    set_irq(rig, v, 0x41)
    assert rig.page(v, "IRR") == 1 << 0x41
    assert rig.w.at[v.cells.pause_flags] == 0


def test_a_vector_that_is_set_does_not_kick_again() -> None:
    """X0-3: set IRR and kick only if it was not set."""
    rig = enabled()
    v = rig.vcpus[1]
    rig.w.at[v.cells.is_running], rig.w.at[v.cells.processor] = 1, 1
    set_irq(rig, v, 0x41)
    assert rig.w.at[rig.cores[1].signals] == INTR
    rig.w.at[rig.cores[1].signals] = rig.w.at[rig.w.objects["pcpus"][1].softirq] = 0
    set_irq(rig, v, 0x41)
    assert rig.w.at[rig.cores[1].signals] == 0


def test_tmr_follows_the_trigger_mode() -> None:
    """X0-3: set for level, cleared for edge."""
    rig = enabled()
    v = rig.vcpus[0]
    set_irq(rig, v, 0x41, 1)
    set_irq(rig, v, 0x82, 1)
    set_irq(rig, v, 0x41, 0)
    assert rig.page(v, "TMR") == 1 << 0x82
    assert rig.page(v, "IRR") == 1 << 0x41 | 1 << 0x82


def test_a_posted_interrupt_is_left_to_the_hook() -> None:
    """X0-3: deliver_posted_intr, if there is one, gets the vector after TMR; IRR and kick are its own."""
    rig = enabled()
    seen: list[tuple[Any, ...]] = []

    def posted(w: World, core: Core, v: Vcpu, vec: int) -> Beats[None]:
        seen.append((v, vec))
        return
        yield

    rig.xen.funcs["deliver_posted_intr"] = posted
    set_irq(rig, rig.vcpus[2], 0x41, 1)
    assert seen == [(rig.vcpus[2], 0x41)]
    assert rig.page(rig.vcpus[2], "IRR") == 0
    assert rig.page(rig.vcpus[2], "TMR") == 1 << 0x41


@pytest.mark.parametrize("vector", range(16))
def test_an_illegal_vector_is_an_error(vector: int) -> None:
    """X0-3: ESR bit 6; nothing is pending, TMR untouched."""
    rig = enabled()
    v = rig.vcpus[0]
    set_irq(rig, v, vector, 1)
    assert rig.page(v, "ESR") == 1 << 6
    assert rig.page(v, "IRR") == rig.page(v, "TMR") == 0


def test_16_is_a_legal_vector() -> None:
    """X0-3: the first."""
    rig = enabled()
    set_irq(rig, rig.vcpus[0], 16)
    assert (rig.page(rig.vcpus[0], "IRR"), rig.page(rig.vcpus[0], "ESR")) == (1 << 16, 0)


def test_an_error_raises_the_lvt_error_interrupt_once() -> None:
    """X0-3: the LVT error interrupt, unless masked, and only for an error that is new."""
    rig = enabled()
    v = rig.vcpus[0]
    set_irq(rig, v, 3)
    assert rig.page(v, "IRR") == 0, "masked after reset"
    rig.poke(v, "ESR", 0)
    rig.write(v, "LVT_ERROR", 0xFE)
    set_irq(rig, v, 3)
    assert rig.page(v, "IRR") == 1 << 0xFE
    rig.poke(v, "IRR", 0)
    set_irq(rig, v, 3)
    assert rig.page(v, "IRR") == 0


def test_an_error_interrupt_with_an_illegal_vector_ends() -> None:
    """X0-3, X0-5: its own error is added, and no more (XSA-462 is about the lock that Xen held here)."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.write(v, "LVT_ERROR", 0x05)
    rig.ipi(v, 0x0000_0003, dest=2)
    assert rig.page(v, "ESR") == 1 << 5 | 1 << 6


def pending(rig: Rig, v: Vcpu) -> int:
    return rig.do(vlapic.vlapic_has_pending_irq, v)


@given(SETS, SETS)
def test_pending_compares_classes(irr: int, isr: int) -> None:
    """X0-6: the highest IRR if its class, bits 7:4, is above that of the highest ISR; TPR is not asked."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "IRR", irr)
    rig.poke(v, "ISR", isr)
    rig.poke(v, "TPR", 0xF0)
    top = max((n for n in range(256) if irr >> n & 1), default=-1)
    served = max((n for n in range(256) if isr >> n & 1), default=-1)
    assert pending(rig, v) == (top if top // 16 > served // 16 or served < 0 else -1)


@given(SETS, SETS)
def test_with_virtual_interrupt_delivery_isr_is_not_asked(irr: int, isr: int) -> None:
    """X8-1: the highest IRR, with no comparison."""
    rig = enabled()
    rig.xen.flags["virtual_intr_delivery_enabled"] = True
    rig.poke(rig.vcpus[0], "IRR", irr)
    rig.poke(rig.vcpus[0], "ISR", isr)
    assert pending(rig, rig.vcpus[0]) == irr.bit_length() - 1


@pytest.mark.parametrize("delivery", [False, True])
def test_a_disabled_apic_has_nothing_pending(delivery: bool) -> None:
    """X0-6, X0-5a: whatever stands in IRR."""
    rig = fresh()
    rig.xen.flags["virtual_intr_delivery_enabled"] = delivery
    rig.poke(rig.vcpus[0], "IRR", 1 << 0x41)
    assert pending(rig, rig.vcpus[0]) == -1


@pytest.mark.parametrize(("delivery", "irr", "isr"), [(False, 0, 1 << 0x41), (True, 1 << 0x41, 0)])
def test_acknowledging_is_softwares_or_hardwares(delivery: bool, irr: int, isr: int) -> None:
    """X0-6: software moves the vector from IRR to ISR; X8-1: with virtual interrupt delivery it does not."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.xen.flags["virtual_intr_delivery_enabled"] = delivery
    set_irq(rig, v, 0x41)
    assert rig.do(vlapic.vlapic_ack_pending_irq, v, 0x41)
    assert (rig.page(v, "IRR"), rig.page(v, "ISR")) == (irr, isr)


def test_acknowledging_sets_isr_before_it_clears_irr() -> None:
    """X0-6: at no moment is the vector in neither register."""
    rig = enabled()
    v = rig.vcpus[0]
    set_irq(rig, v, 0x41)
    beats = vlapic.vlapic_ack_pending_irq(rig.w, rig.cores[0], v, 0x41)
    for _ in rig.steps(beats):
        assert rig.page(v, "IRR") | rig.page(v, "ISR") == 1 << 0x41


@given(SETS, SETS)
def test_eoi_ends_the_highest_in_service(isr: int, tmr: int) -> None:
    """X0-4: clear the highest ISR bit; if its TMR bit is set the virtual I/O APIC hears of it. None: nothing."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "ISR", isr)
    rig.poke(v, "TMR", tmr)
    rig.write(v, "EOI", 0)
    top = isr.bit_length() - 1
    level = top >= 0 and tmr >> top & 1
    assert rig.page(v, "ISR") == (isr & ~(1 << top) if isr else 0)
    assert rig.page(v, "TMR") == tmr
    assert rig.w.at[v.domain.cells.eoi_broadcasts] == level


@given(st.integers(0, 0xFF), SETS)
def test_ppr(tpr: int, isr: int) -> None:
    """X0-4, H-PRIO-1: TPR if its class is at least that of the highest ISR, else that class."""
    rig = enabled()
    v = rig.vcpus[0]
    rig.poke(v, "TPR", tpr)
    rig.poke(v, "ISR", isr)
    rig.poke(v, "PPR", 0xEE)
    served = max(isr.bit_length() - 1, 0)
    assert rig.read(v, "PPR") == (tpr if tpr // 16 >= served // 16 else served // 16 * 16)
