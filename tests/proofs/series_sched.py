"""Proofs of X6-0 .. X6-6: IsRunning and the host APIC ID follow the scheduler."""

from typing import Any

from avickit.beat import Beats, World
from avickit.manual.vmcb import VmcbOffset
from avickit.series import p06_scheduling as p06
from avickit.series.p04_initialization import avic_domain
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import BLOCKED, Vcpu, pcpu, vcpu_of, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import Lab, cell, exits, ipi, lab, overlay, poke, said, skip, stop_inside

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
        chosen, before = w.at[pcpu(w, core).next], w.see(pcpu(w, core).current)
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


@proves("X6-4")
def the_hooks_hang_on_pi_ops(make: Make) -> None:
    """PI_CSW_FROM, _TO, _BLOCK, _RESUME in the domain's pi_ops. (series.md X6-4)"""
    assert (sched.PI_CSW_FROM, sched.PI_CSW_TO, sched.PI_CSW_BLOCK, sched.PI_CSW_RESUME) == (1, 2, 4, 8)
    for patches, avic, flags in ((5, True, 0), (6, True, 0xF), (6, False, 0), (10, True, 0xF), (10, False, 0)):
        on = lab(make, 2, patches=patches, avic=avic)
        assert on.m.world.at[on.dom.domain.cells.pi_ops] == flags
    on = lab(make, 2)
    poke(on.m, on.dom.domain.cells.pi_ops, 0xF & ~sched.PI_CSW_BLOCK)
    on.vcpus[1].guest.hlt()
    assert entry(on, 1) == (1, 1)
    poke(on.m, on.dom.domain.cells.pi_ops, 0xF & ~sched.PI_CSW_FROM)
    on.xen.deschedule(on.vcpus[0], sync=True)
    assert entry(on, 0) == (1, 0)
    poke(on.m, on.dom.domain.cells.pi_ops, sched.PI_CSW_FROM)
    on.xen.wake(on.vcpus[1])
    on.xen.migrate(on.vcpus[1], 2)
    assert entry(on, 1) == (0, 1)


@breaks("X6-4")
def the_flags_are_not_asked(w: World) -> None:
    def always(w: World, core: Core, v: Vcpu, name: str) -> Beats[None]:
        hook = xen(w).funcs.get(f"pi_{name}")
        if hook is not None:
            yield from hook(w, core, v)

    overlay(w, sched.pi_hook, always)


@breaks("X6-4")
def the_block_flag_is_not_set(w: World) -> None:
    def three(w: World, core: Core, d: Any) -> Beats[bool]:
        done = yield from p06.svm_avic_dom_init.fn(w, core, d)
        yield p06.SET_PI_OPS(d.cells.pi_ops, w.at[d.cells.pi_ops] & ~sched.PI_CSW_BLOCK)
        return done

    overlay(w, p06.svm_avic_dom_init, three)


@proves("X6-5")
def no_wakeup_is_lost_between_is_running_and_sleep(make: Make) -> None:
    """Between IsRunning = 0 and really sleeping the block path looks at IRR once more. (series.md X6-5)"""
    beats, inside = 0, True
    while inside:
        on = lab(make, 2)
        a, b = on.vcpus
        a.guest.write("ICRH", 2 << 24)
        inside = stop_inside(on.m, beats, "execute", b.vcpu.guest.index, on.m.instruction(Insn("hlt")))
        a.guest.write("ICRL", 0x41)
        if inside:
            on.m.finish()
        assert 0x41 in b.guest.taken or b.state in ("guest mode", "runnable"), f"asleep after beat {beats}"
        if b.state == "runnable":
            on.xen.run(b, 1)
        assert b.guest.taken == {0x41: 1}
        beats += 1
    assert beats > 30


@breaks("X6-5")
def irr_is_not_looked_at_again(w: World) -> None:
    skip(w, sched.local_events_need_delivery, False)


@breaks("X6-5")
def irr_is_looked_at_too_early(w: World) -> None:
    def early(w: World, core: Core, v: Vcpu) -> Beats[None]:
        found = yield from sched.local_events_need_delivery(w, core, v)
        yield sched.BLOCK(v.cells.pause_flags, BLOCKED)
        yield from sched.arch_vcpu_block(w, core, v)
        if found:
            yield from sched.block_aborted(w, core, v)
        else:
            yield from sched.raise_softirq(w, core, pcpu(w, core), 1)

    overlay(w, sched.vcpu_block, early)


@proves("X6-6")
def the_switch_to_idle_is_lazy(make: Make) -> None:
    """The from/to hooks are skipped when the next vCPU is idle or already loaded. (series.md X6-6)"""
    on = lab(make, 3, cores=2)
    _a, b, c = on.vcpus
    first = len(on.m.trace)
    on.xen.deschedule(b)
    assert (b.core, cell(b, "is_running"), entry(on, 1)) == (None, 0, (1, 1))
    on.xen.run(b, 1)
    assert said(on.m, first, WORDS[0], WORDS[3]) == []
    on.xen.deschedule(b)
    on.xen.run(c, 1)
    assert (entry(on, 1)[0], entry(on, 2)) == (0, (1, 1))


@proves("X6-6")
def a_sleeper_has_only_block_and_resume(make: Make) -> None:
    """For a sleeper only the block hook clears IsRunning, and only resume sets it again. (series.md X6-6)"""
    on = lab(make, 2)
    b = on.vcpus[1]
    first = len(on.m.trace)
    b.guest.hlt()
    on.xen.wake(b)
    on.xen.run(b, 1)
    beats = [on.m.trace[n] for n in range(first + 1, len(on.m.trace) + 1)]
    changes = [beat.cite for beat in beats if "physical table entry 2" in beat.place and beat.old != beat.new]
    assert changes == ["Xen avic_vcpu_block", "Xen avic_vcpu_load"]
    assert not any("avic_vcpu_unload" in beat.cite or "APIC ID" in beat.say for beat in beats)
    assert int(b.vmcb[VmcbOffset.VINTR].value) >> 31 & 1


@breaks("X6-6")
def the_switch_to_idle_is_eager(w: World) -> None:
    def eager(w: World, core: Core, before: int, chosen: int) -> Beats[None]:
        yield from sched.context_switch.fn(w, core, before, chosen)
        if before and not chosen:
            yield from sched.switch_from(w, core, vcpu_of(w, before - 1), pcpu(w, core))

    overlay(w, sched.context_switch, eager)


@breaks("X6-6")
def a_loaded_vcpu_is_loaded_again(w: World) -> None:
    def again(w: World, core: Core, before: int, chosen: int) -> Beats[None]:
        if chosen and w.see(pcpu(w, core).loaded) == chosen:
            yield from sched.ctxt_switch_from(w, core, vcpu_of(w, chosen - 1))
            yield from sched.ctxt_switch_to(w, core, vcpu_of(w, chosen - 1))
        yield from sched.context_switch.fn(w, core, before, chosen)

    overlay(w, sched.context_switch, again)
