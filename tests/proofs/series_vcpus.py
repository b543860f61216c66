"""Proofs of X4-4 .. X4-6: what a vCPU is given, and what still happens without the rest."""

from avickit.beat import Beats, World, drive
from avickit.lab.handles import VcpuHandle
from avickit.manual.vmcb import PhysicalTablePointer, VmcbOffset
from avickit.series import p04_initialization as p04
from avickit.silicon import run
from avickit.silicon.guest import read, retire, write
from avickit.silicon.parts import Core, address_of
from avickit.xen import svm
from avickit.xen.domain import set_mmio_p2m_entry
from avickit.xen.parts import Domain, Vcpu, xen
from avickit.xen.vmcb import vmcb_set
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    INCOMPLETE,
    NOACCEL,
    RUNNING,
    SELF,
    changed,
    exits,
    field,
    lab,
    overlay,
    poke,
    then,
)


@proves("X4-4")
def a_vcpus_vmcb_and_entry(make: Make) -> None:
    """Three pointers, MAX_INDEX = (max_vcpus - 1) * 2, the entry, APIC_BAR, clean bit 0, avic_enable. (X4-4)"""
    for patches, vcpus in ((4, 1), (4, 3), (5, 128)):
        m = make(patches=patches, svm_avic=True, cores=1, record=False)
        assert m.xen is not None
        dom, w = m.xen.create_domain(vcpus), m.world
        cells = w.objects["avic_domain"][1]
        for v in dom.vcpus:
            backing = address_of(w, v.vcpu.page)
            physical = v.vmcb["PHYSICAL_TABLE"]
            assert v.vmcb["BACKING_PAGE"].value == backing
            assert v.vmcb["LOGICAL_TABLE"].value == address_of(w, w.at[cells.logical_table])
            assert physical.value & ~0xFFF == address_of(w, w.at[cells.physical_table])
            assert PhysicalTablePointer.MAX_INDEX.of(physical.value) == (vcpus - 1) * 2
            assert v.vmcb["APIC_BAR"].value == 0xFEE0_0000
            assert (field(v, "CLEAN", "AVIC"), field(v, "VINTR", "AVIC_ENABLE")) == (0, 1)
            assert dom.physical_table[v.apic_id].value == 1 << 63 | backing
        assert len(list(dom.physical_table)) == vcpus


@breaks("X4-4")
def max_index_wraps(w: World) -> None:
    def wrapped(w: World, d: Domain) -> Beats[int]:
        return d.max_vcpus * 2 & 0xFF
        yield

    overlay(w, p04.max_index, wrapped)


@breaks("X4-4")
def the_entry_is_running_at_once(w: World) -> None:
    def runs(w: World, core: Core, v: Vcpu) -> Beats[None]:
        table = yield p04.READ_PAGE(p04.avic_domain(w, v.domain).physical_table)
        yield p04.NEW_ENTRY(table + v.apic_id, w.at[table + v.apic_id] | RUNNING)

    then(w, p04.svm_avic_init_vmcb, runs)


