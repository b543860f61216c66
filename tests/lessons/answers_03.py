"""Answers to the exercises of notebook 03, as functions of the input."""

from avickit.lessons import e03_static as e03
from tests.lessons.answers import Right, Wrong

DIVISOR = {0: 2, 1: 4, 2: 8, 3: 16, 8: 32, 9: 64, 10: 128, 11: 1}


def linked(file: str, name: str, symbols: e03.Symbols) -> str:
    if name not in symbols:
        return "missing"
    home, static = symbols[name]
    return "static" if static and home != file else "links"


def ordered(patches: e03.Patches) -> list[str]:
    left, there, found = dict(patches), set[str](), list[str]()
    while left:
        name = next(n for n, (needs, _) in left.items() if set(needs) <= there)
        there |= set(left.pop(name)[1])
        found.append(name)
    return found


RIGHT: list[Right] = [
    (e03.LINK, linked),
    (e03.ORDER, ordered),
    (e03.COUNT, lambda start, divide, passed: start - passed // (10 * DIVISOR[divide])),
]
WRONG: list[Wrong] = [
    (e03.LINK, lambda file, name, symbols: "links" if name in symbols else "missing", "static"),
    (e03.LINK, lambda file, name, symbols: "static" if symbols.get(name, ("", 0))[1] else "links", "but"),
    (e03.LINK, lambda file, name, symbols: "maybe", "not one of"),
    (e03.ORDER, list, "does not build"),
    (e03.ORDER, sorted, "does not build"),
    (e03.ORDER, lambda patches: ordered(patches)[:-1], "does not name each"),
    (e03.COUNT, lambda start, divide, passed: start - passed // (10 * DIVISOR[divide]) + 1, "each step"),
    (e03.COUNT, lambda start, divide, passed: passed // (10 * DIVISOR[divide]), "would have taken"),
    (e03.COUNT, lambda start, divide, passed: start, "the timer has counted"),
    (e03.COUNT, lambda start, divide, passed: -1, "not run out"),
    (e03.COUNT, lambda start, divide, passed: start - passed / (10 * DIVISOR[divide]), "no value of Tmcct"),
]
