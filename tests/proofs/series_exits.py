"""Proofs of X5-1 .. X5-3: exit 401h, an IPI that the hardware could not complete."""

from avickit.beat import Beats, World, drive
from avickit.manual.apic import Offset
from avickit.manual.exits import ExitCode, IncompleteIpiInfo2, IpiFailure
from avickit.manual.vmcb import VmcbOffset
from avickit.series import p05_vmexit_handlers as p05
from avickit.silicon.parts import Core
from avickit.xen import sched, vlapic
from avickit.xen.parts import Vcpu, vcpus_of
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    ALL,
    ALL_BUT_SELF,
    ASSERT,
    INCOMPLETE,
    LEVEL,
    LOGICAL,
    LOWEST,
    exits,
    lab,
    overlay,
    poke,
    said,
    skip,
)

WRITES_ICR = ["ICRH: vlapic writes", "ICRL: the ICR is stored"]


@proves("X5-1")
def what_the_hardware_cannot_send_is_replayed(make: Make) -> None:
    """ID 0: replay ICRH then ICRL through vlapic_reg_write (full emulation). (series.md X5-1)"""
    for patches in (5, 10):
        m, _, _, (a, b) = lab(make, patches=patches)
        for icrl in (LOWEST | 0x41, LEVEL | ASSERT | 0x52):
            a.guest.write("ICRH", 0x0212_3456)
            first = len(m.trace)
            assert exits(a, a.guest.write, "ICRL", icrl) == [INCOMPLETE]
            assert a.exits[-1].info2 >> 32 == IpiFailure.INVALID_TYPE
            assert said(m, first, *WRITES_ICR, actor="core 0") == WRITES_ICR
            assert int(a.page["ICRH"]) == 0x0200_0000
        assert b.guest.taken == {0x41: 1, 0x52: 1}


