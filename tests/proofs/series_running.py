"""Proofs of X6-0 .. X6-3: IsRunning and the host APIC ID follow the scheduler."""

from avickit.beat import Beats, World
from avickit.series import p06_scheduling as p06
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import Vcpu, pcpu, vcpu_of
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import Lab, exits, ipi, lab, overlay, poke, said, skip

WORDS = ("writes the core's APIC ID", "visible before IsRunning", "sets IsRunning", "clears IsRunning")


def entry(on: Lab, n: int) -> tuple[int, int]:
    """IsRunning and the host ID in the entry of a vCPU."""
    found = on.dom.physical_table[2 * n].value
    return found >> 62 & 1, found & 0xFFF


@proves("X6-0")
def the_entry_is_found_by_the_vcpu(make: Make) -> None:
    """By the vCPU (2 * vcpu_id), not by a register that the guest can write. (series.md X6-0)"""
    on = lab(make, 2)
    _a, b = on.vcpus
    for name in (2, 0xFF00_0000, 0):
        poke(on.m, b.vcpu.page + 2, name)
        on.xen.deschedule(b, sync=True)
        assert (entry(on, 0), entry(on, 1)) == ((1, 0), (0, 1))
        on.xen.run(b, 1)
        assert (entry(on, 0), entry(on, 1)) == ((1, 0), (1, 1))


@breaks("X6-0")
def the_entry_is_found_by_the_id_register(w: World) -> None:
    def by_register(w: World, v: Vcpu) -> Beats[int]:
        table = yield p06.FIND_TABLE(avic_domain(w, v.domain).physical_table)
        return int(table + (w.at[v.page + 2] >> 24))

    overlay(w, p06.physical_entry, by_register)


@proves("X6-1")
def load_writes_id_barrier_is_running(make: Make) -> None:
    """host_phy_apic_id = the core's APIC ID, write barrier, then IsRunning = 1. (series.md X6-1)"""
    on = lab(make, 2, host_ids=(8, 9, 10))
    a, b = on.vcpus
    assert (entry(on, 0), entry(on, 1)) == ((1, 8), (1, 9))
    first = len(on.m.trace)
    on.xen.migrate(b, 2)
    assert entry(on, 1) == (1, 10)
    assert said(on.m, first, *WORDS, actor="core 2")[:4] == ["clears IsRunning", *WORDS[:3]]
    assert {a.vmcb["BACKING_PAGE"].value, b.vmcb["BACKING_PAGE"].value} == {
        on.dom.physical_table[2 * n].value & 0xF_FFFF_FFFF_F000 for n in (0, 1)
    }


@proves("X6-1")
def a_blocked_vcpu_is_not_loaded(make: Make) -> None:
    """The vCPU must not be blocked. (series.md X6-1)"""
    on = lab(make, 2)
    b = on.vcpus[1]
    b.guest.hlt()
    first = len(on.m.trace)
    on.m.command("run", b.vcpu.guest.index, 2)
    assert said(on.m, first, *WORDS) == []
    assert (b.state, b.core, entry(on, 1)[0]) == ("blocked", None, 0)


@breaks("X6-1")
def is_running_comes_first(w: World) -> None:
    def other_order(w: World, core: Core, v: Vcpu) -> Beats[None]:
        place = yield from p06.physical_entry(w, v)
        yield p06.SET_RUNNING(place, p06.IS_RUNNING)
        yield p06.BARRIER(place)
        yield p06.SET_HOST(place, w.at[place] & ~p06.HOST_ID | core.host_apic_id)

    overlay(w, p06.avic_vcpu_load, other_order)


@breaks("X6-1")
def the_host_id_is_the_cores_number(w: World) -> None:
    def number(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from p06.avic_vcpu_load.fn(w, core, v)
        place = yield from p06.physical_entry(w, v)
        yield p06.SET_HOST(place, w.at[place] & ~p06.HOST_ID | core.index)

    overlay(w, p06.avic_vcpu_load, number)


@breaks("X6-1")
def no_barrier(w: World) -> None:
    def bare(w: World, core: Core, v: Vcpu) -> Beats[None]:
        place = yield from p06.physical_entry(w, v)
        yield p06.SET_HOST(place, w.at[place] & ~p06.HOST_ID | core.host_apic_id)
        yield p06.SET_RUNNING(place, p06.IS_RUNNING)

    overlay(w, p06.avic_vcpu_load, bare)


@breaks("X6-1")
def a_blocked_vcpu_is_switched_to(w: World) -> None:
    def anybody(w: World, core: Core) -> Beats[None]:
        chosen, before = w.at[pcpu(w, core).next], w.see[pcpu(w, core).current]
        if chosen != before:
            yield from sched.context_switch(w, core, before, chosen)
        if chosen:
            yield sched.SET_RUNNING(vcpu_of(w, chosen - 1).cells.is_running, 1)
            yield from sched.do_resume(w, core, vcpu_of(w, chosen - 1))

    overlay(w, sched.schedule, anybody)


@proves("X6-2")
def unload_clears_is_running(make: Make) -> None:
    """avic_vcpu_unload (context switch from): IsRunning = 0. (series.md X6-2)"""
    on = lab(make, 3, cores=2)
    a, _b, c = on.vcpus
    assert [entry(on, n)[0] for n in range(3)] == [1, 1, 0]
    on.xen.run(c, 1)
    assert [entry(on, n)[0] for n in range(3)] == [1, 0, 1]
    assert exits(a, ipi, a, 2, 0x41) == [0x401]


@breaks("X6-2")
def unload_does_nothing(w: World) -> None:
    skip(w, p06.avic_vcpu_unload)


@proves("X6-3")
def block_clears_and_resume_sets(make: Make) -> None:
    """IsRunning = 0 when the vCPU blocks (HLT), = 1 before entering the guest again. (series.md X6-3)"""
    on = lab(make, 2)
    a, b = on.vcpus
    b.guest.hlt()
    assert entry(on, 1) == (0, 1)
    assert exits(a, ipi, a, 2, 0x41) == [0x401]
    assert entry(on, 1) == (0, 1)
    first = len(on.m.trace)
    on.xen.run(b, 1)
    assert entry(on, 1) == (1, 1)
    assert said(on.m, first, "sets IsRunning", "VMRUN reads the clean") == ["sets IsRunning", "VMRUN reads the clean"]


@proves("X6-3")
def an_aborted_block_sets_it_again(make: Make) -> None:
    """An aborted block sets IsRunning = 1 before the next VMRUN. (series.md X6-3)"""
    on = lab(make, 2)
    a, b = on.vcpus
    b.guest.cli()
    ipi(a, 2, 0x41)
    first = len(on.m.trace)
    b.guest.execute((Insn("sti"), Insn("hlt")))
    assert (b.guest.taken, entry(on, 1)) == ({0x41: 1}, (1, 1))
    words = ("clears IsRunning", "sets IsRunning", "VMRUN reads the clean")
    assert said(on.m, first, *words) == list(words)


@breaks("X6-3")
def the_block_hook_is_dead(w: World) -> None:
    skip(w, sched.arch_vcpu_block)


@breaks("X6-3")
def an_aborted_block_leaves_it(w: World) -> None:
    overlay(w, sched.block_aborted, sched.block_aborted.fn)


@breaks("X6-3")
def resume_does_nothing(w: World) -> None:
    skip(w, p06.avic_vcpu_resume)
