"""Answers to the tour's exercises, as functions of the input."""

from typing import Any

from avickit.lessons import e00_tour as tour
from avickit.manual.icr import ICRH, ICRL
from tests.lessons.answers import Right, Wrong


def right_outcome(entry: int) -> str:
    if not entry >> 63:
        return "exit ID 2"
    return "doorbell" if entry >> 62 & 1 else "exit ID 1"


def typed(apic_id: int, vector: int) -> Any:
    return ICRH(DESTINATION=apic_id), ICRL(VECTOR=vector)


RIGHT: list[Right] = [
    (tour.ICR, lambda apic_id, vector: (apic_id << 24, vector)),
    (tour.ICR, typed),
    (tour.WHERE, lambda vector: (0x200 + vector // 32 * 0x10, vector % 32)),
    (tour.OUTCOME, right_outcome),
]
WRONG: list[Wrong] = [
    (tour.ICR, lambda i, v: (i, v), "vector 41h to APIC ID 2: d1v0 took 41h"),
    (tour.ICR, lambda i, v: (i << 24, v ^ 1), "d1v1 took 40h"),
    (tour.ICR, lambda i, v: (0xFF << 24, v), "d1v0 took 41h and d1v1 took 41h"),
    (tour.ICR, lambda i, v: (i << 24, v | 1 << 15), "hardware did not do it alone"),
    (tour.ICR, lambda i, v: (7 << 24, v), "AVIC_INCOMPLETE_IPI"),
    (tour.ICR, lambda i, v: (i << 56, v), "two values of 32 bits"),
    (tour.ICR, lambda i, v: v, "two values of 32 bits"),
    (tour.ICR, lambda i, v: (True, v), "two values of 32 bits"),
    (tour.WHERE, lambda v: (0x100 + v // 32 * 0x10, v % 32), "no bit of IRR"),
    (tour.WHERE, lambda v: (0x200 + v // 32 * 4, v % 32), "no bit of IRR"),
    (tour.WHERE, lambda v: (0x200 + v // 32 * 0x10, 31 - v % 32), "is vector 5Eh"),
    (tour.WHERE, lambda v: "200h", "not (offset, bit)"),
    (tour.OUTCOME, lambda e: "doorbell" if e >> 62 & 1 else "exit ID 1", "VALID is 0, IS_RUNNING is 1"),
    (tour.OUTCOME, lambda e: "doorbell" if e & 0xFFF else "exit ID 2", "IS_RUNNING is 0"),
    (tour.OUTCOME, lambda e: "lost", "not one of"),
]
