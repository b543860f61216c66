"""What each command does, as scripts of (actor, beats). A command's arguments are data, so a log of them replays.

Does not model: several commands at once.
"""

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from avickit import series
from avickit.beat import CLOCK, OR, SIGNAL, STORE, Beats, Kind, Site, World
from avickit.errors import AvicError
from avickit.lab.engine import WORLD, Script
from avickit.manual.exits import ExitCode
from avickit.manual.icr import ICRL, MessageType
from avickit.silicon.doorbell import write_doorbell_msr
from avickit.silicon.guest import start
from avickit.silicon.parts import GUEST, INTR, Core, Exit, Guest
from avickit.silicon.run import run_core
from avickit.silicon.vmexit import vmexit
from avickit.xen import boot, domain, keys, sched, vlapic
from avickit.xen.parts import ONE_PAUSE, SOFTIRQ_SCHEDULE, SOFTIRQ_TIMER, Vcpu, printk, vcpu_of

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

ASK_FOR = Site(Kind.UPDATE, STORE, "X6-6", "xl vcpu-pin", "this core shall run another vCPU")
ASK_SCHEDULE = Site(Kind.UPDATE, OR, "X0-9", "Xen cpu_raise_softirq", "raises SCHEDULE on {area}")
IPI = Site(Kind.SIGNAL, SIGNAL, "X0-8", "Xen smp_send_event_check_cpu", "a physical IPI to {area}")
TIME = Site(Kind.UPDATE, STORE, "X0-4", "the simulated clock", "time passes: {new} ns")
DUE = Site(Kind.UPDATE, OR, "X0-4", "Xen apic_timer_interrupt", "a timer is due: raises the TIMER softirq on {area}")
TICK = Site(Kind.SIGNAL, SIGNAL, "X0-4", "Xen apic_timer_interrupt", "the timer interrupts {area}")
PEND = Site(Kind.UPDATE, STORE, "X0-9", "Xen hvm_assert_evtchn_irq", "an event is pending: {place} {new}")
HANDLE = Site(Kind.UPDATE, STORE, "H-EVAL-2", "the guest's IDT", "the guest installs a handler")
SET_CPL = Site(Kind.UPDATE, STORE, "X4-6", "the guest", "CPL is {new}")
START_AT = Site(Kind.UPDATE, STORE, "X0-5", "the guest's trampoline", "here STARTUP lets the vCPU begin")
NMI_MESSAGE = ICRL(MESSAGE_TYPE=MessageType.NMI).value


def boot_xen(
    m: "Machine",
    cmdline: str,
    patches: int,
    svm_avic: bool | None,
    version: str | None = None,
    defects: tuple[str, ...] = (),
) -> Script:
    """Make Xen, bring its patches, then defects, set the variable as a developer would, start."""
    lines = prepare(m.world, patches, svm_avic, version, defects)
    yield 0, boot.start_xen(m.world, cmdline)
    for line in lines:
        yield 0, printk(m.world, line)


def prepare(w: World, patches: int, svm_avic: bool | None, version: str | None, defects: tuple[str, ...]) -> list[str]:
    """Everything before the first beat; what the boot log will say of version and defects. Raises AvicError."""
    host = boot.new_xen(w)
    series.apply(w, patches)
    lines: list[str] = []
    if version is not None or defects:
        from avickit.museum.versions import bring  # the museum opens for who asks for a defect

        lines = bring(w, version, defects, patches)
    if svm_avic is not None:
        host.flags["svm_avic"] = svm_avic
    return lines


def create_domain(m: "Machine", vcpus: int) -> Script:
    """A domain on an idle core's time; None if memory ran out."""
    found = yield from on_idle(m, lambda core: domain.domain_create(m.world, core, vcpus))
    return found


def destroy_domain(m: "Machine", index: int) -> Script:
    """Stop its vCPUs, then destroy the domain."""
    d = m.world.objects["domains"][index - 1]
    for v in [v for v in m.world.objects["vcpus"] if v.domain.index == index]:
        yield from deschedule(m, v.guest.index, sync=True)
    yield from on_idle(m, lambda core: domain.domain_destroy(m.world, core, d))


def execute(m: "Machine", guest_index: int, program: int) -> Script:
    """The guest runs a program; then the machine settles. The answer is what the guest last read."""
    w = m.world
    guest: Guest = w.objects["guests"][guest_index]
    core = running_on(m, guest_index)
    if core is None or not w.at[core.mode] == GUEST:
        raise AvicError(f"{guest.name} is not in guest mode: {m.vcpu(guest_index).state}; use xen.run(vcpu, core)")
    yield core.index, run_program(w, core, guest, program)
    yield from m.engine.settle()
    return w.at[guest.answer]


