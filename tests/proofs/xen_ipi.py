"""Proofs of X0-5: the emulated ICR, seen by a guest that has no AVIC."""

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.silicon.parts import Core
from avickit.xen import sched, vlapic_ipi, vlapic_match, vlapic_sipi
from avickit.xen.parts import DOWN, Vcpu, pcpu
from avickit.xen.vlapic_state import vlapic_get_ppr
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import (
    ALL,
    ALL_BUT_SELF,
    ASSERT,
    INIT,
    LOGICAL,
    LOWEST,
    NMI,
    REMOTE,
    SELF,
    SMI,
    STARTUP,
    cell,
    changed,
    ipi,
    lab,
    overlay,
    said,
    skip,
)

FLAT, CLUSTER = 0xFFFF_FFFF, 0x0FFF_FFFF


def reached(vcpus: tuple[VcpuHandle, ...], vector: int = 0x41) -> set[int]:
    """Who has taken the vector."""
    return {v.vcpu.vcpu_id for v in vcpus if vector in v.guest.taken}


@proves("X0-5")
def shorthand_physical_or_logical(make: Make) -> None:
    """Matching: shorthand, physical ID or FFh, logical flat (DFR F) or cluster (DFR 0). (series.md X0-5)"""
    _, _, _, vcpus = lab(make, 3, patches=0)
    for n, v in enumerate(vcpus):
        v.guest.write("LDR", 1 << n << 24)
    cases = [
        (SELF, 0x77, {1}),
        (ALL, 0x77, {0, 1, 2}),
        (ALL_BUT_SELF, 0x77, {0, 2}),
        (0, 4, {2}),
        (0, 1, set()),
        (0, 0xFF, {0, 1, 2}),
        (LOGICAL, 0x05, {0, 2}),
        (LOGICAL, 0x08, set()),
    ]
    for vector, (mode, destination, who) in enumerate(cases, 0x41):
        ipi(vcpus[1], destination, mode | vector)
        assert reached(vcpus, vector) == who
        for v in vcpus:
            v.guest.eoi()
    for v, ldr in zip(vcpus, (0x11, 0x12, 0x21), strict=True):
        v.guest.write("DFR", CLUSTER)
        v.guest.write("LDR", ldr << 24)
    for vector, destination, who in ((0x61, 0x13, {0, 1}), (0x62, 0x2F, {2}), (0x63, 0x31, set())):
        ipi(vcpus[0], destination, LOGICAL | vector)
        assert reached(vcpus, vector) == who


@proves("X0-5")
def init_and_startup_pause_the_sender(make: Make) -> None:
    """INIT and STARTUP pause the sender and act on all matching vCPUs. (series.md X0-5)"""
    m, _, _, vcpus = lab(make, 3, patches=0)
    a, b, c = vcpus
    for kind, flag in ((INIT, True), (STARTUP | 0x10, False)):
        first = len(m.trace)
        ipi(a, 0, kind | ASSERT | ALL_BUT_SELF)
        assert [bool(cell(v, "waits_for_sipi")) for v in vcpus] == [False, flag, flag]
        assert [bool(cell(v, "pause_flags") & DOWN) for v in vcpus] == [False, flag, flag]
        words = ["d1v0 pause_flags: pauses the vCPU", *(f"{v.name} waits_for_sipi: the target" for v in (b, c))]
        words.append("d1v0 pause_flags: unpauses the vCPU")
        assert said(m, first, *words) == words
    assert cell(b, "sipi_vector") == cell(c, "sipi_vector") == 0x10


@proves("X0-5")
def lowest_priority_goes_round(make: Make) -> None:
    """Lowest priority picks the matching enabled vCPU with the lowest PPR, round robin. (series.md X0-5)"""
    _, _, _, vcpus = lab(make, 4, patches=0)
    for v, tpr in zip(vcpus, (0x20, 0x30, 0x10, 0x00), strict=True):
        v.guest.write("TPR", tpr)
    vcpus[3].guest.write("SVR", 0xFF)
    ipi(vcpus[0], 0, ALL | LOWEST | 0x41)
    assert reached(vcpus) == {2}
    _, _, _, vcpus = lab(make, 3, patches=0)
    for vector in (0x41, 0x42, 0x43):
        ipi(vcpus[0], 0, ALL | LOWEST | vector)
        for v in vcpus:
            v.guest.eoi()
    assert sorted(list(v.guest.taken) for v in vcpus) == [[0x41], [0x42], [0x43]]