@breaks("X4-4")
def the_clean_bit_is_left_set(w: World) -> None:
    def clean(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from vmcb_set(w, v, VmcbOffset.CLEAN, 1 << 11)

    then(w, p04.svm_avic_init_vmcb, clean)


@breaks("X4-4")
def the_bar_is_0(w: World) -> None:
    def nowhere(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from vmcb_set(w, v, VmcbOffset.APIC_BAR, 0)

    then(w, p04.svm_avic_init_vmcb, nowhere)


@proves("X4-5")
def enabled_is_the_vmcbs_bit(make: Make) -> None:
    """svm_avic_vcpu_enabled(v) = the VMCB's avic_enable bit. (series.md X4-5)"""
    for on in (True, False):
        m, _, _, (a, b) = lab(make, avic=on)
        w = m.world
        assert [drive(w, p04.svm_avic_vcpu_enabled(w, v.vcpu)) for v in (a, b)] == [on, on]
        place = a.vcpu.guest.vmcb + (VmcbOffset.VINTR >> 3)
        poke(m, place, w.at[place] ^ 1 << 31)
        assert [drive(w, p04.svm_avic_vcpu_enabled(w, v.vcpu)) for v in (a, b)] == [not on, on]


@breaks("X4-5")
def enabled_is_the_variable(w: World) -> None:
    def by_variable(w: World, v: Vcpu) -> Beats[bool]:
        return xen(w).flags["svm_avic"]
        yield

    overlay(w, p04.svm_avic_vcpu_enabled, by_variable)


@proves("X4-6")
def only_the_source_turns_it_on(make: Make) -> None:
    """N = 4..8 has no svm= option: AVIC is on only if svm_avic is set in the source. (series.md X4-6)"""
    for patches in range(4, 9):
        m = make(patches=patches, cmdline="svm=avic")
        assert m.xen is not None
        assert '(XEN) parameter "svm" unknown!' in m.xen.console
        assert field(m.xen.create_domain(1).vcpus[0], "VINTR", "AVIC_ENABLE") == 0
        m, _, _, (a,) = lab(make, 1, patches=patches)
        assert field(a, "VINTR", "AVIC_ENABLE") == 1


@proves("X4-6")
def the_exits_are_unexpected(make: Make) -> None:
    """N = 4: a 401h or 402h exit crashes the domain at CPL 0, #UD into the guest at CPL > 0. (series.md X4-6)"""
    for code, icrl in ((INCOMPLETE, ("ICRL", 0x41)), (NOACCEL, ("LVT_TIMER", 0x40)), (NOACCEL, ("VERSION", 1))):
        for cpl in (0, 3):
            _, xen_, dom, (a, b) = lab(make, patches=4)
            xen_.set_cpl(a, cpl)
            a.guest.write("ICRH", 2 << 24)
            assert exits(a, a.guest.execute, (write(*icrl), write("TPR", 0x20))) == [code]
            assert dom.crashed == (cpl == 0)
            assert a.guest.taken == ({} if cpl == 0 else {6: 1})
            assert a.page.tpr == (0 if cpl == 0 else 0x20)
            if cpl == 0:
                assert any(f"Unexpected vmexit: reason {code:#x}" in line for line in xen_.console)
                assert b.state == "crashed"


@proves("X4-6")
def what_needs_no_exit_works(make: Make) -> None:
    """Self-IPI, TPR, edge EOI and allowed reads work; IsRunning stays 0 until N = 6. (series.md X4-6)"""
    for patches in (4, 5, 6):
        _, _, dom, (a, b) = lab(make, patches=patches, enable=False)
        assert exits(a, all_that_works, a) == []
        assert (a.guest.taken, a.page.isr, a.page.tpr) == ({0x41: 1}, set(), 0x20)
        running = [dom.physical_table[v.apic_id].value & RUNNING for v in (a, b)]
        assert running == ([0, 0] if patches < 6 else [RUNNING, RUNNING])


def all_that_works(a: VcpuHandle) -> None:
    """A self-IPI, its EOI, TPR, and reads of registers that allow it."""
    a.guest.execute((write("ICRL", SELF | 0x41), write("EOI", 0), write("TPR", 0x20), write("ICRH", 2 << 24)))
    a.guest.execute([read(name) for name in ("ID", "VERSION", "TPR", "PPR", "LDR", "DFR", "ISR2", "IRR0", "ICRL")])


@breaks("X4-6")
def cpl_does_not_matter(w: World) -> None:
    def crash(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield run.ANSWER(v.guest.cpl, 0)
        yield from svm.unexpected_exit.fn(w, core, v)

    overlay(w, svm.unexpected_exit, crash)


@breaks("X4-6")
def an_unexpected_exit_is_ignored(w: World) -> None:
    def stepped_over(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if not w.see[v.guest.exits][-1].past:
            yield from retire(w, v.guest, 0)

    overlay(w, svm.unexpected_exit, stepped_over)


@breaks("X4-6")
def reads_exit(w: World) -> None:
    changed(w, set_mmio_p2m_entry, lambda d, leaf: (d, leaf & ~3))


@breaks("X4-6")
def is_running_is_set_early(w: World) -> None:
    the_entry_is_running_at_once(w)