def run_program(w: World, core: Core, guest: Guest, program: int) -> Beats[None]:
    """Start it, then let the core work until it is quiet."""
    yield from start(w, guest, program)
    yield from run_core(w, core)


def on(m: "Machine", guest_index: int, vector: int, program: int) -> Script:
    """Install a handler."""
    w = m.world
    guest: Guest = w.objects["guests"][guest_index]
    table = w.at[guest.handlers] or (0,) * 256
    yield WORLD, one(HANDLE(guest.handlers, (*table[:vector], program, *table[vector + 1 :])))


def start_ap(m: "Machine", guest_index: int, program: int) -> Script:
    """Say where the vCPU begins when STARTUP comes."""
    yield WORLD, one(START_AT(m.world.objects["guests"][guest_index].start_program, program))


def set_cpl(m: "Machine", guest_index: int, cpl: int) -> Script:
    """The guest's privilege level, 0 unless said otherwise."""
    yield WORLD, one(SET_CPL(m.world.objects["guests"][guest_index].cpl, cpl))


def one(ask: Any) -> Beats[None]:
    """A single beat."""
    yield ask


def running_on(m: "Machine", guest_index: int, *, asked_for: bool = False) -> Core | None:
    """The core whose current vCPU this is: mostly the one it was last put on, whatever the number of cores.

    With `asked_for` also one that shall run it as soon as it can: INIT pauses a vCPU, which keeps its core.
    """
    w, whom = m.world, guest_index + 1
    pcpus = w.objects["pcpus"]
    last = pcpus[w.at[vcpu_of(w, guest_index).cells.processor]]
    found = (p.core for p in chain((last,), pcpus) if w.at[p.current] == whom or (asked_for and w.at[p.next] == whom))
    return next(found, None)


def run(m: "Machine", guest_index: int, index: int) -> Script:
    """The scheduler shall run this vCPU on that core; from another core it goes first."""
    where = running_on(m, guest_index)
    if where is not None and where.index != index:
        yield from deschedule(m, guest_index, sync=False)
    yield WORLD, choose(m.world, index, guest_index + 1)
    yield from m.engine.settle()


def deschedule(m: "Machine", guest_index: int, sync: bool) -> Script:
    """Its core shall idle. Lazy, as Xen is (X6-6); with `sync` the from hook runs at once."""
    core = running_on(m, guest_index, asked_for=True)
    if core is not None:
        yield WORLD, choose(m.world, core.index, 0)
        yield from m.engine.settle()
    if sync:
        v = vcpu_of(m.world, guest_index)
        loaded = m.world.at[v.cells.loaded_on]
        if loaded:
            held = m.world.objects["pcpus"][loaded - 1]
            yield held.core.index, sched.switch_from(m.world, held.core, v, held)


def choose(w: World, index: int, whom: int) -> Beats[None]:
    """Write the choice, raise SCHEDULE there, interrupt the core."""
    p = w.objects["pcpus"][index]
    yield ASK_FOR(p.next, whom)
    yield ASK_SCHEDULE(p.softirq, SOFTIRQ_SCHEDULE)
    yield IPI(p.core.signals, INTR)


def pause(m: "Machine", guest_index: int) -> Script:
    """vcpu_pause: it runs no more until it has been unpaused as often."""
    yield WORLD, one(sched.PAUSE(vcpu_of(m.world, guest_index).cells.pause_flags, ONE_PAUSE))
    yield from deschedule(m, guest_index, sync=False)


def unpause(m: "Machine", guest_index: int) -> Script:
    """vcpu_unpause: after the last, runnable again, if nothing else holds it."""
    yield from on_idle(m, lambda core: sched.vcpu_unpause(m.world, core, vcpu_of(m.world, guest_index)))


def wake(m: "Machine", guest_index: int) -> Script:
    """vcpu_unblock, as an event would."""
    yield from on_idle(m, lambda core: sched.vcpu_unblock(m.world, core, vcpu_of(m.world, guest_index)))


def set_irq(m: "Machine", guest_index: int, vector: int, level: bool, index: int | None) -> Script:
    """A device model in Xen raises a vector in this vCPU's LAPIC."""
    v = vcpu_of(m.world, guest_index)
    yield from on_idle(m, lambda core: vlapic.vlapic_set_irq(m.world, core, v, vector, int(level)), index)


