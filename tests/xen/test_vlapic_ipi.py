"""The emulated ICR: who is meant, and what happens to those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.manual.vmcb import VmcbOffset
from avickit.silicon.guest import Frame
from avickit.silicon.parts import INTR
from avickit.xen import vlapic
from avickit.xen.parts import BLOCKED, DOWN, ONE_PAUSE, SOFTIRQ_SCHEDULE
from avickit.xen.sched import vcpu_pause_nosync, vcpu_unpause
from avickit.xen.svm import do_tasklet
from tests.xen.vlapic_machine import Rig, enabled, fresh

FIXED = 0x41
LOGICAL, ASSERT, LEVEL = 0x800, 0x4000, 0x8000
LOWEST, SMI, REMOTE, NMI, INIT, STARTUP, EXTINT = (mode << 8 for mode in range(1, 8))
SELF, ALL, ALL_BUT_SELF = 0x4_0000, 0x8_0000, 0xC_0000


def reached(rig: Rig, vector: int = 0x41) -> set[int]:
    return {v.vcpu_id for v in rig.vcpus if rig.page(v, "IRR") >> vector & 1}


@pytest.mark.parametrize(
    ("shorthand", "who"), [(SELF, {1}), (ALL, {0, 1, 2}), (ALL_BUT_SELF, {0, 2})], ids=["self", "all", "all but self"]
)
def test_shorthands(shorthand: int, who: set[int]) -> None:
    """X0-5: the shorthand decides, whatever the destination says."""
    rig = enabled()
    rig.ipi(rig.vcpus[1], FIXED | shorthand, dest=0x77)
    assert reached(rig) == who


@pytest.mark.parametrize(("dest", "who"), [(0, {0}), (2, {1}), (4, {2}), (1, set()), (6, set()), (0xFF, {0, 1, 2})])
def test_physical_ids(dest: int, who: set[int]) -> None:
    """X0-5, X0-1: the ID is twice the number, FFh is everybody."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], FIXED, dest)
    assert reached(rig) == who


def test_the_id_is_the_one_in_the_register() -> None:
    """X0-5, X0-4a: the ID is stored raw, and matched as it stands."""
    rig = enabled()
    assert rig.write(rig.vcpus[2], "ID", 0x7712_3456)
    assert rig.page(rig.vcpus[2], "ID") == 0x7712_3456
    rig.ipi(rig.vcpus[0], FIXED, 0x77)
    assert reached(rig) == {2}


@given(st.lists(st.integers(0, 0xFF), min_size=3, max_size=3), st.integers(0, 0xFF))
def test_logical_flat(ldrs: list[int], dest: int) -> None:
    """X0-5, X0-5a: flat, a bit in common; FFh is no broadcast, it meets nobody whose LDR is 0."""
    rig = enabled()
    for v, ldr in zip(rig.vcpus, ldrs, strict=True):
        rig.write(v, "LDR", ldr << 24)
    rig.ipi(rig.vcpus[0], FIXED | LOGICAL, dest)
    assert reached(rig) == {n for n, ldr in enumerate(ldrs) if ldr & dest}


@given(st.lists(st.integers(0, 0xFF), min_size=3, max_size=3), st.integers(0, 0xFF))
def test_logical_cluster(ldrs: list[int], dest: int) -> None:
    """X0-5, X0-5a: cluster, the same cluster and a member in common."""
    rig = enabled()
    for v, ldr in zip(rig.vcpus, ldrs, strict=True):
        rig.write(v, "LDR", ldr << 24)
        rig.write(v, "DFR", 0x0FFFFFFF)
    rig.ipi(rig.vcpus[0], FIXED | LOGICAL, dest)
    assert reached(rig) == {n for n, ldr in enumerate(ldrs) if ldr >> 4 == dest >> 4 and ldr & dest & 0xF}


def test_matching_uses_the_targets_dfr() -> None:
    """X0-5a: the sender's DFR does not matter."""
    rig = enabled()
    for v in rig.vcpus:
        rig.write(v, "LDR", 0x21 << 24)
    rig.write(rig.vcpus[1], "DFR", 0)
    rig.ipi(rig.vcpus[0], FIXED | LOGICAL, 0x20)
    assert reached(rig) == {0, 2}, "flat: bit 5 in common; cluster 2 with no member meets nobody"


