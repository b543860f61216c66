"""The exercises of notebook 04: an entry as it is written, a page that is not the mapped one, an entry read back.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from avickit.lab.host_store import NestedLeaf
from avickit.lessons.differences import differing, number, numbers
from avickit.lessons.exercise import Exercise
from avickit.manual.tables import PhysicalEntry

FAULT = "fault"
PAGES = 1 << 24


def entry_cases(random: Random) -> Iterator[tuple[int]]:
    """Addresses of backing pages."""
    yield from ((0x6000,), (0xF_FFFF_FFFF_F000,))
    yield from ((random.randrange(1, PAGES) << 12,) for _ in range(8))


def entry_judge(case: tuple[Any, ...], got: Any) -> str:
    """Valid, not running, and where the page is. (X4-4, H-TAB-1)"""
    return differing(PhysicalEntry, got, PhysicalEntry(VALID=1, BACKING_PAGE=case[0] >> 12))


def reached_cases(random: Random) -> Iterator[tuple[int, int]]:
    """A leaf of the nested page table, and the number of the backing page."""
    for present, writable in ((1, 1), (1, 0), (0, 1), (0, 0)):
        for _ in range(4):
            leaf = NestedLeaf(ADDRESS=random.randrange(1, PAGES), PRESENT=present, WRITABLE=writable, USER=1)
            yield leaf.value, random.randrange(1, PAGES)


def reached_judge(case: tuple[Any, ...], got: Any) -> str:
    """Read and write must be granted; the address is ignored. (H-REG-9)"""
    leaf, page = NestedLeaf.raw(case[0]), case[1]
    if got != FAULT and number(got) is None:
        return f"{got!r} is neither a page number nor {FAULT!r}."
    if not (leaf.PRESENT and leaf.WRITABLE):
        return "" if got == FAULT else f"{got!r}, but PRESENT is {leaf.PRESENT}, WRITABLE is {leaf.WRITABLE}."
    if got == FAULT:
        return f"{got!r}, but the mapping grants read and write."
    return "" if number(got) == page else f"page {number(got):#x} is not the one that the VMCB names."


def read_cases(random: Random) -> Iterator[tuple[int, int]]:
    """An index of the physical table and the entry there."""
    entry = PhysicalEntry(
        VALID=1, IS_RUNNING=1, BACKING_PAGE=random.randrange(0x100, PAGES), HOST_APIC_ID=random.randrange(1, 32)
    )
    yield 2 * random.randrange(1, 128), entry.value


def read_judge(case: tuple[Any, ...], got: Any) -> str:
    """Whose entry, and which page. (X0-1, H-TAB-1)"""
    index, entry = case
    pair = numbers(got, 2)
    if pair is None:
        return f"{got!r} is not (vcpu, page), two whole numbers."
    if pair[0] != index // 2:
        return f"vCPU {pair[0]} has the APIC ID {2 * pair[0]}, and this is entry {index}."
    wrong = differing(PhysicalEntry, entry & ~PhysicalEntry.BACKING_PAGE.mask | pair[1] << 12, entry)
    return f"with this page number the entry would be another: {wrong}" if wrong else ""


ENTRY = Exercise(
    "entry",
    "return the entry that svm_avic_init_vmcb writes for a backing page at this address.",
    entry_cases,
    entry_judge,
    lambda case: f"a page at {case[0]:#x}",
)
REACHED = Exercise(
    "reached",
    f"return the number of the page that a guest's write to its APIC reaches, or {FAULT!r} for a nested page fault.",
    reached_cases,
    reached_judge,
    lambda case: f"leaf {case[0]:#x}, AVIC_BACKING_PAGE {case[1]:#x}",
)
READ = Exercise(
    "read",
    "(vcpu, page): the number of the vCPU whose entry this is, and the number of its backing page.",
    read_cases,
    read_judge,
    lambda case: f"entry {case[0]} of the physical table is {case[1]:016X}h",
    value=True,
)
