"""The exercises of notebook 08: who acknowledges, what svm_intr_assist may leave out, what a VMRUN delivers.

Does not model: solutions.
"""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from avickit.lab.machine import Machine
from avickit.lessons.differences import one_of
from avickit.lessons.exercise import Exercise
from avickit.manual.apic import Offset
from avickit.manual.exits import EventInj
from avickit.manual.vectors import word_of

PARTIES = ("software", "hardware")
SOURCES = ("NMI", "CALLBACK", "PIC", "LAPIC")
FIRST, LAST = 0x20, 0xFE
ENABLED = 0x1FF
"""SVR: the APIC is enabled, its spurious vector FFh."""


def acks_cases(random: Random) -> Iterator[tuple[int, bool, bool, int]]:
    """Number of patches, AVIC on or off, whether the vCPU sleeps, the vector."""
    states = [(patches, avic, sleeps) for patches in range(5, 9) for avic in (True, False) for sleeps in (True, False)]
    for state in random.sample(states, len(states)):
        yield (*state, random.randrange(FIRST, LAST))


@cache
def party(patches: int, avic: bool, sleeps: bool, vector: int) -> str:
    """Who sets the ISR bit of a device's interrupt, seen on a machine. (X0-6, X7-1, X8-1, H-EVAL-2)"""
    m = Machine(cores=3)
    xen = m.boot("", patches=patches, svm_avic=avic)
    v = xen.create_domain(vcpus=1).vcpus[0]
    xen.run(v, core=1)
    v.guest.write("SVR", ENABLED)
    if sleeps:
        v.guest.hlt()
    xen.set_irq(v, vector)
    if sleeps:
        xen.run(v, core=1)
    return "software" if m.trace.where(kind="UPDATE", rule="X0-6", place="ISR") else "hardware"


def acks_judge(case: tuple[Any, ...], got: Any) -> str:
    """Software or hardware. (X8-1)"""
    unknown = one_of(got, PARTIES)
    if unknown or got == party(*case):
        return unknown
    patches, avic, sleeps, _ = case
    if not avic:
        return "without AVIC the hardware touches neither IRR nor ISR."
    if patches == 7:
        return f"{'Xen comes by' if sleeps else 'Xen does not come by'} before the guest takes it."
    return "an exit is followed by svm_intr_assist, and it acknowledges." if patches < 7 else "patch 8 forbids it."


def assist_cases(random: Random) -> Iterator[tuple[bool, str, int, int | None]]:
    """AVIC on or off, the source and vector of the event that was found, the vector of a tick that is owed."""
    for avic in (True, False):
        for source in SOURCES:
            vector = 2 if source == "NMI" else random.randrange(FIRST, LAST)
            yield avic, source, vector, None
            if source == "LAPIC":
                yield avic, source, vector, vector
            elif avic and source == "CALLBACK":  # a tick in IRR is told of before any other event is looked for
                yield avic, source, vector, random.randrange(FIRST, LAST)


def assist_judge(case: tuple[Any, ...], got: Any) -> str:
    """Inject, and tell the timer: in words of what would happen. (X8-2)"""
    avic, source, _, tick = case
    if not (isinstance(got, tuple) and len(got) == 2 and all(isinstance(part, bool) for part in got)):
        return f"{got!r} is not (inject, tell), two truth values."
    inject, tell = got
    if inject and avic and source == "LAPIC":
        return "injected, and its bit stays in IRR: the handler runs twice."
    if not inject and not (avic and source == "LAPIC"):
        return f"nobody else delivers it: {'AVIC is off' if source == 'LAPIC' else 'it has no bit in IRR'}."
    if tell != (tick is not None):
        return "there is no tick to be told of." if tell else "the timer waits to hear of its tick, and ticks no more."
    return ""


def vmrun_cases(random: Random) -> Iterator[tuple[int, tuple[int, ...], int]]:
    """The vector in EVENTINJ, those in IRR, the one in service."""
    injected = random.randrange(0x40, 0x80)
    yield injected, (injected, random.randrange(0x40, LAST)), random.randrange(0x30, 0x40)


def event(vector: int) -> int:
    """EVENTINJ for an external interrupt. (H-VMCB-10)"""
    return EventInj(VALID=1, VECTOR=vector).value


@cache
def taken(injected: int, pending: tuple[int, ...], in_service: int) -> tuple[int, ...]:
    """What the guest takes at a VMRUN, in order, on a machine; its handlers return at once. (H-EVAL-3, H-VMCB-10)"""
    m = Machine(cores=3)
    xen = m.boot("svm=avic")
    v = xen.create_domain(vcpus=1).vcpus[0]
    xen.run(v, core=1)
    v.guest.write("SVR", ENABLED)
    xen.set_irq(v, in_service)
    xen.deschedule(v, sync=True)
    for vector in pending:
        xen.set_irq(v, vector)
    v.vmcb.store("EVENTINJ", event(injected))
    before = len(m.trace)
    xen.run(v, core=1)
    places = (beat.place for beat in m.trace.where(kind="UPDATE", place="taken") if beat.n > before)
    return tuple(int(place.split()[-1].rstrip("h"), 16) for place in places)


def vmrun_judge(case: tuple[Any, ...], got: Any) -> str:
    """The event first, then what IRR and PPR give. (H-EVAL-3)"""
    right = taken(*case)
    if not isinstance(got, tuple) or not all(isinstance(v, int) for v in got):
        return f"{got!r} is no tuple of vectors."
    if got[:1] != right[:1]:
        return f"the guest does not take {f'{got[0]:02X}h' if got else 'nothing'} first."
    if len(got) < len(right):
        return "the guest takes more than that."
    if len(got) > len(right):
        return "the guest takes less than that: PPR follows what is in service."
    wrong = next((f"{mine:02X}h" for mine, its in zip(got, right, strict=True) if mine != its), "")
    return f"the guest does not take {wrong} then." if wrong else ""


def words(first: int, vectors: tuple[int, ...]) -> str:
    """The words of a 256-bit register that are not 0: `220h 00000002h`. (H-REG-7)"""
    found: dict[int, int] = {}
    for offset, bit in map(word_of, vectors):
        found[offset] = found.get(offset, 0) | 1 << bit
    return ", ".join(f"{first + offset:03X}h {found[offset]:08X}h" for offset in sorted(found))


ACKS = Exercise(
    "acks",
    f"return who sets the ISR bit of a device's interrupt: {' or '.join(map(repr, PARTIES))}.",
    acks_cases,
    acks_judge,
    lambda case: (
        f"{case[0]} patches, AVIC {'on' if case[1] else 'off'}, the vCPU {'sleeps' if case[2] else 'runs'}, "
        f"vector {case[3]:02X}h"
    ),
)
ASSIST = Exercise(
    "assist",
    "return (inject, tell): whether svm_intr_assist injects what it found, and whether it tells the timer of its tick.",
    assist_cases,
    assist_judge,
    lambda case: (
        f"AVIC {'on' if case[0] else 'off'}, {case[1]} {case[2]:02X}h found, "
        f"{'no tick is owed' if case[3] is None else f'the tick {case[3]:02X}h is owed'}"
    ),
)
VMRUN = Exercise(
    "vmrun",
    "a tuple of vectors: those that the guest takes at this VMRUN, in order; its handlers return at once, without EOI.",
    vmrun_cases,
    vmrun_judge,
    lambda case: (
        f"EVENTINJ {event(case[0]):016X}h; in the page IRR {words(Offset.IRR, case[1])}; "
        f"ISR {words(Offset.ISR, (case[2],))}; TPR 0; IF 1"
    ),
    value=True,
)
