"""Answers to the exercises of notebook 01, as functions of the input."""

from avickit.lessons import e01_vmcb as e01
from tests.lessons.answers import Right, Wrong

HEEDED = ~(0xFF_0000_0000 | 1 << 20 | 0xF << 16 | 1 << 8)
BIT = {"VINTR": 3, "NP": 4, "N_CR3": 4, "TSC_OFFSET": 0, "ASID_TLB": 2}
AVIC = 11


def heeded(word: int) -> int:
    return word & HEEDED if word >> 31 & 1 else word


def left_clean(*changed: str) -> int:
    left = 0x1FFF
    for word in changed:
        left &= ~(1 << BIT.get(word, AVIC))
    return left


RIGHT: list[Right] = [
    (e01.ASLEEP, heeded),
    (e01.LIMIT, lambda address, vcpus: address | 2 * (vcpus - 1)),
    (e01.CLEAN, left_clean),
]
WRONG: list[Wrong] = [
    (e01.ASLEEP, lambda word: word & HEEDED, "bits 37:36, 32 (V_INTR_VECTOR)"),
    (e01.ASLEEP, lambda word: word, "(V_INTR_VECTOR)"),
    (e01.ASLEEP, lambda word: heeded(word) & ~0xF if word >> 31 & 1 else word, "(V_TPR)"),
    (e01.ASLEEP, lambda word: "asleep", "no value of VIntr"),
    (e01.LIMIT, lambda address, vcpus: address | vcpus, "(MAX_INDEX)"),
    (e01.LIMIT, lambda address, vcpus: address | 2 * vcpus & 0xFF, "(MAX_INDEX)"),
    (e01.LIMIT, lambda address, vcpus: address >> 12 | 2 * (vcpus - 1) << 52, "(ADDRESS)"),
    (e01.CLEAN, lambda *changed: 0x1FFF, "bit 11 (AVIC)"),
    (e01.CLEAN, lambda *changed: 0x1FFF & ~left_clean(*changed), "differs in bit 12 (CET)"),
    (e01.CLEAN, lambda *changed: left_clean(*changed) & ~(1 << 10), "bit 10 (LBR)"),
    (e01.CLEAN, lambda *changed: 1 << 64, "64 bits"),
]
