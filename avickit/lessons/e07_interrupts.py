"""The exercises of notebook 07: whom Xen tells, what starves, and the beats in which an interrupt is lost.

Each is judged by a machine that does it. Does not model: solutions.
"""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from avickit.lab.handles import VcpuHandle
from avickit.lab.machine import Machine
from avickit.lab.xen import XenHandle
from avickit.lessons.differences import numbers, one_of
from avickit.lessons.exercise import Exercise
from avickit.silicon.guest import Insn

WAYS = ("nothing", "doorbell", "kick")
SOURCES = ("NMI", "callback", "ExtINT", "LAPIC")
CORES = 4
NMI = 2
FIRST, LAST = 0x20, 0xFE
MOST_WRITES = 9
ENABLED = 0x1FF
"""SVR: the APIC is enabled, its spurious vector FFh."""


def booted(cmdline: str, defects: tuple[str, ...] = ()) -> tuple[Machine, XenHandle, VcpuHandle]:
    """A machine, its Xen and one vCPU whose APIC is enabled; it runs on core 1."""
    m = Machine(cores=CORES)
    xen = m.boot(cmdline, defects=defects)
    v = xen.create_domain(vcpus=1).vcpus[0]
    xen.run(v, core=1)
    v.guest.write("SVR", ENABLED)
    return m, xen, v


def told_cases(random: Random) -> Iterator[tuple[bool, tuple[int, ...], int, int | None, int]]:
    """AVIC on or off, what is pending, the vector, the core that runs the vCPU, the core on which Xen works."""
    yield from ((True, (), 0x41, 1, 2), (True, (0x41,), 0x41, 1, 2), (True, (0x41,), 0x42, None, 2))
    for _ in range(11):
        pending = tuple(sorted(random.sample(range(FIRST, LAST), 2)))
        vector = random.choice([*pending, *random.sample(range(FIRST, LAST), 3)])
        runs_on = random.choice([None, 0, 1, 2])
        yield random.random() < 0.8, pending, vector, runs_on, random.choice([0, 1, 2, 3])


@cache
def way(avic: bool, pending: tuple[int, ...], vector: int, runs_on: int | None, core: int) -> str:
    """What Xen does for that interrupt, seen on a machine. (X7-1)"""
    m, xen, v = booted("svm=avic" if avic else "")
    v.guest.cli()
    for earlier in pending:
        xen.set_irq(v, earlier)
    if runs_on is None:
        xen.deschedule(v, sync=True)
    else:
        xen.run(v, runs_on)
    before = len(m.trace)
    xen.set_irq(v, vector, core=core)
    rang, kicked = (
        any(beat.n > before for beat in m.trace.where(kind=kind, rule=rule, actor=f"core {core}"))
        for kind, rule in (("SIGNAL", "H-BELL-1"), ("CHECK", "X0-8"))
    )
    return "doorbell" if rang else "kick" if kicked else "nothing"


def told_judge(case: tuple[Any, ...], got: Any) -> str:
    """Nothing, a doorbell or a kick. (X7-1)"""
    unknown = one_of(got, WAYS)
    if unknown or got == way(*case):
        return unknown
    known = "already" if case[2] in case[1] else "not yet"
    return f"{got!r} is not what Xen does: {known} pending, {whom(*case)}."


def whom(avic: bool, pending: tuple[int, ...], vector: int, runs_on: int | None, core: int) -> str:
    """The vCPU of a case, in words."""
    where = "it runs nowhere" if runs_on is None else f"it runs on {'this core' if runs_on == core else 'another core'}"
    return f"AVIC {'on' if avic else 'off'}, and {where}"


def starves_cases(random: Random) -> Iterator[tuple[str, int, int, int]]:
    """Where the interrupt comes from, guest IF, interrupt shadow, vector."""
    states = [(source, *guest) for source in SOURCES for guest in ((0, 0), (1, 1), (1, 0))]
    for source, flag, shadow in random.sample(states, len(states)):
        yield source, flag, shadow, NMI if source == "NMI" else random.randrange(FIRST, LAST)


