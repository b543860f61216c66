"""Where a guest can tell AVIC from emulation, one test for each: by the rules, not by mistake.

`test_equivalence` leaves out exactly these.
"""

from collections.abc import Callable
from typing import Any

from avickit.silicon.guest import Insn, eoi, write
from tests.series.equivalence import Rig, ipi, sti

LOGICAL, ALL, LEVEL, ASSERT, LOWEST, INIT, SELF = 0x800, 0x8_0000, 0x8000, 0x4000, 0x100, 0x500, 0x4_0000
CLUSTER = 0x0FFF_FFFF
APIC_BASE, HW_ENABLE, X2_MODE = 0x1B, 0x800, 0x400


def both(story: Callable[[Rig], Any], **kw: Any) -> tuple[Any, Any]:
    """What comes of a story emulated, and with AVIC."""
    return story(Rig(0, **kw)), story(Rig(10, **kw))


def taken(rig: Rig, vector: int) -> list[int]:
    """Who has taken the vector."""
    return [n for n, v in enumerate(rig.vcpus) if vector in v.guest.taken]


def test_a_software_disabled_apic_still_gets_its_irr_bit() -> None:
    """H-IPI-12: the hardware looks at the tables only; X0-5a: Xen drops the IPI."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        b.guest.write("SVR", 0xFF)
        a.guest.execute(ipi(2, 0x41))
        return taken(rig, 0x41)

    assert both(story) == ([], [1])


def test_an_apic_that_waits_for_startup_too() -> None:
    """H-IPI-12, X0-5a: after INIT the entry is valid, and SVR says disabled."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        a.guest.execute(ipi(2, INIT | ASSERT))
        a.guest.execute(ipi(2, 0x41))
        return b.page.irr

    assert both(story) == (set(), {0x41})


def test_esr_and_rrr_read_back_what_was_written() -> None:
    """X26: the hardware stores before the trap; X0-4a: vlapic ignores the write, and nobody puts the page right."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        for name in ("ESR", "RRR"):
            v.guest.write(name, 0x5A)
        return v.guest.read("ESR"), v.guest.read("RRR")

    assert both(story) == ((0, 0), (0x5A, 0x5A))


def test_offsets_that_are_no_register_hold_what_is_written() -> None:
    """H-REG-4: allowed, read and write; X0-4: vlapic has nothing there."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        for offset in (0x40, 0x2F0, 0x3F0):
            v.guest.write(offset, 0x1234)
        return [v.guest.read(offset) for offset in (0x40, 0x2F0, 0x3F0)]

    assert both(story) == ([0, 0, 0], [0x1234, 0x1234, 0x1234])


def test_icrh_keeps_its_reserved_bits() -> None:
    """H-MAP-310: ICRH is plain memory; X0-4: vlapic keeps bits 31:24."""

    def story(rig: Rig) -> Any:
        rig.vcpus[0].guest.write("ICRH", 0x0212_3456)
        return rig.vcpus[0].guest.read("ICRH")

    assert both(story) == (0x0200_0000, 0x0212_3456)


def test_an_accelerated_ipi_leaves_tmr() -> None:
    """H-IPI-5: the target's TMR bit is not written; X0-5a: Xen's IPIs clear it. So the EOI is told once more."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        rig.xen.set_irq(b, 0x41, level=True)
        b.guest.eoi()
        a.guest.execute(ipi(2, 0x41))
        told = rig.m.world.at[b.vcpu.domain.cells.eoi_broadcasts]
        b.guest.eoi()
        return b.guest.read("TMR2"), rig.m.world.at[b.vcpu.domain.cells.eoi_broadcasts] - told

    assert both(story) == ((0, 0), (2, 1))


def test_logical_ff_is_a_broadcast() -> None:
    """H-IPI-9: for the hardware, also without a logical ID; X0-5a: for Xen in physical mode only."""

    def story(rig: Rig) -> Any:
        rig.vcpus[0].guest.execute(ipi(0xFF, LOGICAL | 0x41))
        return taken(rig, 0x41)

    assert both(story) == ([], [0, 1, 2])


def test_the_senders_dfr_decides() -> None:
    """H-IPI-3a: the hardware reads the destination by the sender's model; X0-5a: Xen by each target's."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        a.guest.write("DFR", CLUSTER)
        b.guest.write("LDR", 0x20 << 24)
        a.guest.execute(ipi(0x12, LOGICAL | 0x41))
        return taken(rig, 0x41)

    assert both(story) == ([], [1])


def test_a_cluster_target_under_a_flat_bit() -> None:
    """H-IPI-3a, H-TAB-3: entry 4 is cluster 1's first member and flat bit 4; X0-5a: Xen keeps the two apart."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        b.guest.write("DFR", CLUSTER)
        b.guest.write("LDR", 0x11 << 24)
        a.guest.execute(ipi(0x10, LOGICAL | 0x41))
        return taken(rig, 0x41)

    assert both(story) == ([], [1])


def test_cr8_clears_the_low_nibble_of_tpr() -> None:
    """H-PRIO-2: page TPR is CR8 << 4 at once; X7-2: Xen copies V_TPR at an exit, and leaves the low nibble."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.write("TPR", 0x25)
        found = []
        for cr8 in (2, 3):
            v.guest.write_cr8(cr8)
            found.append(v.guest.read("TPR"))
        return found

    assert both(story) == ([0x25, 0x35], [0x20, 0x30])


