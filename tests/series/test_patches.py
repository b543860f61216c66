"""For every N the machine behaves as the series at that point is meant to."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from avickit import Machine
from avickit.errors import AvicError
from avickit.manual.exits import IpiFailure
from avickit.silicon.guest import Insn, write
from avickit.xen.parts import link, xen
from tests.proofs.xen_tools import (
    ALL_BUT_SELF,
    INCOMPLETE,
    INTR,
    NOACCEL,
    NPF,
    RUNNING,
    SELF,
    cell,
    exits,
    field,
    ipi,
    refused,
    said,
)
from tests.series.labs import lab

DUMP = Path(__file__).parents[2] / "data" / "avic-stats-epyc.txt"
EVERY_N = range(11)


def names_avic(n: int) -> bool:
    """1: struct vmcb_struct has AVIC's names."""
    m = Machine()
    m.boot(patches=n)
    return "vintr.avic_enable" in xen(m.world).vmcb_names


def has_new_name(n: int) -> bool:
    """2: the accessor is called vlapic_reg_read, and no longer vlapic_read_aligned."""
    m = Machine()
    m.boot(patches=n)
    return not refused(link, m.world, "vlapic_reg_read", "vlapic.c") and bool(
        refused(link, m.world, "vlapic_read_aligned", "vlapic.c")
    )


def is_visible(n: int) -> bool:
    """3: both accessors link from another file."""
    m = Machine()
    m.boot(patches=n)
    return not any(refused(link, m.world, f"vlapic_reg_{verb}", "avic.c") for verb in ("read", "write"))


def tpr_is_accelerated(n: int) -> bool:
    """4: a guest's TPR write and self-IPI cost no exit."""
    if n < 4:
        return False
    a, _ = lab(patches=n).vcpus
    return exits(a, a.guest.execute, (write("TPR", 0x20), write("ICRL", SELF | 0x41))) == []


def lvts_work(n: int) -> bool:
    """5: a guest that programs its LVT lives on."""
    on = lab(patches=n)
    on.vcpus[0].guest.write("LVT_ERROR", 0x33)
    return not on.dom.crashed


def ipis_are_accelerated(n: int) -> bool:
    """6: an IPI between running vCPUs costs nobody an exit."""
    a, b = lab(patches=n).vcpus
    return exits(a, ipi, a, 2, 0x41) == exits(b, ipi, a, 2, 0x52) == [] and b.guest.taken == {0x41: 1, 0x52: 1}


def xens_interrupts_cost_no_exit(n: int) -> bool:
    """7: what Xen injects is an IRR bit and a doorbell."""
    on = lab(patches=n)
    b = on.vcpus[1]
    return exits(b, on.xen.set_irq, b, 0x41) == [] and b.guest.taken == {0x41: 1}


def hardware_acknowledges(n: int) -> bool:
    """8: an interrupt found at a VMRUN is not injected by software."""
    on = lab(patches=n)
    a, b = on.vcpus
    b.guest.hlt()
    ipi(a, 2, 0x41)
    first = len(on.m.trace)
    on.xen.run(b, 1)
    return b.guest.taken == {0x41: 1} and said(on.m, first, "software sets the ISR", "EVENTINJ: Xen writes") == []


def the_command_line_works(n: int) -> bool:
    """9: svm=avic turns AVIC on."""
    m = Machine()
    return field(m.boot("svm=avic", patches=n).create_domain(1).vcpus[0], "VINTR", "AVIC_ENABLE") == 1


def key_i_prints(n: int) -> bool:
    """10: key 'i' prints the statistics."""
    return any("SVM AVIC Statistics" in line for line in lab(patches=n).xen.key("i"))


STORIES: dict[int, Callable[[int], bool]] = {
    1: names_avic,
    2: has_new_name,
    3: is_visible,
    4: tpr_is_accelerated,
    5: lvts_work,
    6: ipis_are_accelerated,
    7: xens_interrupts_cost_no_exit,
    8: hardware_acknowledges,
    9: the_command_line_works,
    10: key_i_prints,
}