@cache
def starved(source: str, flag: int, shadow: int, vector: int) -> bool:
    """Whether it is not taken although the guest could by now, and no exit came between. (X7-2, X7-3, X23)"""
    _, xen, v = booted("svm=avic")
    v.guest.cli()
    if flag:
        v.guest.execute([Insn("sti")] if shadow else [Insn("sti"), Insn("nop")])
    raises = {"callback": xen.callback, "ExtINT": xen.extint, "LAPIC": xen.set_irq}
    xen.nmi(v) if source == "NMI" else raises[source](v, vector)
    v.guest.execute([Insn("sti"), Insn("nop"), Insn("nop")])
    return vector not in v.guest.taken


def starves_judge(case: tuple[Any, ...], got: Any) -> str:
    """Yes or no. (X23)"""
    if not isinstance(got, bool):
        return f"{got!r} is neither True nor False."
    if got == starved(*case):
        return ""
    return "the guest has not taken it, although it could." if not got else "the guest has taken it."


def sleeper(writes: int) -> Machine:
    """Xen with X02, and a guest that has written its TPR so often and then halted; the HLT is the last command."""
    m, _, v = booted("svm=avic", ("X02",))
    for _ in range(writes):
        v.guest.write("TPR", 0)
    v.guest.hlt()
    return m


def window_cases(random: Random) -> Iterator[tuple[int]]:
    """How often it writes TPR before it halts."""
    yield (random.randrange(1, MOST_WRITES),)


def lost(m: Machine, n: int) -> bool:
    """Whether a device's interrupt that comes after beat n is slept over."""
    then = m.fork(n)
    v = then.vcpu(0)
    then.command("set_irq", v.vcpu.guest.index, 0x41, False, 2)
    if n < len(m.trace):
        then.finish()
    return v.lost_wakeup


def window_judge(case: tuple[Any, ...], got: Any) -> str:
    """The first and the last beat after which it is lost. (X7-1, X02)"""
    pair = numbers(got, 2)
    if pair is None:
        return f"{got!r} is not (first, last), two numbers of beats."
    m = sleeper(*case)
    hlt, end = m.trace.commands[-1].first, len(m.trace)
    for n, name in zip(pair, ("first", "last"), strict=True):
        if not hlt < n < end:
            return f"beat {n} ({name}) is not inside the HLT, beats {hlt + 1} to {end}."
        if not lost(m, n):
            return f"an interrupt that comes after beat {n} ({name}) is not lost."
    outside = (n for n, name in ((pair[0] - 1, "first"), (pair[1] + 1, "last")) if lost(m, n))
    return next((f"{pair} is too narrow: there are more beats after which it is lost." for _ in outside), "")


TOLD = Exercise(
    "told",
    f"return what Xen does once it has set the IRR bit: {', '.join(map(repr, WAYS))}.",
    told_cases,
    told_judge,
    lambda case: (
        f"AVIC {'on' if case[0] else 'off'}, pending {vectors(case[1])}, vector {case[2]:02X}h, "
        f"runs on core {case[3]}, Xen works on core {case[4]}"
    ),
)
STARVES = Exercise(
    "starves",
    "return True if the guest, able to take it by now, still has not, and False if it has; no exit comes between.",
    starves_cases,
    starves_judge,
    lambda case: f"{case[0]} {case[3]:02X}h, raised at IF {case[1]}, shadow {case[2]}",
)
WINDOW = Exercise(
    "window",
    "(first, last): the first and the last beat of the HLT after which a device's interrupt 41h is lost.",
    window_cases,
    window_judge,
    lambda case: f"sleeper({case[0]}): the guest writes TPR {case[0]} times and halts, on a Xen with X02",
    value=True,
)


def vectors(pending: tuple[int, ...]) -> str:
    """`41h, 52h` or `none`."""
    return ", ".join(f"{v:02X}h" for v in pending) or "none"
