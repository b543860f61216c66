"""Answers to the exercises of notebook 10, as functions of the input."""

from collections import Counter
from typing import Any

from avickit.lessons import e10_statistics as e10
from tests.lessons.answers import Right, Wrong

NAMES = {0x320: "LVT_TIMER", 0x380: "TMICT", 0x280: "ESR", 0xD0: "LDR"}
Event = tuple[str, Any]


def counted(*events: Event) -> tuple[int, ...]:
    posted = len({which for what, which in events if what == "post"})
    return events.count(("ipi", "v2")), traps(events), posted, posted


def traps(events: tuple[Event, ...]) -> int:
    return sum(what == "write" and which != "TPR" for what, which in events)


def all_writes(*events: Event) -> tuple[int, ...]:
    one, _, *rest = counted(*events)
    return one, sum(what == "write" for what, _ in events), *rest


def all_ipis(*events: Event) -> tuple[int, ...]:
    _, *rest = counted(*events)
    return sum(what == "ipi" for what, _ in events), *rest


def each_post(*events: Event) -> tuple[int, ...]:
    posted = sum(what == "post" for what, _ in events)
    return (*counted(*events)[:2], posted, posted)


def register(*infos: int) -> str:
    return NAMES[Counter(info & 0xFF0 for info in infos).most_common(1)[0][0]]


def rarest(*infos: int) -> str:
    return NAMES[Counter(info & 0xFF0 for info in infos).most_common()[-1][0]]


RIGHT: list[Right] = [
    (e10.COUNTED, counted),
    (e10.BETWEEN, lambda first, second: second - first + (1 << 32)),
    (e10.REGISTER, register),
]
WRONG: list[Wrong] = [
    (e10.COUNTED, all_writes, "another number in noaccel"),
    (e10.COUNTED, all_ipis, "another number in incomp_ipi"),
    (e10.COUNTED, each_post, "another number in post_intr, doorbell"),
    (e10.COUNTED, lambda *events: len(events), "four whole numbers"),
    (e10.BETWEEN, lambda first, second: second - first, "only counts up"),
    (e10.BETWEEN, lambda first, second: second - first + (1 << 32) - 1, "the counter would show"),
    (e10.BETWEEN, lambda first, second: second - first + (1 << 33), "more than once around"),
    (e10.BETWEEN, lambda first, second: "many", "no number of exits"),
    (e10.REGISTER, rarest, "of these 7 exits"),
    (e10.REGISTER, lambda *infos: infos[0] & 0xFF0, "not one of the registers"),
    (e10.REGISTER, lambda *infos: "TPR", "not one of the registers"),
]
