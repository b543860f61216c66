"""Proofs of X0-5 and X0-7: what INIT and STARTUP do to who runs, what is left of it, and pauses that are counted."""

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.silicon.guest import Frame, Insn, eoi, write
from avickit.silicon.parts import Core
from avickit.xen import sched, vlapic_ipi, vlapic_sipi
from avickit.xen.parts import Vcpu
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import ASSERT, INIT, INTR, NMI, STARTUP, cell, exits, ipi, lab, overlay, skip

TO_B = write("ICRH", 2 << 24)
BOTH = (TO_B, write("ICRL", INIT | ASSERT), write("ICRL", STARTUP | 0x10))
PATCHES = (0, 5, 6, 10)


def rests(v: VcpuHandle) -> bool:
    """Whether the guest has nothing to go on with: no program, no handler, IF 0."""
    return not v._machine.world.at[v.vcpu.guest.frames] and not v.guest.interrupt_flag


@proves("X0-5")
def nothing_but_startup_ends_init(make: Make) -> None:
    """An NMI does not bring up a vCPU that INIT has put down, whoever sends it; it stays pending. (series.md X0-5)"""
    for outside in (True, False):
        _, xen, _, (a, b) = lab(make, patches=0)
        ipi(a, 2, INIT | ASSERT)
        xen.nmi(b) if outside else ipi(a, 2, NMI)
        assert (b.state, cell(b, "nmi_pending")) == ("down", 1)
        ipi(a, 2, STARTUP | 0x10)
        xen.run(b, 1)
        assert (b.state, b.guest.taken) == ("guest mode", {2: 1})


@breaks("X0-5")
def an_nmi_ends_init(w: World) -> None:
    def wakes(w: World, core: Core, target: Vcpu, icrl: int) -> Beats[None]:
        yield vlapic_ipi.PEND_NMI(target.cells.nmi_pending, 1)
        yield from sched.vcpu_up(w, core, target)
        yield from sched.vcpu_kick(w, core, target)

    overlay(w, vlapic_ipi.accept_nmi, wakes)


@proves("X0-5")
def startup_begins_afresh(make: Make) -> None:
    """At the start program, with IF 0, no shadow, no event and no frame of before; handlers stay. (series.md X0-5)"""
    for patches in PATCHES:
        _, xen, _, (a, b) = lab(make, patches=patches)
        b.guest.on(0x41, [write("TPR", 0x50), Insn("hlt"), eoi()])
        b.guest.start_ap([write("SVR", 0x1FF), write("TPR", 0x20)])
        b.guest.cli()
        xen.callback(b, 0x61)
        b.guest.execute([Insn("sti"), Insn("nop")])
        b.guest.write("ICRL", 0x4_0041)
        assert b.state == "down"
        a.guest.execute(BOTH)
        assert (b.state, b.guest.interrupt_flag) == ("runnable", False)
        xen.run(b, 1)
        assert (b.guest.read("TPR"), b.guest.read("SVR"), rests(b)) == (0x20, 0x1FF, True)
        b.guest.execute([write("TPR", 0), Insn("sti"), Insn("nop")])
        ipi(a, 2, 0x41)
        assert b.guest.taken[0x41] == 2


@proves("X0-5")
def no_event_survives_init(make: Make) -> None:
    """A vector that Xen had already put into EVENTINJ, and a shadow, are gone after STARTUP. (series.md X0-5)"""
    m, xen, _, (a, b) = lab(make, patches=0)
    b.guest.cli()
    xen.deschedule(b)
    at = m.world.at
    event, shadow = b.vcpu.guest.vmcb + (0xA8 >> 3), b.vcpu.guest.vmcb + (0x68 >> 3)
    at[event], at[shadow] = 1 << 31 | 0x41, 1
    a.guest.execute(BOTH)
    xen.nmi(b)
    xen.run(b, 1)
    assert b.guest.taken == {2: 1}


@breaks("X0-5")
def the_old_program_goes_on(w: World) -> None:
    skip(w, vlapic_sipi.hvm_vcpu_reset_state)


@breaks("X0-5")
def only_the_program_is_new(w: World) -> None:
    def frames(w: World, v: Vcpu) -> Beats[None]:
        yield vlapic_sipi.BEGIN(v.guest.frames, ())

    overlay(w, vlapic_sipi.hvm_vcpu_reset_state, frames)


