"""The exercises of notebook 05: a raw exit 402h, what Xen owes after an exit 401h, the logical table after LDR and DFR.

Does not model: solutions.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from avickit.lab.machine import Machine
from avickit.lessons.differences import differing, number, one_of, span
from avickit.lessons.exercise import Exercise
from avickit.manual.apic import MAP, Access, Dfr, Ldr
from avickit.manual.exits import IncompleteIpiInfo2, IpiFailure, NoAccelInfo1
from avickit.manual.tables import CLUSTER_ENTRIES, LogicalEntry

READ, WRITE = "read", "write"
TRAP, FAULT = "trap", "fault"
KICK, EMULATE, ERROR, CRASH = "kick", "emulate", "error", "crash"
OWED = {
    IpiFailure.INVALID_TYPE: EMULATE,
    IpiFailure.NOT_RUNNING: KICK,
    IpiFailure.INVALID_TARGET: EMULATE,
    IpiFailure.INVALID_PAGE: CRASH,
    IpiFailure.INVALID_VECTOR: ERROR,
}
FLAT, CLUSTER = 0xFFFF_FFFF, 0x0FFF_FFFF
MAPPED = 0x500
"""Where the notebook's map ends: an input beyond it could not be read with the map at hand."""


def noaccel_cases(random: Random) -> Iterator[tuple[int]]:
    """EXITINFO1 of an access that leaves the guest: a write that is a trap, or a read or write that is a fault."""
    leaves = [row for row in MAP if Access.FAULT in (row.read, row.write) or row.write is Access.TRAP]
    row = random.choice([row for row in leaves if row.offset < MAPPED])
    write = row.read is not Access.FAULT or random.random() < 0.5
    yield (NoAccelInfo1(WRITE=int(write), OFFSET=random.choice(row.offsets) >> 4).value,)


def noaccel_judge(case: tuple[Any, ...], got: Any) -> str:
    """Where, which way, and whether anything has happened yet. (H-EXIT-2, H-REG-2)"""
    info = NoAccelInfo1.raw(case[0])
    offset = number(got[0]) if isinstance(got, tuple) and len(got) == 3 else None
    if offset is None:
        return f"{got!r} is not (offset, {READ!r} or {WRITE!r}, {TRAP!r} or {FAULT!r})."
    if told := one_of(got[1], (READ, WRITE)) or one_of(got[2], (TRAP, FAULT)):
        return told
    if wrong := offset ^ info.offset:
        return f"the offset {offset:#x} differs in {span(wrong)}." if offset >= 0 else f"{offset} is no offset."
    if got[1] != (WRITE if info.WRITE else READ):
        return f"{got[1]!r}, but WRITE, bit 32, is {info.WRITE}."
    access = next(row.write if info.WRITE else row.read for row in MAP if offset in row.offsets)
    kind = FAULT if access is Access.FAULT else TRAP
    return "" if got[2] == kind else f"{got[2]!r}: the map has another letter for a {got[1]} at {offset:03X}h."


def incomplete_cases(random: Random) -> Iterator[tuple[int]]:
    """EXITINFO2 with each ID, and some index."""
    for failure in OWED:
        for _ in range(3):
            yield (IncompleteIpiInfo2(ID=int(failure), INDEX=random.randrange(255)).value,)


def incomplete_judge(case: tuple[Any, ...], got: Any) -> str:
    """What is left to do depends on how far the hardware got. (X5-1, X5-2, X5-3, H-IPI-6, H-IPI-7)"""
    failure = IpiFailure(IncompleteIpiInfo2.raw(case[0]).ID)
    done = "all IRR bits are set" if failure is IpiFailure.NOT_RUNNING else "no IRR bit is set"
    told = f"{got!r}, but the ID is {failure:d} ({failure.doc}); {done}."
    return one_of(got, (KICK, EMULATE, ERROR, CRASH)) or ("" if got == OWED[failure] else told)


def entries_cases(random: Random) -> Iterator[tuple[int, int, int]]:
    """DFR, LDR, APIC ID: both models, a logical ID of several bits, none."""
    yield from ((FLAT, 0x02000000, 2), (CLUSTER, 0x22000000, 2), (FLAT, 0x00000000, 2), (FLAT, 0x81000000, 0))
    for dfr in (FLAT, CLUSTER) * 3:
        logical = 1 << random.randrange(8) if dfr == FLAT else random.randrange(15) << 4 | random.randrange(1, 16)
        yield dfr, logical << 24, 2 * random.randrange(2)


def entries_judge(case: tuple[Any, ...], got: Any) -> str:
    """Have a guest write them, and compare with Xen's table. (X5-6, H-TAB-3)"""
    dfr, ldr, apic_id = case
    if not isinstance(got, Mapping) or not all(isinstance(index, int) for index in got):
        return f"{got!r} is not a dict from the index of a valid entry to its word."
    xen = Machine(cores=1, record=False).boot("svm=avic")
    domain = xen.create_domain(vcpus=2)
    vcpu = domain.vcpus[apic_id // 2]
    xen.run(vcpu, core=0)
    vcpu.guest.write("DFR", dfr)
    vcpu.guest.write("LDR", ldr)
    for index in sorted({*range(CLUSTER_ENTRIES), *got}):
        right = domain.logical_table[index] if index in range(CLUSTER_ENTRIES) else 0
        if told := differing(LogicalEntry, got.get(index, 0), right):
            return f"entry {index}: {told}"
    return ""


def named(case: tuple[Any, ...]) -> str:
    """An input of the third exercise."""
    model = "flat" if Dfr.MODEL.of(case[0]) == Dfr.MODEL.max else "cluster"
    return f"the {model} model, logical ID {Ldr.LOGICAL_ID.of(case[1]):02X}h, APIC ID {case[2]}"


NOACCEL = Exercise(
    "raw exit 402h",
    f"(offset, {READ!r} or {WRITE!r}, {TRAP!r} or {FAULT!r}): which register, which way, and how the guest left.",
    noaccel_cases,
    noaccel_judge,
    lambda case: f"exit 402h, EXITINFO1 {case[0]:#x}",
    value=True,
)
INCOMPLETE = Exercise(
    "raw exit 401h",
    f"return what Xen has to do after this EXITINFO2 of exit 401h: {KICK!r}, {EMULATE!r}, {ERROR!r} or {CRASH!r}.",
    incomplete_cases,
    incomplete_judge,
    lambda case: f"EXITINFO2 {case[0]:016X}h",
)
ENTRIES = Exercise(
    "logical entries",
    "return the valid entries of the logical table, a dict from index to 32-bit word, after a vCPU wrote DFR and LDR.",
    entries_cases,
    entries_judge,
    named,
)