def test_lowest_priority_sees_cr8_late() -> None:
    """X7-2: without AVIC the page's TPR follows CR8 at the next exit; X0-5: arbitration reads the page."""

    def story(rig: Rig) -> Any:
        a, b, c = rig.vcpus
        a.guest.write("TPR", 0x40)
        c.guest.write("TPR", 0x20)
        b.guest.write_cr8(3)
        a.guest.execute(ipi(0, ALL | LOWEST | 0x71))
        return taken(rig, 0x71)

    assert both(story) == ([1], [2])


def test_hlt_in_a_handler_may_end_at_once() -> None:
    """X8-1: with AVIC the highest pending vector is not compared with ISR; X0-6: without it, it is."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        rig.xen.set_irq(v, 0x80)
        rig.xen.set_irq(v, 0x41)
        assert (v.page.isr, v.page.irr) == ({0x80}, {0x41})
        v.guest.hlt()
        return v.state

    assert both(story) == ("blocked", "guest mode")


def test_a_second_ipi_of_the_same_vector_wakes() -> None:
    """X5-2: exit 401h kicks whoever is meant; X0-3: Xen kicks if the IRR bit is new."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        b.guest.write("TPR", 0xF0)
        a.guest.execute(ipi(2, 0x41))
        b.guest.hlt()
        assert b.state == "blocked"
        a.guest.execute(ipi(2, 0x41))
        return b.state

    assert both(story) == ("blocked", "runnable")


def test_who_waits_for_the_window_waits_for_an_exit() -> None:
    """X23, X7-3: a callback vector that meets IF = 0, an NMI that meets a shadow."""

    def callback(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.cli()
        rig.xen.callback(v, 0x71)
        v.guest.execute((*sti(), Insn("nop")))
        before = dict(v.guest.taken)
        v.guest.write("TDCR", 0xB)
        return before, v.guest.taken

    assert both(callback) == (({0x71: 1}, {0x71: 1}), ({}, {0x71: 1}))

    def nmi(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.execute((Insn("cli"), Insn("sti")))
        rig.xen.nmi(v)
        v.guest.execute((Insn("nop"), Insn("nop")))
        return v.guest.taken

    assert both(nmi) == ({2: 1}, {})


def test_v_tpr_masks_after_an_init_from_outside() -> None:
    """X24: INIT clears TPR in the page of a vCPU that does not run; V_TPR keeps masking until its next exit."""

    def story(rig: Rig) -> Any:
        a, b, _ = rig.vcpus
        b.guest.write("TPR", 0xF0)
        rig.xen.deschedule(b)
        a.guest.execute(ipi(2, INIT | ASSERT))
        a.guest.execute(ipi(2, 0x610))
        rig.xen.run(b, 1)
        first = b.guest.read_cr8()
        b.guest.write("SVR", 0x1FF)
        return first, b.guest.read_cr8(), b.guest.read("TPR")

    assert both(story) == ((0, 0, 0), (15, 0, 0))


def test_a_new_apic_id_is_refused() -> None:
    """X5-4: the trap handler cannot do it, and crashes the domain; X0-4a: vlapic stores the ID raw."""

    def story(rig: Rig) -> Any:
        rig.vcpus[0].guest.write("ID", 0x1000_0000)
        return rig.vcpus[0].state

    assert both(story) == ("guest mode", "crashed")


def test_tmict_in_deadline_mode_reads_back() -> None:
    """H-MAP-380: the page has what was written; X0-4a, X5-4: vlapic takes it as 0 and ignores it."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.write("LVT_TIMER", 2 << 17 | 0x40)
        v.guest.write("TMICT", 1000)
        return v.guest.read("TMICT"), v.guest.read("TMCCT"), rig.m.next_timer()

    assert both(story) == ((0, 0, 0), (1000, 0, 0))


def test_the_apic_page_does_not_move() -> None:
    """X33: APIC_BAR stays; where the guest has moved or disabled its APIC the old address is still accelerated."""

    def moved(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.wrmsr(APIC_BASE, 0xFED0_0000 | HW_ENABLE)
        new = rig.m.program([write("TPR", 0x20, base=0xFED0_0000)])
        rig.m.command("execute", v.vcpu.guest.index, new)
        return v.guest.read("VERSION"), v.page.tpr

    def disabled(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.wrmsr(APIC_BASE, v.guest.rdmsr(APIC_BASE) & ~HW_ENABLE)
        return v.guest.read("VERSION")

    assert both(moved) == ((0xFFFF_FFFF, 0x20), (0x0005_0014, 0x20))
    assert both(disabled) == (0xFFFF_FFFF, 0x0005_0014)


def test_in_x2apic_mode_the_page_still_answers() -> None:
    """X0-10: AVIC stays on; H-VMCB-9: so the page at APIC_BAR is served, which an x2APIC does not have."""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.wrmsr(APIC_BASE, v.guest.rdmsr(APIC_BASE) | X2_MODE)
        return v.guest.read("VERSION")

    assert both(story) == (0xFFFF_FFFF, 0x0005_0014)


def test_an_eoi_that_lets_the_next_one_in() -> None:
    """No difference: EOI and TPR are over before the handler that they let in begins. (H-EVAL-1, H-REG-3)"""

    def story(rig: Rig) -> Any:
        v = rig.vcpus[0]
        v.guest.on(0x41, (eoi(),))
        rig.xen.set_irq(v, 0x62)
        rig.xen.set_irq(v, 0x41)
        v.guest.eoi()
        v.guest.write("TPR", 0xF0)
        rig.xen.set_irq(v, 0x41)
        v.guest.execute((write("TPR", 0), Insn("nop")))
        return rig.seen(v).log, v.page.isr, v.page.irr

    emulated, avic = both(story)
    assert emulated == avic == ((("take", 0x62), ("take", 0x41), ("take", 0x41)), set(), set())
