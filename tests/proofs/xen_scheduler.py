"""Proofs of X0-7 and X0-8: HLT, and the kick."""

from avickit.beat import Beats, World
from avickit.silicon.guest import Insn, retire
from avickit.silicon.parts import INTR as INTR_SIGNAL
from avickit.silicon.parts import Core
from avickit.xen import sched, svm
from avickit.xen.parts import BLOCKED, DOWN, INTERRUPT, RAISE, READ_RUNNING, SOFTIRQ_KICK, PCpu, Vcpu, pcpu
from avickit.xen.vmcb import vmcb_read, vmcb_set
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import HLT, INTR, cell, exits, ipi, lab, overlay, poke, said, skip

EVENTINJ, SHADOW = 0xA8, 0x68
FOREVER = 50


@proves("X0-7")
def hlt_always_exits(make: Make) -> None:
    """HLT always exits (078h); Xen advances RIP and clears the shadow. (series.md X0-7)"""
    for patches in (0, 10):
        _, xen, _, (a,) = lab(make, 1, patches=patches)
        a.guest.cli()
        xen.set_irq(a, 0x41)
        assert exits(a, a.guest.execute, (Insn("sti"), Insn("hlt"), Insn("write_cr8", 8, 2)))[:1] == [HLT]
        assert (a.guest.taken, a.guest.read_cr8(), a.state) == ({0x41: 1}, 2, "guest mode")


@proves("X0-7")
def an_event_to_inject_ends_it(make: Make) -> None:
    """EVENTINJ valid -> return: neither blocked nor down. (series.md X0-7)"""
    m, _, _, (a,) = lab(make, 1, patches=0)
    poke(m, a.vcpu.guest.vmcb + (EVENTINJ >> 3), 1 << 31 | 0x55)
    first = len(m.trace)
    a.guest.hlt()
    assert said(m, first, "marks the vCPU blocked", "goes down") == []
    assert (a.guest.taken, a.state) == ({0x55: 1}, "guest mode")


@proves("X0-7")
def with_if_0_it_goes_down(make: Make) -> None:
    """IF = 0 -> vCPU down (only NMI or INIT/SIPI wakes it), not blocked. (series.md X0-7)"""
    _, xen, _, (a, b) = lab(make, patches=0)
    b.guest.cli()
    b.guest.hlt()
    assert cell(b, "pause_flags") & (DOWN | BLOCKED) == DOWN
    ipi(a, 2, 0x41)
    xen.wake(b)
    assert b.state == "down"
    xen.nmi(b)
    assert b.state == "runnable"


@proves("X0-7")
def else_it_blocks(make: Make) -> None:
    """vcpu_block: set blocked, call the block hook, look for events, sleep or clear blocked. (series.md X0-7)"""
    m, xen, _, (a,) = lab(make, 1)
    first = len(m.trace)
    a.guest.hlt()
    words = ("marks the vCPU blocked", "clears IsRunning", "an event in nmi_pending", "raises a softirq")
    told = said(m, first, *words, actor="core 0")
    assert told[: len(words)] == list(words)
    assert (cell(a, "pause_flags"), a.core, a.state) == (BLOCKED, None, "blocked")
    m, xen, _, (a,) = lab(make, 1, patches=0)
    a.guest.cli()
    xen.set_irq(a, 0x41)
    a.guest.execute((Insn("sti"), Insn("hlt")))
    assert (cell(a, "pause_flags"), a.core) == (0, 0)


