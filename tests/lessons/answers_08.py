"""Answers to the exercises of notebook 08, as functions of the input."""

from typing import Any

from avickit.lessons import e08_hooks as e08
from tests.lessons.answers import Right, Wrong


def acks(patches: int, avic: bool, sleeps: bool, vector: int) -> Any:
    return "hardware" if avic and (patches >= 8 or (patches == 7 and not sleeps)) else "software"


def since(patch: int) -> Any:
    return lambda patches, avic, sleeps, vector: "hardware" if avic and patches >= patch else "software"


def assist(avic: bool, source: str, vector: int, tick: int | None) -> Any:
    return not (avic and source == "LAPIC"), tick is not None


def vmrun(injected: int, pending: tuple[int, ...], in_service: int) -> Any:
    highest = max(pending)
    return (injected, highest) if highest >> 4 > in_service >> 4 else (injected,)


RIGHT: list[Right] = [(e08.ACKS, acks), (e08.ASSIST, assist), (e08.VMRUN, vmrun)]
WRONG: list[Wrong] = [
    (e08.ACKS, lambda patches, avic, sleeps, vector: "hardware", "neither IRR nor ISR"),
    (
        e08.ACKS,
        lambda patches, avic, sleeps, vector: "hardware" if avic and patches > 6 else "software",
        "Xen comes by",
    ),
    (
        e08.ACKS,
        lambda patches, avic, sleeps, vector: "hardware" if avic and patches > 7 else "software",
        "does not come",
    ),
    (e08.ACKS, lambda patches, avic, sleeps, vector: patches, "is not one of"),
    (e08.ASSIST, lambda avic, source, vector, tick: (True, tick is not None), "runs twice"),
    (e08.ASSIST, lambda avic, source, vector, tick: (not avic, tick is not None), "no bit in IRR"),
    (
        e08.ASSIST,
        lambda avic, source, vector, tick: (inject := assist(avic, source, vector, tick)[0], inject),
        "no tick",
    ),
    (e08.ASSIST, lambda avic, source, vector, tick: (assist(avic, source, vector, tick)[0], False), "ticks no more"),
    (
        e08.ASSIST,
        lambda avic, source, vector, tick: (assist(avic, source, vector, tick)[0], tick == vector),
        "CALLBACK",
    ),
    (e08.ASSIST, lambda avic, source, vector, tick: True, "two truth values"),
    (e08.VMRUN, lambda injected, pending, in_service: (injected,), "takes more"),
    (e08.VMRUN, lambda injected, pending, in_service: (max(pending), injected), "first"),
    (e08.VMRUN, lambda injected, pending, in_service: (injected, *sorted(pending, reverse=True)), "takes less"),
    (e08.VMRUN, lambda injected, pending, in_service: (injected, in_service), "then"),
    (e08.VMRUN, lambda injected, pending, in_service: injected, "no tuple"),
]
