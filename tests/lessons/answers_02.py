"""Answers to the exercises of notebook 02, as functions of the input."""

from collections.abc import Callable

from avickit.lessons import e02_rename as e02
from tests.lessons.answers import Right, Wrong

Works = Callable[[int], bool]


def bisected(works: Works) -> int:
    good, bad = 0, 10
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if works(middle) else (good, middle)
    return bad


def one_by_one(works: Works) -> int:
    return next(n for n in range(1, 11) if not works(n))


def review(before: str, after: str) -> str:
    head, _, tail = before.partition("vlapic_read_aligned")
    new_head, _, new_tail = after.partition("vlapic_reg_read")
    return "renames" if head == new_head and tail.split(",")[1:] == new_tail.split(",")[1:] else "changes"


def only_behind_the_comma(before: str, after: str) -> str:
    return "renames" if before.split(",")[1:] == after.split(",")[1:] else "changes"


RIGHT: list[Right] = [
    (e02.PPR, lambda tpr, isrv: tpr if tpr >> 4 >= isrv >> 4 else isrv & 0xF0),
    (e02.BISECT, bisected),
    (e02.REVIEW, review),
]
WRONG: list[Wrong] = [
    (e02.PPR, max, "bit 0 (SUBCLASS)"),
    (e02.PPR, lambda tpr, isrv: tpr if tpr >= isrv else isrv & 0xF0, "differs in"),
    (e02.PPR, lambda tpr, isrv: isrv & 0xF0, "bit 5 (PRIORITY)"),
    (e02.BISECT, one_by_one, "4 are enough"),
    (e02.BISECT, lambda works: bisected(works) % 10 + 1, "is not the first"),
    (e02.BISECT, lambda works: 11, "is no patch"),
    (e02.REVIEW, lambda before, after: "renames", "something else changed"),
    (e02.REVIEW, lambda before, after: "changes", "is the same"),
    (e02.REVIEW, only_behind_the_comma, "something else changed"),
    (e02.REVIEW, lambda before, after: True, "not one of"),
]
