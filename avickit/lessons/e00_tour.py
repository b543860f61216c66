"""The three exercises of the tour: address an interrupt, find a vector in the page, foresee what an entry leads to.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from avickit.lab.handles import VcpuHandle
from avickit.lab.machine import Machine
from avickit.lessons.differences import numbers, one_of
from avickit.lessons.exercise import Exercise
from avickit.manual.apic import offset_of
from avickit.manual.tables import PhysicalEntry
from avickit.manual.vectors import word_of

VCPUS = 4
WORD = 0xFFFF_FFFF
DOORBELL, NOT_RUNNING, INVALID = "doorbell", "exit ID 1", "exit ID 2"
OUTCOMES = (DOORBELL, NOT_RUNNING, INVALID)


def icr_cases(random: Random) -> Iterator[tuple[int, int]]:
    """Some APIC ID and some vector."""
    yield from ((2, 0x41), (6, 0xFF), (0, 0x20))
    yield from ((2 * random.randrange(VCPUS), random.randrange(0x20, 0x100)) for _ in range(9))


def icr_judge(case: tuple[Any, ...], got: Any) -> str:
    """Write it on a machine and look who takes what. (H-IPI-0, H-IPI-4)"""
    apic_id, vector = case
    pair = numbers(got, 2)
    if pair is None or not all(0 <= value <= WORD for value in pair):
        return f"{got!r} is not (ICRH, ICRL), two values of 32 bits."
    xen = Machine(cores=VCPUS, record=False).boot("svm=avic")
    vcpus = xen.create_domain(vcpus=VCPUS).vcpus
    for core, vcpu in enumerate(vcpus):
        xen.run(vcpu, core=core)
    sender = vcpus[0]
    sender.guest.write("ICRH", pair[0])
    sender.guest.write("ICRL", pair[1])
    if sender.exits:
        return f"#VMEXIT {sender.exits[-1].code.name}: hardware did not do it alone (ICRL was {pair[1]:08X}h)."
    taken = [f"{v.name} took {taken_text(v)}" for v in vcpus if v.guest.taken]
    wanted = f"d1v{apic_id // 2} took {vector:02X}h"
    return "" if taken == [wanted] else f"{' and '.join(taken) or 'nobody took anything'}."


def taken_text(vcpu: VcpuHandle) -> str:
    """The vectors it took."""
    return ", ".join(f"{vector:02X}h" for vector in vcpu.guest.taken)


def where_cases(random: Random) -> Iterator[tuple[int]]:
    """Some vector."""
    yield from ((0x41,), (0x20,), (0xFF,), (0x10,))
    yield from ((random.randrange(0x10, 0x100),) for _ in range(20))


def where_judge(case: tuple[Any, ...], got: Any) -> str:
    """Say whose bit was named. (H-REG-7)"""
    pair = numbers(got, 2)
    if pair is None:
        return f"{got!r} is not (offset, bit), two whole numbers."
    offset, bit = pair
    base = offset_of("IRR")
    if offset not in range(base, base + 0x80, 0x10) or not 0 <= bit < 32:
        return f"offset {offset:X}h bit {bit} is no bit of IRR: its words are {base:X}h to {base + 0x70:X}h, 10h apart."
    word, place = word_of(case[0])
    named = (offset - base) * 2 + bit
    return "" if (offset, bit) == (base + word, place) else f"offset {offset:X}h bit {bit} is vector {named:02X}h."


def outcome_cases(random: Random) -> Iterator[tuple[int]]:
    """Some entry of a physical table: what is left over in a field must not mislead."""
    for valid, running in ((1, 1), (1, 0), (0, 1), (0, 0)):
        for _ in range(6):
            page, core = random.randrange(1, 1 << 20), random.randrange(256)
            yield (PhysicalEntry(VALID=valid, IS_RUNNING=running, BACKING_PAGE=page, HOST_APIC_ID=core).value,)


def outcome_of(entry: int) -> str:
    """What a directed IPI to this entry leads to. (H-IPI-4 to H-IPI-6)"""
    seen = PhysicalEntry.raw(entry)
    return INVALID if not seen.VALID else DOORBELL if seen.IS_RUNNING else NOT_RUNNING


def outcome_judge(case: tuple[Any, ...], got: Any) -> str:
    """Compare, and point at the bit that decides."""
    entry = PhysicalEntry.raw(case[0])
    differs = f"{got!r}, but VALID is {entry.VALID}, IS_RUNNING is {entry.IS_RUNNING}."
    return one_of(got, OUTCOMES) or ("" if got == outcome_of(case[0]) else differs)


ICR = Exercise(
    "icr",
    "return (ICRH, ICRL), so that the vCPU with this APIC ID takes this vector without an exit.",
    icr_cases,
    icr_judge,
    lambda case: f"vector {case[1]:02X}h to APIC ID {case[0]}",
)
WHERE = Exercise(
    "where",
    "return (offset, bit): where this vector's bit lies in IRR.",
    where_cases,
    where_judge,
    lambda case: f"vector {case[0]:02X}h",
)
OUTCOME = Exercise(
    "outcome",
    f"return {', '.join(map(repr, OUTCOMES[:-1]))} or {OUTCOMES[-1]!r} for a 64-bit entry of the physical table.",
    outcome_cases,
    outcome_judge,
    lambda case: f"entry {case[0]:016X}h",
)