def test_a_dfr_that_is_neither_matches_nobody() -> None:
    """X0-5: and Xen says so."""
    rig = enabled()
    rig.write(rig.vcpus[1], "LDR", 0xFF << 24)
    rig.write(rig.vcpus[1], "DFR", 0x5000_0000)
    rig.ipi(rig.vcpus[0], FIXED | LOGICAL, 0xFF)
    assert reached(rig) == set()
    assert rig.lines()[-1] == "(XEN) d1v1: DFR 5fffffff is neither flat nor cluster"


@pytest.mark.parametrize("mode", [0, LOWEST])
def test_only_enabled_apics_are_reached(mode: int) -> None:
    """X0-5a: enabled in hardware and by SVR."""
    rig = fresh()
    rig.write(rig.vcpus[2], "SVR", 0x1FF)
    rig.ipi(rig.vcpus[0], FIXED | mode | ALL)
    assert reached(rig) == {2}


def test_an_emulated_ipi_is_always_edge() -> None:
    """X0-5a: trig = 0, so a level-triggered IPI clears TMR too."""
    rig = enabled()
    rig.poke(rig.vcpus[1], "TMR", 1 << 0x41)
    rig.ipi(rig.vcpus[0], FIXED | LEVEL | ASSERT, 2)
    assert rig.page(rig.vcpus[1], "TMR") == 0
    assert reached(rig) == {1}


@pytest.mark.parametrize("mode", [0, LOWEST])
@pytest.mark.parametrize("vector", [0, 15])
def test_a_vector_below_16_is_the_senders_error(mode: int, vector: int) -> None:
    """X0-5 fixed, X0-5a lowest priority: ESR bit 5 of the sender; nothing is delivered."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], vector | mode, 2)
    assert [rig.page(v, "ESR") for v in rig.vcpus] == [1 << 5, 0, 0]
    assert all(rig.page(v, "IRR") == 0 for v in rig.vcpus)


@pytest.mark.parametrize("mode", [0, LOWEST])
def test_16_is_a_legal_vector(mode: int) -> None:
    """X0-5: the first."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], 16 | mode, 2)
    assert reached(rig, 16) == {1}


@pytest.mark.parametrize(
    ("icrl", "dest", "who"), [(LOGICAL, 0x2, {1}), (0, 2, {1}), (LOGICAL, 0x8, set()), (0, 9, set())]
)
def test_lowest_priority_asks_who_is_meant(icrl: int, dest: int, who: set[int]) -> None:
    """X0-5: only among those; with nobody the round robin stays."""
    rig = enabled()
    for v in rig.vcpus:
        rig.write(v, "LDR", 1 << v.vcpu_id << 24)
    rig.ipi(rig.vcpus[0], FIXED | LOWEST | icrl, dest)
    assert reached(rig) == who
    assert rig.w.at[rig.vcpus[0].domain.cells.last_lowest] == len(who)


def test_lowest_priority_goes_to_the_lowest_ppr() -> None:
    """X0-5: by TPR and ISR."""
    rig = enabled()
    rig.write(rig.vcpus[0], "TPR", 0x50)
    rig.poke(rig.vcpus[1], "ISR", 1 << 0x61)
    rig.write(rig.vcpus[2], "TPR", 0x4F)
    rig.ipi(rig.vcpus[0], FIXED | LOWEST | ALL)
    assert reached(rig) == {2}


def test_lowest_priority_goes_round() -> None:
    """X0-5: between equals, round robin; it starts after the last one."""
    rig = enabled()
    order: list[int] = []
    for _ in range(4):
        rig.ipi(rig.vcpus[0], FIXED | LOWEST | ALL)
        order += reached(rig)
        for v in rig.vcpus:
            rig.poke(v, "IRR", 0)
    assert order == [1, 2, 0, 1]


