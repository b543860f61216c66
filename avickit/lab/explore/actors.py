"""The actors of a scenario's race as threads: who does which step on which core, kept as data so that it replays.

A guest's steps are one program on the core that runs it; a device's are Xen's work on an idle core, or on the one that
is named; the scheduler's commands come from outside. Each core then serves whatever signals it gets, as cores do. Does
not model: what the steps do; they are the commands of `lab.scripts`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from avickit.beat import LOAD, WAIT, Beats, Kind, Site, World
from avickit.lab import scripts
from avickit.lab.explore.race import WORLD, Race, Thread
from avickit.silicon.deliver import IRR
from avickit.silicon.parts import GUEST, Core
from avickit.silicon.run import run_core
from avickit.xen import sched, vlapic
from avickit.xen.parts import ONE_PAUSE, READ_PROCESSOR, READ_RUNNING, PCpu, vcpu_of

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

Work: TypeAlias = tuple[Any, ...]
"""One thing to do: a verb and its arguments, as data."""
Spec: TypeAlias = tuple[str, int, tuple[Work, ...]]
"""A thread as data: its name, its core (-1: none), its work in order."""

LISTEN = Site(Kind.READ, WAIT, "H-BELL-2", "APM2 15.29.8.2", "{area} is signalled")
SWITCHED = Site(Kind.CHECK, WAIT, "X0-8", "Xen context_saved", "has its core let go of the vCPU? is_running {old}")
LOOK = Site(Kind.READ, LOAD, "X0-8", "the order of the race", "{place}: {old}")


def is_zero(value: int) -> bool:
    """What `SWITCHED` waits for."""
    return not value


def anything_but(left: int) -> Callable[[int], bool]:
    """A core listens for signals other than those that it has left pending."""
    return lambda signals: bool(signals & ~left)


def race_of(m: "Machine", specs: tuple[Spec, ...]) -> Race:
    """The race of these threads on a machine as it stands now; cores that nobody has named only listen."""
    w = m.world
    named = {core for _, core, _ in specs}
    rest = tuple((f"core {c.index}", c.index, ()) for c in w.objects["cores"] if c.index not in named)
    threads = tuple(Thread(name, core, maker(w, core, work)) for name, core, work in specs + rest)
    return Race(w, threads, frozenset(v.page + IRR for v in w.objects["vcpus"]))


def maker(w: World, index: int, work: tuple[Work, ...]) -> Callable[[World], Beats[None]]:
    """What makes the beats of one thread. What the core has pending before the race is nothing new to it."""
    if index == WORLD:
        return lambda w: commanded(w, work)
    core: Core = w.objects["cores"][index]
    left: int = w.at[core.signals]
    return lambda w: on_core(w, core, work, left)


def commanded(w: World, work: tuple[Work, ...]) -> Beats[None]:
    """Commands from outside all cores."""
    for verb, *args in work:
        yield from COMMANDS[verb](w, *args)


def on_core(w: World, core: Core, work: tuple[Work, ...], left: int) -> Beats[None]:
    """A core: its work, then whatever it is signalled to do, for ever."""
    for verb, *args in work:
        if verb in COMMANDS:
            yield from COMMANDS[verb](w, *args)
        elif verb == "guest":
            guest, program = args
            yield from scripts.run_program(w, core, w.objects["guests"][guest], program)
        else:
            yield from scripts.in_host(w, core, partial(in_xen, w, verb, args), [])
    if work:
        left = yield from until_quiet(w, core)
    while True:
        yield LISTEN(core.signals, anything_but(left))
        left = yield from until_quiet(w, core)


def until_quiet(w: World, core: Core) -> Beats[int]:
    """A core at work until it does nothing any more; the signals that it leaves pending.

    In guest mode it is asked again as long as it does something: what came in its last beats it has not noticed.
    """
    yield from run_core(w, core)
    while w.see[core.mode] == GUEST and (yield from counted(run_core(w, core))):
        pass
    return int(w.see[core.signals])


def counted(beats: Beats[Any]) -> Beats[int]:
    """The same beats; how many there were."""
    count, answer = 0, None
    while True:
        try:
            ask = beats.send(answer)
        except StopIteration:
            return count
        count += 1
        answer = yield ask


def in_xen(w: World, verb: str, args: list[Any], core: Core) -> Beats[None]:
    """Xen's work on a core."""
    yield from XEN[verb](w, core, *args)


# ---- commands from outside ----


def run(w: World, guest: int, index: int) -> Beats[None]:
    """The scheduler shall run this vCPU on that core; from another core it goes first, and is waited for."""
    cells = vcpu_of(w, guest).cells
    if (yield READ_RUNNING(cells.is_running)):
        where: PCpu = w.objects["pcpus"][(yield READ_PROCESSOR(cells.processor))]
        if where.core.index != index:
            yield from scripts.choose(w, where.core.index, 0)
            yield SWITCHED(cells.is_running, is_zero)
    yield from scripts.choose(w, index, guest + 1)


def deschedule(w: World, guest: int) -> Beats[None]:
    """Its core shall idle."""
    cells = vcpu_of(w, guest).cells
    if (yield READ_RUNNING(cells.is_running)):
        yield from scripts.choose(w, (yield READ_PROCESSOR(cells.processor)), 0)


def pause(w: World, guest: int) -> Beats[None]:
    """vcpu_pause."""
    yield sched.PAUSE(vcpu_of(w, guest).cells.pause_flags, ONE_PAUSE)
    yield from deschedule(w, guest)


def unpause(w: World, guest: int) -> Beats[None]:
    """vcpu_unpause."""
    yield sched.UNPAUSE(vcpu_of(w, guest).cells.pause_flags, -ONE_PAUSE)


COMMANDS: Mapping[str, Callable[..., Beats[None]]] = {f.__name__: f for f in (run, deschedule, pause, unpause)}


# ---- Xen's work on a core ----


def wake(w: World, core: Core, guest: int) -> Beats[None]:
    """vcpu_unblock, as an event would."""
    yield from sched.vcpu_unblock(w, core, vcpu_of(w, guest))


def set_irq(w: World, core: Core, guest: int, vector: int, level: bool) -> Beats[None]:
    """A device model raises a vector."""
    yield from vlapic.vlapic_set_irq(w, core, vcpu_of(w, guest), vector, int(level))


def event(w: World, core: Core, guest: int, source: str, vector: int) -> Beats[None]:
    """An NMI, an upcall, an interrupt from the PIC."""
    v = vcpu_of(w, guest)
    if source == "nmi":
        yield from vlapic.vlapic_accept_irq(w, core, v, scripts.NMI_MESSAGE)
    else:
        yield from scripts.pend(w, core, v, getattr(v.cells, f"{source}_pending"), vector + 1)


XEN: Mapping[str, Callable[..., Beats[None]]] = {f.__name__: f for f in (wake, set_irq, event)}