@pytest.mark.parametrize("n", STORIES, ids=lambda n: f"{n}-{STORIES[n].__name__}")
def test_what_patch_n_brings(n: int) -> None:
    """It is so from N on, and not at N - 1."""
    assert not STORIES[n](n - 1)
    assert [k for k in range(n, 11) if not STORIES[n](k)] == []


def test_0_every_access_is_emulated() -> None:
    """N=0: `svm=avic` is unknown, every access is emulated."""
    m = Machine()
    xen_ = m.boot("svm=avic", patches=0)
    assert '(XEN) parameter "svm" unknown!' in xen_.console
    (a,) = xen_.create_domain(1).vcpus
    xen_.run(a, 0)
    for name in ("ID", "TPR", "EOI", "ICRH", "IRR0", "LVT_TIMER"):
        assert exits(a, a.guest.read, name) == [NPF]
        assert exits(a, a.guest.write, name, 0) == [NPF]


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_1_to_3_nothing_is_enabled(n: int) -> None:
    """N=1..3: fields and names exist, before 2 the accessor is vlapic_read_aligned; nothing is enabled."""
    m = Machine()
    with pytest.raises(AvicError, match="patch 4"):
        m.boot(patches=n, svm_avic=True)
    xen_ = m.boot("svm=avic", patches=n)
    assert not any("AVIC" in line for line in xen_.console)
    assert (refused(link, m.world, "vlapic_read_aligned", "vlapic.c") == "") == (n < 2)
    on = lab(patches=n)
    a, b = on.vcpus
    assert field(a, "VINTR", "AVIC_ENABLE") == 0
    assert exits(a, ipi, a, 2, 0x41) == [NPF, NPF]
    assert b.guest.taken == {0x41: 1}
    with pytest.raises(AvicError):
        _ = on.dom.physical_table


@pytest.mark.parametrize(("name", "value", "code"), [("ICRL", 0x41, INCOMPLETE), ("SVR", 0x1FF, NOACCEL)])
@pytest.mark.parametrize("cpl", [0, 3])
def test_4_the_first_exit_is_unexpected(name: str, value: int, code: int, cpl: int) -> None:
    """N=4 with AVIC on: 401h and 402h crash the domain; at CPL > 0 it is #UD for the guest."""
    on = lab(patches=4)
    a, b = on.vcpus
    a.guest.write("ICRH", 2 << 24)
    on.xen.set_cpl(a, cpl)
    assert exits(a, a.guest.write, name, value) == [code]
    assert (on.dom.crashed, a.guest.taken) == ((True, {}) if cpl == 0 else (False, {6: 1}))
    assert any(f"Unexpected vmexit: reason {code:#x}" in line for line in on.xen.console) == (cpl == 0)
    assert [v.state for v in (a, b)] == (["crashed"] * 2 if cpl == 0 else ["guest mode"] * 2)


def test_4_ud_after_a_trap_does_not_skip() -> None:
    """N=4: a trap stands past the instruction already; the next one is executed. (H-REG-3)"""
    on = lab(patches=4)
    a = on.vcpus[0]
    on.xen.set_cpl(a, 3)
    a.guest.execute((write("TDCR", 0xB), write("TPR", 0x20), write("PPR", 1), write("TPR", 0x30)))
    assert (a.guest.taken, a.page.tpr, on.dom.crashed) == ({6: 2}, 0x30, False)


def test_5_every_directed_ipi_exits() -> None:
    """N=5: it works, but IsRunning is never set, so every directed IPI exits with ID 1."""
    on = lab(3, patches=5)
    a, b, c = on.vcpus
    for destination, icrl in ((2, 0x41), (0, ALL_BUT_SELF | 0x52), (0xFF, 0x63)):
        before = a.exit_count
        ipi(a, destination, icrl)
        assert int(a.exits[before].code) == INCOMPLETE
        assert a.exits[before].info2 >> 32 == IpiFailure.NOT_RUNNING
    assert (set(b.guest.taken), set(c.guest.taken)) == ({0x41, 0x52, 0x63}, {0x52, 0x63})
    assert all(entry.value & RUNNING == 0 for _, entry in on.dom.physical_table)
    assert exits(a, ipi, a, 0, SELF | 0x77) == []


