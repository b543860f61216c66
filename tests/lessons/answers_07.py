"""Answers to the exercises of notebook 07, as functions of the input."""

from typing import Any

from avickit.lessons import e07_interrupts as e07
from tests.lessons.answers import Right, Wrong


def told(avic: bool, pending: tuple[int, ...], vector: int, runs_on: int | None, core: int) -> Any:
    if vector in pending:
        return "nothing"
    return "doorbell" if avic and runs_on not in (None, core) else "kick"


def told_again(avic: bool, pending: tuple[int, ...], vector: int, runs_on: int | None, core: int) -> Any:
    return "doorbell" if avic and runs_on not in (None, core) else "kick"


def told_a_sleeper(avic: bool, pending: tuple[int, ...], vector: int, runs_on: int | None, core: int) -> Any:
    return "nothing" if vector in pending else "doorbell" if avic else "kick"


def starves(source: str, flag: int, shadow: int, vector: int) -> Any:
    return source != "LAPIC" and (shadow == 1 or (flag == 0 and source != "NMI"))


def window(writes: int) -> Any:
    m = e07.sleeper(writes)
    inside = range(m.trace.commands[-1].first + 1, len(m.trace))
    found = [n for n in inside if e07.lost(m, n)]
    return found[0], found[-1]


def shifted(first: int, last: int) -> Any:
    return lambda writes: (window(writes)[0] + first, window(writes)[1] + last)


RIGHT: list[Right] = [(e07.TOLD, told), (e07.STARVES, starves), (e07.WINDOW, window)]
WRONG: list[Wrong] = [
    (e07.TOLD, told_again, "already pending"),
    (e07.TOLD, told_a_sleeper, "it runs nowhere"),
    (e07.TOLD, lambda avic, pending, vector, runs_on, core: "kick", "it runs on another core"),
    (e07.TOLD, lambda *case: "IPI", "is not one of"),
    (e07.STARVES, lambda source, flag, shadow, vector: False, "has not taken it"),
    (e07.STARVES, lambda source, flag, shadow, vector: shadow == 1 or flag == 0, "has taken it"),
    (e07.STARVES, lambda source, flag, shadow, vector: flag == 0 and source in ("callback", "ExtINT"), "not taken it"),
    (e07.STARVES, lambda source, flag, shadow, vector: source, "neither True nor False"),
    (e07.WINDOW, shifted(-1, 0), "(first) is not lost"),
    (e07.WINDOW, shifted(0, 1), "is not"),
    (e07.WINDOW, shifted(1, 0), "too narrow"),
    (e07.WINDOW, shifted(0, -1), "too narrow"),
    (e07.WINDOW, lambda writes: window(writes)[0], "two numbers of beats"),
]