@breaks("X0-5")
def the_event_stays(w: World) -> None:
    def registers(w: World, v: Vcpu) -> Beats[None]:
        entry = w.see[v.guest.start_program]
        yield vlapic_sipi.BEGIN(v.guest.frames, (Frame(entry),) if entry else ())
        yield vlapic_sipi.RESET_IF(v.guest.interrupt_flag, 0)

    overlay(w, vlapic_sipi.hvm_vcpu_reset_state, registers)


@proves("X0-5")
def init_stops_who_runs(make: Make) -> None:
    """INIT pauses a running target and waits until it has left its guest: STARTUP at once finds it reset. (X0-5)"""
    for patches in PATCHES:
        _, xen, _, (a, b) = lab(make, patches=patches)
        b.guest.start_ap([write("SVR", 0x1FF)])
        b.guest.write_cr8(7)
        assert exits(b, a.guest.execute, BOTH) == [INTR]
        assert (b.state, b.core, b.page.tpr, cell(b, "sipi_vector")) == ("runnable", None, 0, 0x10)
        assert (a.state, a.core, cell(a, "pause_flags")) == ("guest mode", 0, 0)
        xen.run(b, 1)
        assert (b.guest.read("TPR"), b.guest.read("SVR"), rests(b)) == (0, 0x1FF, True)


@proves("X0-5")
def a_target_that_runs_already_runs_on(make: Make) -> None:
    """STARTUP to who does not wait for it: paused for a moment, then on its core again, as it was. (X0-5)"""
    for patches in PATCHES:
        _, _, _, (a, b) = lab(make, patches=patches)
        b.guest.write("TPR", 0x30)
        assert exits(b, ipi, a, 2, STARTUP | 0x10) == [INTR]
        assert (b.state, b.core, b.guest.read("TPR"), b.guest.read_cr8()) == ("guest mode", 1, 0x30, 3)


@breaks("X0-5")
def init_does_not_wait(w: World) -> None:
    def at_once(w: World, core: Core, origin: Vcpu) -> Beats[bool]:
        icrl = yield vlapic_sipi.READ_KEPT(origin.cells.init_sipi_icr)
        mask = yield from vlapic_sipi.pause_targets(w, core, origin, icrl)
        for v in w.objects["vcpus"]:
            if mask >> v.vcpu_id & 1:
                yield from vlapic_sipi.vlapic_init_sipi_one(w, core, v, icrl)
                yield from sched.vcpu_unpause(w, core, v)
        yield vlapic_sipi.KEEP_TARGETS(origin.cells.init_sipi_targets, 0)
        yield from sched.vcpu_unpause(w, core, origin)
        return True

    overlay(w, vlapic_sipi.vlapic_init_sipi_action, at_once)


@breaks("X0-5")
def a_pause_costs_the_core(w: World) -> None:
    def forgets(w: World, core: Core, v: Vcpu) -> Beats[None]:
        yield sched.UNPAUSE(v.cells.pause_flags, -0x100)
        yield from sched.vcpu_wake(w, core, v)

    overlay(w, sched.vcpu_unpause, forgets)


@proves("X0-7")
def pauses_are_counted(make: Make) -> None:
    """A vCPU runs when it has been unpaused as often as it was paused, also while its INIT pauses it. (X0-7, X0-5)"""
    m, xen, _, (a, b) = lab(make, patches=0)
    for _ in range(2):
        xen.pause(b)
    xen.unpause(b)
    assert b.state == "paused"
    xen.unpause(b)
    assert b.state == "runnable"
    first = len(m.trace)
    ipi(a, 2, INIT | ASSERT)
    paused = 0
    for n in range(first + 1, len(m.trace) + 1, 3):
        fork = m.fork(n)
        sender = fork.vcpu(0)
        paused += sender.state == "paused"
        assert fork.xen is not None
        fork.xen.pause(sender)
        while fork.engine.stopped:
            fork.finish()
        assert (sender.state, sender.core) == ("paused", None)
        fork.xen.unpause(sender)
        fork.xen.run(sender, 0)
        assert (sender.state, sender.core) == ("guest mode", 0)
    assert paused


@breaks("X0-7")
def a_pause_is_a_flag(w: World) -> None:
    def all_at_once(w: World, core: Core, v: Vcpu) -> Beats[None]:
        old = yield sched.IS_RUNNABLE(v.cells.pause_flags)
        yield sched.UNBLOCK(v.cells.pause_flags, 0xFF)
        if old:
            yield from sched.vcpu_wake(w, core, v)

    overlay(w, sched.vcpu_unpause, all_at_once)