def event(m: "Machine", guest_index: int, source: str, vector: int) -> Script:
    """An event from outside: an `nmi`, by the LAPIC as any other; `callback` or `extint` past it."""
    w, v = m.world, vcpu_of(m.world, guest_index)
    if source == "nmi":
        yield from on_idle(m, lambda core: vlapic.vlapic_accept_irq(w, core, v, NMI_MESSAGE))
    else:
        place = getattr(v.cells, f"{source}_pending")
        yield from on_idle(m, lambda core: pend(w, core, v, place, vector + 1))


def pend(w: World, core: Core, v: Vcpu, place: int, value: int) -> Beats[None]:
    """Mark it pending, and kick."""
    yield PEND(place, value)
    yield from sched.vcpu_kick(w, core, v)


def key(m: "Machine", letter: str) -> Script:
    """A debug key."""
    yield from on_idle(m, lambda core: keys.handle_keypress(m.world, letter))


def ring(m: "Machine", host_apic_id: int) -> Script:
    """Software of the host writes the doorbell MSR C001_011Bh; then the machine settles. (H-BELL-1)"""
    yield WORLD, write_doorbell_msr(m.world, m.world.objects["cores"][0], host_apic_id)
    yield from m.engine.settle()


def on_idle(m: "Machine", work: Callable[[Core], Beats[Any]], index: int | None = None) -> Script:
    """Xen does some work: on a chosen core, else on the last idle one, else on the first, out of its guest.

    Cores that stand between two beats are passed over, while there are others.
    """
    w = m.world
    held = {s.actor for s in m.engine.stopped}
    free = [p for p in w.objects["pcpus"] if p.core.index not in held] or w.objects["pcpus"]
    idle = [p.core.index for p in free if not w.at[p.current] and w.at[p.core.mode] != GUEST]
    core: Core = w.objects["cores"][index if index is not None else idle[-1] if idle else free[0].core.index]
    result: list[Any] = []
    yield core.index, in_host(w, core, work, result)
    yield from m.engine.settle()
    return result[0]


def in_host(w: World, core: Core, work: Callable[[Core], Beats[Any]], result: list[Any]) -> Beats[None]:
    """A busy core leaves its guest for it, as for any interrupt, and goes back."""
    busy = w.see[core.mode] == GUEST
    if busy:
        guest = w.objects["guests"][w.see[core.guest]]
        yield from vmexit(w, core, guest, Exit(ExitCode.VMEXIT_INTR))
    result.append((yield from work(core)))
    if not busy or (yield from w.hooks["hypervisor"](w, core, True)):
        yield from run_core(w, core)


def advance(m: "Machine", ns: int) -> Script:
    """Let time pass, timer by timer."""
    w = m.world
    until = w.at[CLOCK] + ns
    while True:
        due = m.next_timer()
        if not due or due > until:
            break
        if due > w.at[CLOCK]:
            yield from pass_time(m, due)
        yield from fire_timers(m)
    if until > w.at[CLOCK]:
        yield from pass_time(m, until)


def pass_time(m: "Machine", until: int) -> Script:
    """The clock goes on; what follows has a budget of its own."""
    yield WORLD, one(TIME(CLOCK, until))
    m.engine.begin()


def fire_timers(m: "Machine") -> Script:
    """Each timer that is due interrupts the core that looks after its vCPU."""
    w = m.world
    for v in w.objects["vcpus"]:
        if 0 < w.at[v.cells.timer_expiry] <= w.at[CLOCK]:
            p = w.objects["pcpus"][w.at[v.cells.processor]]
            yield WORLD, timer_interrupt(w, p)
    yield from m.engine.settle()
    yield from m.round_robin()


def timer_interrupt(w: World, p: Any) -> Beats[None]:
    """The softirq, and the interrupt that makes the core look."""
    yield DUE(p.softirq, SOFTIRQ_TIMER)
    yield TICK(p.core.signals, INTR)


def race(m: "Machine", *order: Any) -> Script:
    """One order of a race, as the explorer found it: threads, places that store buffers hold, schedule, what races."""
    from avickit.lab.explore.replay import play

    yield from play(m, *order)


def play(m: "Machine", name: str, args: tuple[Any, ...]) -> Script:
    """A command, and what the scheduler makes of it: any of them may make a vCPU runnable or a core idle."""
    script = SCRIPTS[name](m, *args)
    return script if m.config["scheduler"] == "manual" else then_schedule(m, script)


def then_schedule(m: "Machine", script: Script) -> Script:
    """A script, and then round robin."""
    answer = yield from script
    yield from m.round_robin()
    return answer


SCRIPTS: dict[str, Callable[..., Script]] = {
    f.__name__: f
    for f in (boot_xen, create_domain, destroy_domain, execute, on, start_ap, set_cpl, run, deschedule, pause, unpause)
} | {f.__name__: f for f in (wake, set_irq, event, key, advance, ring, race)}