@breaks("X5-1")
def only_icrl_is_replayed(w: World) -> None:
    def half(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
        yield from vlapic.vlapic_reg_write(w, core, v, Offset.ICRL, icrl)

    overlay(w, p05.emulate_ipi, half)


@breaks("X5-1")
def it_is_dropped(w: World) -> None:
    skip(w, p05.emulate_ipi)


@proves("X5-2")
def every_matching_vcpu_but_the_sender_is_kicked(make: Make) -> None:
    """ID 1: IRR is set already: kick every vCPU but the sender that matches the destination. (series.md X5-2)"""
    cases = (
        (0, ALL_BUT_SELF, {1, 2, 3}),
        (0, ALL, {1, 2, 3}),
        (4, 0, {2}),
        (0xFF, 0, {1, 2, 3}),
        (0xFF, LOGICAL, {1, 2, 3}),
        (0x06, LOGICAL, {1, 2}),
    )
    for destination, mode, who in cases:
        m, xen, _, vcpus = lab(make, 4)
        a, *others = vcpus
        if mode == LOGICAL and destination != 0xFF:
            for v in vcpus:
                v.guest.write("LDR", 1 << v.vcpu.vcpu_id << 24)
        for v in others:
            v.guest.hlt()
        a.guest.write("ICRH", destination << 24)
        first = len(m.trace)
        assert exits(a, a.guest.write, "ICRL", mode | 0x41) == [INCOMPLETE]
        assert a.exits[-1].info2 >> 32 == IpiFailure.NOT_RUNNING
        assert {v.vcpu.vcpu_id for v in others if v.state == "runnable"} == who
        assert {v.vcpu.vcpu_id for v in others if 0x41 in v.page.irr} == who
        assert said(m, first, "d1v0 pause_flags", "Xen sets the IRR bit") == []
        for v in others:
            if v.state == "runnable":
                xen.run(v, v.vcpu.vcpu_id)
                assert v.guest.taken == {0x41: 1}


@breaks("X5-2")
def only_the_first_is_kicked(w: World) -> None:
    def first(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
        for target in vcpus_of(w, v.domain):
            if target.vcpu_id != v.vcpu_id and (yield from p05.is_target(w, core, v, target, icrl, icrh)):
                yield from sched.vcpu_kick(w, core, target)
                return

    overlay(w, p05.wake_targets, first)


@breaks("X5-2")
def the_sender_is_kicked_too(w: World) -> None:
    def everybody(w: World, core: Core, v: Vcpu, icrl: int, icrh: int, info2: IncompleteIpiInfo2) -> Beats[None]:
        for target in vcpus_of(w, v.domain):
            if (yield from p05.is_target(w, core, v, target, icrl, icrh)):
                yield from sched.vcpu_kick(w, core, target)

    overlay(w, p05.wake_targets, everybody)


@breaks("X5-2")
def irr_is_set_again(w: World) -> None:
    overlay(w, p05.wake_targets, p05.emulate_ipi.fn)


@breaks("X5-2")
def logical_ff_wakes_nobody(w: World) -> None:
    def by_registers(w: World, core: Core, v: Vcpu, target: Vcpu, icrl: int, icrh: int) -> Beats[bool]:
        shorthand, logical = icrl >> 18 & 3, bool(icrl & LOGICAL)
        return bool((yield from vlapic.vlapic_match_dest(w, target, v, shorthand, icrh >> 24, logical)))

    overlay(w, p05.is_target, by_registers)


@proves("X5-3")
def an_invalid_target_is_emulated_for_the_others(make: Make) -> None:
    """ID 2 emulates the ICR write for the targets that exist; no crash. (series.md X5-3)"""
    _, _, dom, (a, b) = lab(make)
    b.guest.write("LDR", 0x0200_0000)
    for destination, mode, taken in ((0x06, LOGICAL, {0x41: 1}), (0x40, 0, {0x41: 1})):
        a.guest.write("ICRH", destination << 24)
        assert exits(a, a.guest.write, "ICRL", mode | 0x41) == [INCOMPLETE]
        assert a.exits[-1].info2 >> 32 == IpiFailure.INVALID_TARGET
        assert (b.guest.taken, dom.crashed) == (taken, False)


@proves("X5-3")
def a_small_vector_is_the_guests_error(make: Make) -> None:
    """ID 4 sets ESR send-illegal, nothing is delivered; no crash. (series.md X5-3)"""
    _, _, dom, (a, b) = lab(make)
    a.guest.write("ICRH", 2 << 24)
    assert exits(a, a.guest.write, "ICRL", 0x0F) == [INCOMPLETE]
    assert a.exits[-1].info2 >> 32 == IpiFailure.INVALID_VECTOR
    assert (int(a.page["ESR"]), b.guest.taken, b.page.irr, dom.crashed) == (1 << 5, {}, set(), False)


@proves("X5-3")
def a_broken_table_crashes_the_domain(make: Make) -> None:
    """ID 3 crashes the domain, with ICR and index in the log; so does an ID that nobody knows. (series.md X5-3)"""
    m, xen, dom, (a, b) = lab(make)
    entry = dom.physical_table.place + b.apic_id
    poke(m, entry, m.world.at[entry] & ~0xF_FFFF_FFFF_F000 | 0xF_FFFF << 12)
    a.guest.write("ICRH", 2 << 24)
    assert exits(a, a.guest.write, "ICRL", 0x41) == [INCOMPLETE]
    assert (a.exits[-1].info2 >> 32, dom.crashed) == (IpiFailure.INVALID_PAGE, True)
    assert any("SVM: Invalid bk page (icr=0x02000000:00000041, idx=2)" in line for line in xen.console)
    m, xen, dom, (a, b) = lab(make)
    poke(m, a.vcpu.guest.vmcb + (VmcbOffset.EXITCODE >> 3), int(ExitCode.AVIC_INCOMPLETE_IPI))
    poke(m, a.vcpu.guest.vmcb + (VmcbOffset.EXITINFO2 >> 3), 9 << 32)
    drive(m.world, p05.vmexit_incomplete_ipi(m.world, m.world.objects["cores"][0], a.vcpu))
    assert (dom.crashed, "Unknown IPI interception (0x9)" in " ".join(xen.console)) == (True, True)


@breaks("X5-3")
def an_invalid_target_crashes(w: World) -> None:
    overlay(w, p05.invalid_target, p05.invalid_page.fn)


@breaks("X5-3")
def an_invalid_target_is_dropped(w: World) -> None:
    skip(w, p05.invalid_target)


@breaks("X5-3")
def a_small_vector_crashes(w: World) -> None:
    overlay(w, p05.invalid_vector, p05.unknown_failure.fn)


@breaks("X5-3")
def a_broken_table_is_emulated(w: World) -> None:
    overlay(w, p05.invalid_page, p05.emulate_ipi.fn)


@breaks("X5-3")
def unknown_ids_are_ignored(w: World) -> None:
    skip(w, p05.unknown_failure)