def test_lowest_priority_is_chosen_before_the_vector_is_looked_at() -> None:
    """X0-5a: an illegal vector moves the round robin on, though nothing is delivered."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], 3 | LOWEST | ALL)
    assert rig.w.at[rig.vcpus[0].domain.cells.last_lowest] == 1


def test_nmi() -> None:
    """X0-5: pending, woken from down and from blocked; neither IRR nor SVR matters."""
    rig = fresh()
    v = rig.vcpus[1]
    rig.w.at[v.cells.pause_flags] = DOWN | BLOCKED
    rig.ipi(rig.vcpus[0], NMI, 2)
    assert rig.w.at[v.cells.nmi_pending] == 1
    assert rig.w.at[v.cells.pause_flags] == 0


def test_an_nmi_does_not_start_a_vcpu_that_waits_for_startup() -> None:
    """X0-5: it stays down."""
    rig = fresh()
    v = rig.vcpus[1]
    rig.w.at[v.cells.pause_flags], rig.w.at[v.cells.waits_for_sipi] = DOWN, 1
    rig.ipi(rig.vcpus[0], NMI, 2)
    assert rig.w.at[v.cells.pause_flags] == DOWN


@pytest.mark.parametrize(
    ("mode", "said"), [(SMI, "(XEN) d1v1: an SMI is ignored"), (REMOTE, "(XEN) d1v1: a remote read is ignored")]
)
def test_smi_and_remote_read_are_ignored(mode: int, said: str) -> None:
    """X0-5: with a warning for each target."""
    rig = enabled()
    before = list(rig.w.at)
    rig.ipi(rig.vcpus[0], mode, 2)
    assert rig.lines()[-1] == said
    changed = {place for place, old in enumerate(before) if rig.w.at[place] != old}
    assert changed == {0, rig.w.objects["console"][0].length}, "but the clock and the console, nothing"


def test_extint_crashes_the_domain() -> None:
    """X0-5a: if it matches somebody, and only then."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], EXTINT, 0x77)
    assert rig.w.at[rig.vcpus[0].domain.cells.crashed] == 0
    rig.ipi(rig.vcpus[0], EXTINT, 2)
    assert rig.w.at[rig.vcpus[0].domain.cells.crashed] == 1
    assert "(XEN) d1v1: ICR 700 asks for a message type that Xen lacks" in rig.lines()


def test_init_resets_and_waits() -> None:
    """X0-5: a running target is sent to the scheduler; when it has left, it goes down and its APIC is reset (X0-4a)."""
    rig = enabled()
    v = rig.vcpus[1]
    rig.w.at[v.cells.is_running], rig.w.at[v.cells.processor] = 1, 1
    rig.w.at[v.cells.nmi_pending], rig.w.at[v.cells.pause_flags] = 1, BLOCKED
    rig.write(v, "TPR", 0x50)
    rig.ipi(rig.vcpus[0], INIT | ASSERT, 2)
    assert (rig.w.at[v.cells.pause_flags], rig.page(v, "TPR"), rig.tasklet()) == (BLOCKED | ONE_PAUSE, 0x50, False)
    rig.w.at[v.cells.is_running] = 0
    assert rig.tasklet()
    assert rig.w.at[v.cells.waits_for_sipi] == 1
    assert rig.w.at[v.cells.pause_flags] == DOWN
    assert rig.w.at[v.cells.nmi_pending] == 0
    assert rig.page(v, "TPR") == 0
    assert rig.page(v, "SVR") == 0xFF
    assert rig.w.at[rig.w.objects["pcpus"][1].softirq] == SOFTIRQ_SCHEDULE
    assert rig.w.at[rig.cores[1].signals] == INTR
    assert rig.page(rig.vcpus[2], "SVR") == 0x1FF, "nobody else is touched"


@pytest.mark.parametrize(("icrl", "waits"), [(INIT, 1), (INIT | ASSERT | LEVEL, 1), (INIT | LEVEL, 0)])
def test_init_deassert_does_nothing(icrl: int, waits: int) -> None:
    """X0-5a: level-triggered and not asserted."""
    rig = enabled()
    rig.ipi(rig.vcpus[0], icrl, 2)
    assert rig.w.at[rig.vcpus[1].cells.waits_for_sipi] == waits


