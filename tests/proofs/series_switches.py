"""Proofs of X6-4 .. X6-6: where the hooks hang, and what falls between two beats."""

from typing import Any

from avickit.beat import Beats, World
from avickit.manual.vmcb import VmcbOffset
from avickit.series import p06_scheduling as p06
from avickit.silicon.guest import Insn
from avickit.silicon.parts import Core
from avickit.xen import sched
from avickit.xen.parts import BLOCKED, Vcpu, pcpu, vcpu_of, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.series_running import WORDS, entry
from tests.proofs.xen_tools import cell, lab, overlay, poke, said, skip, stop_inside


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
        if chosen and w.see[pcpu(w, core).loaded] == chosen:
            yield from sched.ctxt_switch_from(w, core, vcpu_of(w, chosen - 1))
            yield from sched.ctxt_switch_to(w, core, vcpu_of(w, chosen - 1))
        yield from sched.context_switch.fn(w, core, before, chosen)

    overlay(w, sched.context_switch, again)
