"""INIT, STARTUP, NMI and lowest priority, sent by a guest through the Machine, emulated and with AVIC."""

import pytest

from avickit.errors import AvicError
from avickit.manual.exits import IpiFailure
from avickit.silicon.guest import Insn, eoi, write
from avickit.xen.parts import DOWN
from tests.proofs.xen_tools import (
    ALL,
    ALL_BUT_SELF,
    ASSERT,
    ENABLED,
    INCOMPLETE,
    INIT,
    LEVEL,
    LOGICAL,
    LOWEST,
    NMI,
    SELF,
    STARTUP,
    cell,
    exits,
    ipi,
    refused,
)
from tests.series.labs import lab

BOTH = pytest.mark.parametrize("patches", [0, 5, 6, 7, 8, 10])
VECTOR = 0x41


@BOTH
def test_an_ap_waits_for_startup_and_starts(patches: int) -> None:
    """X0-5: INIT, then nothing but STARTUP brings it back, with its APIC as after reset.

    V_TPR is not: from patch 7 on the old one masks until the next exit (X24).
    """
    on = lab(2, patches=patches)
    a, b = on.vcpus
    b.guest.write("LDR", 0x0200_0000)
    b.guest.write("TPR", 0x20)
    ipi(a, 2, INIT | ASSERT)
    assert (b.state, b.core, cell(b, "waits_for_sipi")) == ("down", None, 1)
    assert (b.page.irr, b.page.isr, b.page.tpr, int(b.page["SVR"]), int(b.page["LDR"])) == (set(), set(), 0, 0xFF, 0)
    on.xen.wake(b)
    ipi(a, 2, NMI)
    ipi(a, 2, INIT | LEVEL)
    ipi(a, 2, INIT | ASSERT)
    assert "down" in refused(on.xen.run, b, 1)
    on.m.command("run", b.vcpu.guest.index, 1)
    assert (b.state, b.core) == ("down", None)
    ipi(a, 2, STARTUP | 0x9A)
    assert (b.state, cell(b, "waits_for_sipi"), cell(b, "sipi_vector")) == ("runnable", 0, 0x9A)
    ipi(a, 2, STARTUP | 0x33)
    assert cell(b, "sipi_vector") == 0x9A
    on.xen.run(b, 1)
    assert (b.state, b.guest.read("TPR"), b.guest.read_cr8()) == ("guest mode", 0, 2 if patches >= 7 else 0)
    assert not b.guest.interrupt_flag
    b.guest.write("SVR", ENABLED)
    b.guest.execute([Insn("sti"), Insn("nop")])
    ipi(a, 2, VECTOR)
    assert b.guest.taken[VECTOR] == 1


@BOTH
def test_all_aps_at_once(patches: int) -> None:
    """X0-5: as a boot processor does it; the sender runs on."""
    on = lab(4, patches=patches)
    a, *aps = on.vcpus
    ipi(a, 0, INIT | ASSERT | ALL_BUT_SELF)
    assert [v.state for v in aps] == ["down"] * 3
    ipi(a, 0, STARTUP | 0x10 | ALL_BUT_SELF)
    ipi(a, 0, STARTUP | 0x10 | ALL_BUT_SELF)
    assert a.state == "guest mode"
    for n, v in enumerate(aps, 1):
        on.xen.run(v, n)
        v.guest.write("SVR", ENABLED)
        v.guest.execute([Insn("sti"), Insn("nop")])
    ipi(a, 0, ALL_BUT_SELF | VECTOR)
    assert [v.guest.taken.get(VECTOR, 0) for v in (a, *aps)] == [0, 1, 1, 1]


@BOTH
def test_an_nmi_wakes_who_is_down(patches: int) -> None:
    """X0-5, X0-7: HLT with IF = 0; an interrupt does not wake, an NMI does, by a guest or from outside."""
    for outside in (False, True):
        on = lab(2, patches=patches)
        a, b = on.vcpus
        b.guest.cli()
        b.guest.hlt()
        ipi(a, 2, VECTOR)
        assert cell(b, "pause_flags") & DOWN
        on.xen.nmi(b) if outside else ipi(a, 2, NMI)
        assert b.state == "runnable"
        on.xen.run(b, 1)
        assert (b.guest.taken, b.page.irr) == ({2: 1}, {VECTOR})


