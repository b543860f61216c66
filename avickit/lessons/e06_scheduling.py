"""The exercises of notebook 06: an entry after a switch, IsRunning through a day, what a wrong entry leads to.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

from avickit.lab.machine import Machine
from avickit.lessons.differences import differing, numbers, one_of
from avickit.lessons.exercise import Exercise
from avickit.manual.tables import PhysicalEntry

Event: TypeAlias = tuple[str, int]
RUN, HLT, WAKE, IDLE, OTHER = "run", "hlt", "wake", "idle", "other"
IN_TIME, EXIT, LATE, LOST = "in time", "exit", "late", "lost"
RUNS, SLEEPS = "runs", "sleeps"
CORES, VECTOR = 3, 0x41


def load_cases(random: Random) -> Iterator[tuple[int, int]]:
    """An entry as it was left on another core, and the APIC ID of the core that the vCPU is switched to."""
    left, core = random.randrange(0x180, 0x200), random.randrange(1, 0x80)  # left: more than eight bits
    yield PhysicalEntry(VALID=1, BACKING_PAGE=random.randrange(1, 1 << 20), HOST_APIC_ID=left).value, core


def load_judge(case: tuple[Any, ...], got: Any) -> str:
    """The core's ID takes the place of the old one, and IsRunning is set. (X6-1)"""
    entry, core = case
    return differing(PhysicalEntry, got, PhysicalEntry.raw(entry).replace(HOST_APIC_ID=core, IS_RUNNING=1))


def day_cases(random: Random) -> Iterator[tuple[tuple[Event, ...]]]:
    """What happens to a vCPU, in an order that can be."""
    yield from ((((RUN, 1), (IDLE, 1)),), (((RUN, 1), (IDLE, 1), (OTHER, 1)),), (((RUN, 2), (HLT, 2), (WAKE, 2)),))
    for _ in range(9):
        yield (tuple(events_of(random, random.randrange(2, 7))),)


def events_of(random: Random, count: int) -> Iterator[Event]:
    """So many events; each can follow the one before."""
    state, core = "out", 0
    for n in range(count):
        may = {"out": (RUN, OTHER) if n else (RUN,), "in": (RUN, HLT, IDLE, OTHER), "asleep": (WAKE, OTHER)}[state]
        event = random.choice(may)
        if event == RUN:
            core = random.randrange(CORES)
        state = {RUN: "in", HLT: "asleep", WAKE: "out", IDLE: "out", OTHER: state if state == "asleep" else "out"}[
            event
        ]
        yield event, core


def day_judge(case: tuple[Any, ...], got: Any) -> str:
    """Have a machine live through it, and compare its entry. (X6-1, X6-2, X6-3, X6-6)"""
    pair = numbers(got, 2)
    if pair is None or pair[0] not in (0, 1) or not 0 <= pair[1] < CORES:
        return f"{got!r} is not (IsRunning, core), 0 or 1 and 0..{CORES - 1}."
    entry = lived(case[0])
    given = PhysicalEntry.raw(int(entry)).replace(IS_RUNNING=pair[0], HOST_APIC_ID=pair[1])
    return differing(PhysicalEntry, given, entry)


def lived(events: tuple[Event, ...]) -> PhysicalEntry:
    """The entry of a vCPU after these events."""
    xen = Machine(cores=CORES, record=False).boot("svm=avic")
    domain = xen.create_domain(vcpus=2)
    mine, other = domain.vcpus
    acts = {HLT: lambda _: mine.guest.hlt(), WAKE: lambda _: xen.wake(mine), IDLE: lambda _: xen.deschedule(mine)}
    for event, core in events:
        if event in acts:
            acts[event](core)
        else:
            xen.run(mine if event == RUN else other, core=core)
    return PhysicalEntry.raw(int(domain.physical_table[mine.apic_id]))


def wrong_cases(random: Random) -> Iterator[tuple[str, int, int]]:
    """Whether the target runs or sleeps, its core, and the entry as a sender finds it, right or wrong."""
    for state in (RUNS, SLEEPS):
        for running in (0, 1):
            for _ in range(3):
                core, named = random.choice((1, 2)), random.choice((1, 2))
                yield state, core, entry_naming(running, named)
    yield from ((RUNS, 1, entry_naming(1, 2)), (RUNS, 2, entry_naming(1, 2)))


def entry_naming(running: int, core: int) -> int:
    """An entry with this IsRunning and this core; the page is filled in on the machine."""
    return PhysicalEntry(VALID=1, IS_RUNNING=running, BACKING_PAGE=8, HOST_APIC_ID=core).value


def wrong_judge(case: tuple[Any, ...], got: Any) -> str:
    """Send an IPI to it on a machine, and look what becomes of it. (H-IPI-5, H-IPI-6, H-BELL-2)"""
    state, core, entry = case
    seen = PhysicalEntry.raw(entry)
    told = (
        f"{got!r}, but IS_RUNNING is {seen.IS_RUNNING}, HOST_APIC_ID {int(seen.HOST_APIC_ID)}, and the target {state}."
    )
    return one_of(got, (IN_TIME, EXIT, LATE, LOST)) or ("" if got == became(state, core, seen) else told)


def became(state: str, core: int, seen: PhysicalEntry) -> str:
    """What becomes of an IPI to a vCPU in this state, when the table says this."""
    xen = Machine(cores=CORES, record=False).boot("svm=avic")
    domain = xen.create_domain(vcpus=2)
    sender, target = domain.vcpus
    xen.run(sender, core=0)
    xen.run(target, core=core)
    target.guest.write("SVR", 0x1FF)
    if state == SLEEPS:
        target.guest.hlt()
    told = {"IS_RUNNING": int(seen.IS_RUNNING), "HOST_APIC_ID": int(seen.HOST_APIC_ID)}
    domain.physical_table.store(target.apic_id, **told)
    sender.guest.write("ICRH", target.apic_id << 24)
    sender.guest.write("ICRL", VECTOR)
    if sender.exits:
        return EXIT
    return LOST if target.lost_wakeup else IN_TIME if target.guest.taken else LATE


LOAD = Exercise(
    "switched to",
    "the vCPU's entry of the physical table after avic_vcpu_load.",
    load_cases,
    load_judge,
    lambda case: (
        f"the entry is {case[0]:#018x}; the vCPU is switched to on the core with physical APIC ID {case[1]:#x}"
    ),
    value=True,
)
DAY = Exercise(
    "a day of IsRunning",
    "return (IsRunning, core), as the vCPU's entry has them after these events.",
    day_cases,
    day_judge,
    lambda case: ", ".join(f"{event} {core}" if event in (RUN, OTHER) else event for event, core in case[0]),
)
WRONG = Exercise(
    "a wrong entry",
    f"return what becomes of an IPI to this vCPU: {IN_TIME!r}, {EXIT!r}, {LATE!r} or {LOST!r}.",
    wrong_cases,
    wrong_judge,
    lambda case: f"a target that {case[0]}, core {case[1]}, entry {case[2]:#018x}",
)