@breaks("X0-7")
def the_shadow_stays(w: World) -> None:
    def shadowed(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from retire(w, v.guest, 0)
        if not (yield from vmcb_read(w, v, EVENTINJ)):
            yield from (sched.vcpu_block if w.see[v.guest.interrupt_flag] else sched.vcpu_down)(w, core, v)

    overlay(w, svm.exit_hlt, shadowed)


@breaks("X0-7")
def rip_stays(w: World) -> None:
    def stands(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from vmcb_set(w, v, SHADOW, 0)
        if not (yield from vmcb_read(w, v, EVENTINJ)) and w.see[v.guest.exit_count] < FOREVER:
            yield from (sched.vcpu_block if w.see[v.guest.interrupt_flag] else sched.vcpu_down)(w, core, v)

    overlay(w, svm.exit_hlt, stands)


@breaks("X0-7")
def eventinj_is_not_looked_at(w: World) -> None:
    def blind(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from retire(w, v.guest, 0)
        yield from vmcb_set(w, v, SHADOW, 0)
        yield from (sched.vcpu_block if w.see[v.guest.interrupt_flag] else sched.vcpu_down)(w, core, v)

    overlay(w, svm.exit_hlt, blind)


@breaks("X0-7")
def with_if_0_it_blocks(w: World) -> None:
    overlay(w, sched.vcpu_down, sched.vcpu_block.fn)


@breaks("X0-7")
def it_sleeps_without_a_look(w: World) -> None:
    skip(w, sched.local_events_need_delivery, False)


@proves("X0-8")
def a_kick_raises_the_softirq_on_its_core(make: Make) -> None:
    """It ran and is not current here: raise the kick softirq; a physical IPI, exit 060h. (series.md X0-8)"""
    m, _, _, (a, b) = lab(make, patches=0)
    first = len(m.trace)
    assert exits(b, ipi, a, 2, 0x41) == [INTR]
    order = ["reads is_running", "clears blocked", "raises a softirq", "sends a physical IPI"]
    assert said(m, first, *order, actor="core 0") == order
    assert said(m, first, "takes the softirqs 2", actor="core 1") == ["takes the softirqs 2"]


@proves("X0-8")
def no_second_ipi_while_the_softirq_is_pending(make: Make) -> None:
    """A physical IPI only if that softirq was not yet pending and the core is another one. (series.md X0-8)"""
    m, xen, _, (a, b) = lab(make, patches=0)
    softirq = m.world.objects["pcpus"][1].softirq
    poke(m, softirq, SOFTIRQ_KICK)
    assert exits(b, ipi, a, 2, 0x41) == []
    poke(m, softirq, 0)
    first = len(m.trace)
    xen.set_irq(b, 0x52, core=1)
    assert said(m, first, "sends a physical IPI") == []


@proves("X0-8")
def a_kick_always_unblocks(make: Make) -> None:
    """vcpu_kick always unblocks; is_running is the scheduler's flag, so a sleeper gets no softirq. (series.md X0-8)"""
    m, xen, _, (a, b) = lab(make, patches=0)
    assert (cell(b, "is_running"), b.state) == (1, "guest mode")
    b.guest.hlt()
    assert (cell(b, "is_running"), b.state) == (0, "blocked")
    first = len(m.trace)
    ipi(a, 2, 0x41)
    assert b.state == "runnable"
    assert said(m, first, "raises a softirq") == []
    xen.run(b, 2)
    assert (cell(b, "is_running"), cell(b, "processor"), b.guest.taken) == (1, 2, {0x41: 1})


@breaks("X0-8")
def a_kick_does_not_unblock(w: World) -> None:
    def no_wake(w: World, core: Core, v: Vcpu) -> Beats[None]:
        if (yield READ_RUNNING(v.cells.is_running)):
            where = w.objects["pcpus"][w.at[v.cells.processor]]
            yield from sched.raise_softirq(w, core, where, SOFTIRQ_KICK)

    overlay(w, sched.vcpu_kick, no_wake)


@breaks("X0-8")
def it_unblocks_before_it_looks(w: World) -> None:
    def other_order(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield from sched.vcpu_unblock(w, core, v)
        if (yield READ_RUNNING(v.cells.is_running)) and w.see[pcpu(w, core).current] != v.guest.index + 1:
            where = w.objects["pcpus"][w.at[v.cells.processor]]
            yield from sched.raise_softirq(w, core, where, SOFTIRQ_KICK)

    overlay(w, sched.vcpu_kick, other_order)


@breaks("X0-8")
def an_ipi_each_time(w: World) -> None:
    def eager(w: World, core: Core, where: PCpu, bit: int) -> Beats[None]:
        yield RAISE(where.softirq, bit)
        if where.core.index != core.index:
            yield INTERRUPT(where.core.signals, INTR_SIGNAL)

    overlay(w, sched.raise_softirq, eager)


@breaks("X0-8")
def it_kicks_itself(w: World) -> None:
    def even_here(w: World, core: Core, v: Vcpu) -> Beats[None]:
        running = yield READ_RUNNING(v.cells.is_running)
        yield from sched.vcpu_unblock(w, core, v)
        if running:
            where = w.objects["pcpus"][w.at[v.cells.processor]]
            yield RAISE(where.softirq, SOFTIRQ_KICK)
            yield INTERRUPT(where.core.signals, INTR_SIGNAL)

    overlay(w, sched.vcpu_kick, even_here)