@BOTH
def test_an_nmi_reaches_a_runner_and_a_sleeper(patches: int) -> None:
    """X0-5: whatever IF and TPR say."""
    on = lab(2, patches=patches)
    a, b = on.vcpus
    b.guest.write("TPR", 0xF0)
    b.guest.cli()
    ipi(a, 2, NMI)
    assert b.guest.taken == {2: 1}
    b.guest.sti()
    b.guest.nop()
    b.guest.hlt()
    ipi(a, 2, NMI)
    on.xen.run(b, 1)
    assert b.guest.taken == {2: 2}


@BOTH
def test_lowest_priority(patches: int) -> None:
    """X0-5: the one with the lowest PPR, in service or by TPR; on a tie round robin. With AVIC by exit ID 0."""
    on = lab(3, patches=patches)
    a, b, c = on.vcpus
    a.guest.write("TPR", 0x30)
    on.xen.set_irq(b, 0x62)
    ipi(a, 0, ALL | LOWEST | 0x71)
    assert [0x71 in v.guest.taken for v in (a, b, c)] == [False, False, True]
    c.guest.eoi()
    c.guest.write("TPR", 0x40)
    ipi(a, 0, ALL | LOWEST | 0x72)
    assert [0x72 in v.guest.taken for v in (a, b, c)] == [True, False, False]
    if patches:
        assert (int(a.exits[-1].code), a.exits[-1].info2 >> 32) == (INCOMPLETE, IpiFailure.INVALID_TYPE)


@BOTH
def test_lowest_priority_to_a_logical_set(patches: int) -> None:
    """X0-5: only among those who are meant; two equals take turns."""
    on = lab(3, patches=patches)
    a, b, c = on.vcpus
    for n, v in enumerate((a, b, c)):
        v.guest.write("LDR", 1 << n << 24)
        for vector in range(0x50, 0x54):
            v.guest.on(vector, (eoi(),))
    for vector in range(0x50, 0x54):
        ipi(a, 0x06, LOGICAL | LOWEST | vector)
    assert (len(a.guest.taken), len(b.guest.taken), len(c.guest.taken)) == (0, 2, 2)


@BOTH
def test_level_triggered_ipis_are_emulated(patches: int) -> None:
    """X0-5a, X5-1: they arrive as edge, and clear TMR."""
    on = lab(2, patches=patches)
    a, b = on.vcpus
    on.xen.set_irq(b, VECTOR, level=True)
    b.guest.eoi()
    ipi(a, 2, LEVEL | ASSERT | VECTOR)
    assert (b.page.tmr, b.guest.taken) == (set(), {VECTOR: 2})
    assert exits(b, b.guest.eoi) == ([] if patches else [0x400])


@BOTH
def test_who_waits_for_startup_executes_nothing(patches: int) -> None:
    """X0-5: the lab says so."""
    on = lab(2, patches=patches)
    a, b = on.vcpus
    ipi(a, 2, INIT | ASSERT)
    with pytest.raises(AvicError, match="down"):
        b.guest.nop()


@BOTH
def test_a_sender_that_is_scheduled_in_waits_for_its_target(patches: int) -> None:
    """X0-5: INIT and STARTUP to all, itself among them, as the first that the machine does when it runs again."""
    on = lab(3, patches=patches)
    a, b, c = on.vcpus
    b.guest.execute([Insn("hlt"), write("ICRL", INIT | ASSERT | ALL_BUT_SELF), write("ICRL", INIT | ASSERT | SELF)])
    on.xen.wake(b)
    on.xen.run(b, 1)
    assert [v.state for v in (a, b, c)] == ["down"] * 3
    assert [v.core for v in (a, b, c)] == [None] * 3
