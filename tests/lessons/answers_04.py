"""Answers to the exercises of notebook 04, as functions of the input."""

from typing import Any

from avickit.lessons import e04_init as e04
from tests.lessons.answers import Right, Wrong

ADDRESS = 0xF_FFFF_FFFF_F000


def reached(leaf: int, page: int) -> Any:
    return page if leaf & 0b11 == 0b11 else "fault"


RIGHT: list[Right] = [
    (e04.ENTRY, lambda address: 1 << 63 | address),
    (e04.REACHED, reached),
    (e04.READ, lambda index, entry: (index // 2, (entry & ADDRESS) >> 12)),
]
WRONG: list[Wrong] = [
    (e04.ENTRY, lambda address: address, "bit 63 (VALID)"),
    (e04.ENTRY, lambda address: 0b11 << 62 | address, "bit 62 (IS_RUNNING)"),
    (e04.ENTRY, lambda address: 1 << 63 | address >> 12, "(BACKING_PAGE)"),
    (e04.REACHED, lambda leaf, page: (leaf & ADDRESS) >> 12 if leaf & 0b11 == 0b11 else "fault", "the VMCB names"),
    (e04.REACHED, lambda leaf, page: page if leaf & 1 else "fault", "WRITABLE is 0"),
    (e04.REACHED, lambda leaf, page: "fault", "grants read and write"),
    (e04.REACHED, lambda leaf, page: "page", "neither a page number"),
    (e04.READ, lambda index, entry: (index, (entry & ADDRESS) >> 12), "and this is entry"),
    (e04.READ, lambda index, entry: (index // 2, entry & ADDRESS), "would be another"),
    (e04.READ, lambda index, entry: (index // 2, (entry >> 12) & 0xFF), "(BACKING_PAGE)"),
    (e04.READ, lambda index, entry: index // 2, "two whole numbers"),
]
