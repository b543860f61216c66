"""Answers to the exercises of notebook 12, as functions of the input."""

from avickit.lessons import e12_races as e12
from avickit.museum.catalogue import item
from tests.lessons.answers import Right, Wrong


def lost(*order: str) -> bool:
    return order.index("read IsRunning") < order.index("clear IsRunning") and order.index("read IRR") < order.index(
        "set IRR"
    )


def new(*names: str) -> set[str]:
    return {name for name in names if "B1" not in item(name).versions}


def other(defect: str) -> tuple[str, str]:
    return e12.CULPRITS["X22" if defect != "X22" else "X01"]


RIGHT: list[Right] = [(e12.LOST, lost), (e12.REVIEW, new), (e12.FIND, lambda defect: e12.CULPRITS[defect])]
WRONG: list[Wrong] = [
    (e12.LOST, lambda *order: order.index("read IRR") < order.index("set IRR"), "the target read IRR"),
    (e12.LOST, lambda *order: order.index("read IsRunning") < order.index("clear IsRunning"), "the sender read"),
    (e12.LOST, lambda *order: 1, "neither True nor False"),
    (e12.REVIEW, lambda *names: set(), "2 more are in B2 and not in B1"),
    (e12.REVIEW, lambda *names: set(names), "in both, or in B1 alone"),
    (e12.REVIEW, lambda *names: sorted(names), "not a set"),
    (e12.FIND, other, "another function and another thought"),
    (e12.FIND, lambda defect: e12.CULPRITS[defect][0], "is not (function, thought)"),
    (e12.FIND, lambda defect: ("main", "no full barrier"), "is not (function, thought)"),
]
