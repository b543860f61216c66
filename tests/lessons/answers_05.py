"""Answers to the exercises of notebook 05, as functions of the input."""

from avickit.lessons import e05_exits as e05
from tests.lessons.answers import Right, Wrong

TRAPS = {0x20, 0xC0, 0xD0, 0xE0, 0xF0, 0x280, *range(0x320, 0x390, 0x10), 0x3E0}
OWED = ["emulate", "kick", "emulate", "crash", "error"]


def decoded(info1: int) -> tuple[int, str, str]:
    offset, write = info1 & 0xFF0, info1 >> 32
    return offset, "write" if write else "read", "trap" if write and offset in TRAPS else "fault"


def turned(info1: int) -> tuple[int, str, str]:
    offset, way, left = decoded(info1)
    return offset, {"read": "write", "write": "read"}[way], left


def other(info1: int) -> tuple[int, str, str]:
    offset, way, left = decoded(info1)
    return offset, way, {"trap": "fault", "fault": "trap"}[left]


def entries(dfr: int, ldr: int, apic_id: int) -> dict[int, int]:
    logical, word = ldr >> 24, 1 << 31 | apic_id
    if dfr >> 28 == 0xF:
        return {bit: word for bit in range(8) if logical >> bit & 1}
    return {4 * (logical >> 4) + bit: word for bit in range(4) if logical >> bit & 1}


RIGHT: list[Right] = [
    (e05.NOACCEL, decoded),
    (e05.INCOMPLETE, lambda info2: OWED[info2 >> 32]),
    (e05.ENTRIES, entries),
]
WRONG: list[Wrong] = [
    (e05.NOACCEL, lambda info1: (decoded(info1)[0] >> 4, *decoded(info1)[1:]), "differs in bit"),
    (e05.NOACCEL, turned, "but WRITE, bit 32, is"),
    (e05.NOACCEL, other, "another letter"),
    (e05.NOACCEL, lambda info1: (decoded(info1)[0], "load", "trap"), "not one of"),
    (e05.NOACCEL, lambda info1: decoded(info1)[0], "is not (offset"),
    (e05.NOACCEL, lambda info1: (-16, "read", "trap"), "no offset"),
    (e05.INCOMPLETE, lambda info2: "emulate", "all IRR bits are set"),
    (e05.INCOMPLETE, lambda info2: OWED[info2 & 3], "but the ID is"),
    (e05.INCOMPLETE, lambda info2: "kick" if info2 >> 32 == 2 else OWED[info2 >> 32], "no IRR bit is set"),
    (e05.INCOMPLETE, lambda info2: "ignore", "not one of"),
    (e05.ENTRIES, lambda dfr, ldr, apic_id: entries(0xFFFF_FFFF, ldr, apic_id), "entry 1"),
    (e05.ENTRIES, lambda dfr, ldr, apic_id: dict.fromkeys(entries(dfr, ldr, apic_id), apic_id), "bit 31 (VALID)"),
    (
        e05.ENTRIES,
        lambda dfr, ldr, apic_id: dict.fromkeys(entries(dfr, ldr, apic_id), 1 << 31 | apic_id // 2),
        "APIC_ID",
    ),
    (e05.ENTRIES, lambda dfr, ldr, apic_id: dict(list(entries(dfr, ldr, apic_id).items())[:1]), "(VALID)"),
    (e05.ENTRIES, lambda dfr, ldr, apic_id: [0x8000_0002], "is not a dict"),
]
