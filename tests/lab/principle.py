"""The races of principle of defects.md section 2, as small programs that ask with the Sites of the real code.

One sender, one target that blocks. Lost: the target is marked blocked, its IRR bit is set, nobody is left to wake it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from avickit.beat import Beats, World
from avickit.lab.explore import Race, race
from avickit.lab.explore.judge import by_places
from avickit.lab.explore.state import State
from avickit.manual.tables import PhysicalEntry
from avickit.series import p06_scheduling as p06
from avickit.series import p07_interrupts as p07
from avickit.silicon import deliver, doorbell, ipi, open_points
from avickit.xen import sched
from avickit.xen.parts import BLOCKED
from tests.lab.overlays import PLAIN_CLEAR

VECTOR = 1 << 0x41
RUNNING = PhysicalEntry.IS_RUNNING.mask
Program = Callable[[World], Beats[Any]]


class Places(NamedTuple):
    """IRR, physical table entry, pause_flags, is_running, the target core's signals."""

    irr: int
    entry: int
    flags: int
    is_running: int
    signals: int


def world() -> tuple[World, Places]:
    """The target runs."""
    w = World()
    base = w.area("v1", Places._fields)
    p = Places(*range(base, base + 5))
    w.at[p.entry], w.at[p.is_running] = RUNNING, 1
    return w, p


def kick(p: Places) -> Beats[None]:
    """The sender's exit, as far as it matters: Xen unblocks the target. (X5-2, X0-8)"""
    yield sched.UNBLOCK(p.flags, ~BLOCKED)


def ring_or_kick(p: Places, entry: int) -> Beats[None]:
    """H-IPI-5, H-IPI-6."""
    if entry & RUNNING:
        yield doorbell.RING(p.signals, 1)
    else:
        yield from kick(p)


def irr_then_running(p: Places) -> Beats[None]:
    """The hardware's order."""
    yield ipi.SET_IRR(p.irr, VECTOR)
    yield from ring_or_kick(p, (yield ipi.READ_RUNNING(p.entry)))


def running_then_irr(p: Places) -> Beats[None]:
    """The wrong order."""
    entry = yield ipi.READ_RUNNING(p.entry)
    yield ipi.SET_IRR(p.irr, VECTOR)
    yield from ring_or_kick(p, entry)


def irr_without_barrier(p: Places) -> Beats[None]:
    """Like erratum 1235."""
    old = yield open_points.PLAIN_READ(p.irr)
    yield open_points.PLAIN_WRITE(p.irr, old | VECTOR)
    yield from ring_or_kick(p, (yield ipi.READ_RUNNING(p.entry)))


def posted_without_unblock(p: Places) -> Beats[None]:
    """Xen's posting as published: X02."""
    yield p07.SET_IRR(p.irr, VECTOR)
    if (yield p07.IS_RUNNING(p.is_running)):
        yield doorbell.RING(p.signals, 1)
    else:
        yield from kick(p)


def posted(p: Places) -> Beats[None]:
    """Xen's posting as intended: it always unblocks. (X7-1)"""
    yield p07.SET_IRR(p.irr, VECTOR)
    yield from kick(p)


def look_and_sleep(p: Places) -> Beats[None]:
    """Look at IRR once more: awake if something is there, else the core lets go. (X6-5)"""
    if (yield deliver.READ_IRR(p.irr)):
        yield sched.UNBLOCK(p.flags, ~BLOCKED)
    else:
        yield sched.SAVED(p.is_running, 0)


def locked_clear(p: Places) -> Beats[None]:
    """The intended block path."""
    yield sched.BLOCK(p.flags, BLOCKED)
    yield p06.SLEEP_RUNNING(p.entry, ~RUNNING)
    yield from look_and_sleep(p)


def plain_clear(p: Places) -> Beats[None]:
    """X03."""
    yield sched.BLOCK(p.flags, BLOCKED)
    entry = yield p06.READ_ENTRY(p.entry)
    yield PLAIN_CLEAR(p.entry, entry & ~RUNNING)
    yield from look_and_sleep(p)


def look_then_clear(p: Places) -> Beats[None]:
    """The wrong order."""
    yield sched.BLOCK(p.flags, BLOCKED)
    irr = yield deliver.READ_IRR(p.irr)
    yield p06.SLEEP_RUNNING(p.entry, ~RUNNING)
    if irr:
        yield sched.UNBLOCK(p.flags, ~BLOCKED)
    else:
        yield sched.SAVED(p.is_running, 0)


def never_cleared(p: Places) -> Beats[None]:
    """X01; and all that matters to who asks for v->is_running: X02."""
    yield sched.BLOCK(p.flags, BLOCKED)
    yield from look_and_sleep(p)


class Row(NamedTuple):
    """A row of the table: both orders, lost final states under sc and tso."""

    sender: Callable[[Places], Beats[None]]
    target: Callable[[Places], Beats[None]]
    sc: int
    tso: int


TABLE = (
    Row(irr_then_running, locked_clear, 0, 0),
    Row(irr_then_running, plain_clear, 0, 1),
    Row(irr_then_running, look_then_clear, 1, 1),
    Row(running_then_irr, locked_clear, 1, 1),
    Row(irr_without_barrier, locked_clear, 0, 1),
    Row(irr_then_running, never_cleared, 1, 1),
    Row(posted_without_unblock, never_cleared, 1, 1),
    Row(posted, never_cleared, 0, 0),
)


def of_principle(row: Row) -> tuple[Race, Callable[[State], dict[str, str]]]:
    """The race of a row, and what judges its ends."""
    w, p = world()
    made = race(w, {"sender": lambda _: row.sender(p), "target": lambda _: row.target(p)})

    def lost(look: Callable[[int], Any]) -> str:
        return "the target sleeps over its vector" if look(p.flags) == BLOCKED and look(p.irr) else ""

    return made, by_places(lost, "lost wake-up", made)
