"""The exercises of notebook 01: what the core ignores, the word that limits the table, the clean bits to clear.

Does not model: solutions.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from avickit.lessons.differences import differing
from avickit.lessons.exercise import Exercise
from avickit.manual.vmcb import AVIC_IGNORES, CLEAN_COVERS, VMCB_NAMES, CleanBits, PhysicalTablePointer, VIntr

ALL_CLEAN = sum(field.mask for field in CleanBits.fields.values())
WORDS = ("APIC_BAR", "BACKING_PAGE", "LOGICAL_TABLE", "PHYSICAL_TABLE")
OTHERS = ("VINTR", "NP", "N_CR3", "TSC_OFFSET", "ASID_TLB")
MOST_VCPUS = 128


def asleep_cases(random: Random) -> Iterator[tuple[int]]:
    """Words of vintr with and without AVIC, all old fields set in some."""
    loud = VIntr(V_IRQ=1, V_INTR_PRIO=15, V_IGN_TPR=1, V_INTR_VECTOR=0x31, V_TPR=2, V_INTR_MASKING=1)
    yield from ((loud.value,), (loud.replace(AVIC_ENABLE=1).value,))
    for _ in range(14):
        names = ("V_IRQ", "V_IGN_TPR", "V_INTR_MASKING", "VGIF_ENABLE", "VGIF", "AVIC_ENABLE")
        bits = {name: random.randrange(2) for name in names}
        numbers = {name: random.randrange(16) for name in ("V_INTR_PRIO", "V_TPR")}
        yield (VIntr(V_INTR_VECTOR=random.randrange(16, 256), **bits, **numbers).value,)


def asleep_judge(case: tuple[Any, ...], got: Any) -> str:
    """Only the four fields, and only with AVIC. (H-VMCB-2, X1-2)"""
    seen = VIntr(case[0])
    return differing(VIntr, got, seen.replace(**dict.fromkeys(AVIC_IGNORES, 0)) if seen.AVIC_ENABLE else seen)


def limit_cases(random: Random) -> Iterator[tuple[int, int]]:
    """Address of the table and number of virtual CPUs."""
    yield from ((0x4000, 2), (0x4000, 1), (0xF_FFFF_F000, MOST_VCPUS))
    yield from ((random.randrange(1, 1 << 24) << 12, random.randrange(1, MOST_VCPUS + 1)) for _ in range(9))


def limit_judge(case: tuple[Any, ...], got: Any) -> str:
    """The pointer and the largest APIC ID in one word. (H-VMCB-14, X4-4)"""
    address, vcpus = case
    return differing(PhysicalTablePointer, got, PhysicalTablePointer(ADDRESS=address >> 12, MAX_INDEX=2 * (vcpus - 1)))


def clean_cases(random: Random) -> Iterator[tuple[str, ...]]:
    """Some words of the VMCB that were changed, one of AVIC's among them."""
    yield (random.choice(WORDS), *random.sample(OTHERS, 2))


def clean_judge(case: tuple[Any, ...], got: Any) -> str:
    """All clean but for the words that changed. (H-VMCB-11)"""
    offsets = {offset for offset, name in VMCB_NAMES.items() if name in case}
    changed = sum(CleanBits.fields[name].mask for name, words in CLEAN_COVERS.items() if offsets & set(words))
    return differing(CleanBits, got, ALL_CLEAN & ~changed)


ASLEEP = Exercise(
    "asleep",
    "return the word of vintr as the core heeds it: with AVIC on, the fields that it ignores are 0.",
    asleep_cases,
    asleep_judge,
    lambda case: f"vintr {case[0]:#x}",
)
LIMIT = Exercise(
    "limit",
    "return the word at 0F8h: where the physical table is, and the largest APIC ID in it.",
    limit_cases,
    limit_judge,
    lambda case: f"a table at {case[0]:#x} and {case[1]} vCPU{'s' if case[1] > 1 else ''}",
)
CLEAN = Exercise(
    "clean",
    "the clean bits that software has to leave: 1 for what did not change, 0 for what did.",
    clean_cases,
    clean_judge,
    lambda case: f"all clean bits are 1 ({ALL_CLEAN:#x}); software changes {', '.join(case)}",
    value=True,
)