def test_6_xens_own_interrupts_still_cost() -> None:
    """N=6: IPIs are accelerated; what Xen injects costs a kick and exit 060h, and its V_IRQ lies dead."""
    on = lab(patches=6)
    a, b = on.vcpus
    assert exits(a, ipi, a, 2, 0x41) == []
    assert b.guest.taken == {0x41: 1}
    first = len(on.m.trace)
    assert exits(b, on.xen.set_irq, b, 0x52) == [INTR]
    assert said(on.m, first, "sends a physical IPI to core 1") == ["sends a physical IPI to core 1"]
    b.guest.cli()
    assert exits(b, on.xen.set_irq, b, 0x63) == [INTR]
    assert (field(b, "VINTR", "V_IRQ"), field(b, "INTERCEPT_EXCEPTIONS_MISC1", "VINTR")) == (1, 1)
    assert exits(b, b.guest.execute, (Insn("sti"), Insn("nop"))) == []
    assert (b.guest.taken, field(b, "VINTR", "V_IRQ")) == ({0x41: 1, 0x52: 1, 0x63: 1}, 1)


def test_7_software_still_acknowledges() -> None:
    """N=7: IRR and doorbell, no exit, but at each entry software moves IRR to ISR."""
    on = lab(patches=7)
    b = on.vcpus[1]
    assert exits(b, on.xen.set_irq, b, 0x41) == []
    b.guest.eoi()
    b.guest.hlt()
    on.xen.set_irq(b, 0x52)
    first = len(on.m.trace)
    on.xen.run(b, 1)
    assert said(on.m, first, "software sets the ISR", "EVENTINJ: Xen writes", "takes vector") == [
        "software sets the ISR",
        "EVENTINJ: Xen writes",
    ]
    assert (b.guest.taken, b.page.isr) == ({0x41: 1, 0x52: 1}, {0x52})


def test_8_the_hardware_acknowledges() -> None:
    """N=8: IRR to ISR is the core's work."""
    on = lab(patches=8)
    b = on.vcpus[1]
    b.guest.hlt()
    on.xen.set_irq(b, 0x52)
    first = len(on.m.trace)
    on.xen.run(b, 1)
    assert said(on.m, first, "software sets", "EVENTINJ: Xen writes", "takes vector 52h") == ["takes vector 52h"]
    assert (b.guest.taken, b.page.isr) == ({0x52: 1}, {0x52})


@pytest.mark.parametrize("n", EVERY_N)
def test_svm_avic_before_9_is_unknown(n: int) -> None:
    """N=9: `svm=avic` on the command line; before, it is an unknown parameter."""
    xen_ = Machine().boot("svm=avic", patches=n)
    assert ('(XEN) parameter "svm" unknown!' in xen_.console) == (n < 9)
    assert ("(XEN)  - AVIC (enabled)" in xen_.console) == (n >= 9)


def test_10_the_dump_looks_like_the_real_one() -> None:
    """N=10: the lines of key 'i' have the shapes of a dump from hardware."""
    on = lab(2)
    a, b = on.vcpus
    ipi(a, 0x40, 0x41)
    on.xen.set_irq(b, 0x52)
    shapes = [re.sub(r"\d+", "N", line) for line in DUMP.read_text().splitlines()]
    printed = on.xen.key("i")[-len(shapes) :]
    assert [re.sub(r"\d+", "N", line) for line in printed] == shapes
    numbers = [int(line.split(" = ")[1]) for line in printed if " = " in line]
    assert numbers == [1, 1, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("n", range(4, 11))
def test_switched_off_it_is_the_old_machine(n: int) -> None:
    """Default off: with any N the guest costs what it did before. (X4-1)"""
    on = lab(patches=n, avic=False)
    a, b = on.vcpus
    assert exits(a, ipi, a, 2, 0x41) == [NPF, NPF]
    assert exits(b, b.guest.eoi) == [NPF]
    assert (b.guest.taken, cell(b, "is_running")) == ({0x41: 1}, 1)
    assert on.m.world.at[on.dom.domain.cells.pi_ops] == 0