@proves("X0-5")
def a_vector_below_16_is_the_senders_error(make: Make) -> None:
    """Fixed with vector < 16 sets ESR send-illegal (bit 5). (series.md X0-5)"""
    _, _, _, (a, b) = lab(make, patches=0)
    ipi(a, 2, 0x0F)
    assert (a.guest.read("ESR"), b.guest.read("ESR"), b.guest.taken) == (1 << 5, 0, {})


@proves("X0-5")
def an_nmi_is_pending_and_wakes(make: Make) -> None:
    """NMI sets nmi_pending and wakes. (series.md X0-5)"""
    _, xen, _, (a, b) = lab(make, patches=0)
    b.guest.cli()
    b.guest.hlt()
    assert b.state == "down"
    ipi(a, 2, NMI)
    assert (cell(b, "nmi_pending"), b.state) == (1, "runnable")
    xen.run(b, 1)
    assert (cell(b, "nmi_pending"), b.guest.taken) == (0, {2: 1})


@proves("X0-5")
def smi_and_remote_read_are_ignored(make: Make) -> None:
    """SMI and remote read are ignored with a warning. (series.md X0-5)"""
    _, xen, dom, (a, b) = lab(make, patches=0)
    before = b.exit_count
    for kind in (SMI, REMOTE):
        lines = len(xen.console)
        ipi(a, 2, kind)
        assert len(xen.console) == lines + 1
    assert (b.exit_count, b.state, dom.crashed, cell(b, "nmi_pending")) == (before, "guest mode", False, 0)


@breaks("X0-5")
def ff_is_nobody(w: World) -> None:
    changed(w, vlapic_match.vlapic_match_physical_id, lambda target, dest: (target, 0xFE if dest == 0xFF else dest))


@breaks("X0-5")
def cluster_is_read_as_flat(w: World) -> None:
    def flat(w: World, target: Vcpu, dest: int) -> Beats[bool]:
        return bool((yield vlapic_match.READ_LDR(target.page + 0xD)) >> 24 & dest)

    overlay(w, vlapic_match.vlapic_match_logical_addr, flat)


@breaks("X0-5")
def the_sender_goes_on(w: World) -> None:
    def pauses_others(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if w.see[pcpu(w, core).current] != v.guest.index + 1:
            yield from sched.vcpu_pause_nosync.fn(w, core, v)

    overlay(w, sched.vcpu_pause_nosync, pauses_others)


@breaks("X0-5")
def init_reaches_the_first_only(w: World) -> None:
    def first(w: World, core: Core, origin: Vcpu, icrl: int) -> Beats[int]:
        mask = yield from vlapic_sipi.pause_targets.fn(w, core, origin, icrl)
        return mask & -mask

    overlay(w, vlapic_sipi.pause_targets, first)


@breaks("X0-5")
def priority_does_not_matter(w: World) -> None:
    skip(w, vlapic_get_ppr, 0)


@breaks("X0-5")
def no_round_robin(w: World) -> None:
    def from_the_start(
        w: World, core: Core, source: Vcpu, shorthand: int, dest: int, logical: bool
    ) -> Beats[Vcpu | None]:
        yield vlapic_match.SET_LAST(source.domain.cells.last_lowest, 0)
        return (yield from vlapic_match.vlapic_lowest_prio.fn(w, core, source, shorthand, dest, logical))

    overlay(w, vlapic_match.vlapic_lowest_prio, from_the_start)


@breaks("X0-5")
def small_vectors_are_sent(w: World) -> None:
    overlay(w, vlapic_ipi.send_fixed, vlapic_ipi.send_to_all.fn)


@breaks("X0-5")
def an_nmi_does_not_wake(w: World) -> None:
    def only_pending(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        yield vlapic_ipi.PEND_NMI(target.cells.nmi_pending, 1)

    overlay(w, vlapic_ipi.accept_nmi, only_pending)


@breaks("X0-5")
def an_smi_is_an_nmi(w: World) -> None:
    overlay(w, vlapic_ipi.accept_smi, vlapic_ipi.accept_nmi.fn)