def test_init_of_a_vcpu_that_does_not_run() -> None:
    """X0-5: no core but the sender's is disturbed; a STARTUP lets it run, without a program with nothing to do."""
    rig = enabled()
    v = rig.vcpus[1]
    rig.ipi(rig.vcpus[0], INIT | ASSERT, 2)
    assert rig.w.at[v.cells.pause_flags] == DOWN
    assert [rig.w.at[p.softirq] for p in rig.w.objects["pcpus"]] == [SOFTIRQ_SCHEDULE, 0]
    rig.w.at[v.guest.frames] = (Frame(1, 3), Frame(2, 1, 0, 0x41, 1))
    rig.ipi(rig.vcpus[0], STARTUP | 0x10, 2)
    assert rig.w.at[v.cells.pause_flags] == 0
    assert (rig.w.at[v.guest.frames], rig.w.at[v.guest.interrupt_flag]) == ((), 0)


def test_startup_starts_whoever_waits_for_it() -> None:
    """X0-5: with the vector, once; at the guest's start program, with nothing left of before."""
    rig = enabled()
    v = rig.vcpus[1]
    shadow, event = (v.guest.vmcb + (offset >> 3) for offset in (VmcbOffset.INTERRUPT_SHADOW, VmcbOffset.EVENTINJ))
    rig.w.at[v.guest.start_program] = 7
    before = rig.w.at[v.guest.frames] = (Frame(1, 3), Frame(2, 1, 0, 0x41, 1))
    rig.w.at[v.guest.cpl], rig.w.at[shadow], rig.w.at[event] = 3, 1, 1 << 31 | 0x41
    rig.ipi(rig.vcpus[0], STARTUP | 0x9A, 2)
    assert rig.w.at[v.guest.frames] == before, "it runs already"
    rig.ipi(rig.vcpus[0], INIT | ASSERT | ALL_BUT_SELF)
    rig.ipi(rig.vcpus[0], STARTUP | 0x9A, 2)
    assert rig.w.at[v.guest.frames] == (Frame(7),)
    assert [rig.w.at[place] for place in (v.guest.interrupt_flag, v.guest.cpl, shadow, event)] == [0, 0, 0, 0]
    rig.w.at[v.guest.frames] = (Frame(7, 2),)
    rig.ipi(rig.vcpus[0], STARTUP | 0x9B, 2)
    assert rig.w.at[v.guest.frames] == (Frame(7, 2),)
    assert rig.w.at[v.cells.sipi_vector] == 0x9A
    assert rig.w.at[v.cells.pause_flags] == rig.w.at[v.cells.waits_for_sipi] == 0
    assert rig.w.at[rig.vcpus[2].cells.pause_flags] == DOWN


def test_the_sender_of_init_is_paused_meanwhile() -> None:
    """X0-5: from the ICR write on, while targets are seen to, and no longer."""
    rig = enabled()
    sender, target = rig.vcpus[0], rig.vcpus[1]
    rig.do(vlapic.vlapic_ipi, sender, INIT | ASSERT, 2 << 24)
    waits, flags = target.cells.waits_for_sipi, sender.cells.pause_flags
    assert rig.w.at[flags] == ONE_PAUSE
    paused = [rig.w.at[flags] for place in rig.steps(do_tasklet(rig.w, rig.cores[0])) if place == waits]
    assert paused == [ONE_PAUSE, ONE_PAUSE]
    assert rig.w.at[flags] == 0


def test_pauses_are_counted() -> None:
    """X0-5: who is paused twice runs after the second unpause; INIT's pause ends with INIT, Xen's stays."""
    rig = enabled()
    sender = rig.vcpus[0]
    flags = sender.cells.pause_flags
    for pauses in (1, 2):
        rig.run(vcpu_pause_nosync(rig.w, rig.cores[0], sender))
        assert rig.w.at[flags] == pauses * ONE_PAUSE
    rig.ipi(sender, INIT | ASSERT | ALL_BUT_SELF)
    for left in (1, 0):
        rig.run(vcpu_unpause(rig.w, rig.cores[0], sender))
        assert rig.w.at[flags] == left * ONE_PAUSE
    assert rig.w.at[rig.vcpus[1].cells.pause_flags] == DOWN
