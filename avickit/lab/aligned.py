"""Two traces laid side by side, step by step of their programs, and the first step in which they differ.

Steps are matched by what the program does, never by beats, so that one side may take many more beats for a step (an
emulated path) and the next steps still stand beside each other. Within a step beats are matched the same way. Does not
model: programs of different length in any clever way; what only one side does stands alone.
"""

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import Any, NamedTuple

from avickit.lab import names
from avickit.lab.steps import Step, steps_of
from avickit.lab.trace import Trace
from avickit.lab.words import say

STRONG = ("guest", "exits", "outcome")
"""Differences that are looked for first: what a guest notices, its #VMEXITs, how vCPUs stand afterwards."""
WEAK = ("doorbells", "console", "program", "beats")
"""And those that matter if there is no other. `program` is a step that only one side has."""


class Pair(NamedTuple):
    """A step of both sides, or of one where the other has none; `kinds` says in what they differ."""

    number: int
    left: Step | None
    right: Step | None
    kinds: tuple[str, ...]

    @property
    def text(self) -> str:
        """The step in words; both, if it is not the same on both sides."""
        texts = [step.text for step in (self.left, self.right) if step is not None]
        return texts[0] if len(set(texts)) == 1 else " | ".join(texts)


class BeatPair(NamedTuple):
    """The numbers of two beats that stand beside each other, None where a side has none; `same` if they are alike."""

    left: int | None
    right: int | None
    same: bool


def align(left: Trace, right: Trace) -> list[Pair]:
    """Lay two traces side by side. Raises AvicError for one that is not complete."""
    one, other = steps_of(left), steps_of(right)
    pairs = []
    for number, (i, j) in enumerate(matched([s.key for s in one], [s.key for s in other]), 1):
        a, b = None if i is None else one[i], None if j is None else other[j]
        pairs.append(Pair(number, a, b, differences(left, a, right, b)))
    return pairs


def matched(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int | None, int | None]]:
    """Which entries of two lists stand beside each other: equal ones; None where one side has nothing.

    >>> matched("abxc", "abc")
    [(0, 0), (1, 1), (2, None), (3, 2)]
    """
    head = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    found: list[tuple[int | None, int | None]] = [(n, n) for n in range(head)]
    a, b = one[head:], other[head:]
    for _, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes() if a or b else ():
        if a[i1:i2] == b[j1:j2]:
            found += [(head + i, head + j) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)]
        else:
            found += [(head + i, None) for i in range(i1, i2)]
            found += [(None, head + j) for j in range(j1, j2)]
    return found


def differences(left: Trace, a: Step | None, right: Trace, b: Step | None) -> tuple[str, ...]:
    """In what a step differs. How Xen was booted is given, so what it prints then is no difference."""
    if a is None or b is None:
        return ("program",)
    told = {
        "guest": (a.by_vcpu(), b.by_vcpu()),
        "exits": (a.exits_by_vcpu(), b.exits_by_vcpu()),
        "outcome": (a.outcome, b.outcome),
        "doorbells": ([d.say for d in a.doorbells], [d.say for d in b.doorbells]),
        "console": (a.console, b.console) if a.text == b.text else (None, None),
        "beats": (len(a.beats), len(b.beats))
        if len(a.beats) != len(b.beats)
        else (beat_keys(left, a), beat_keys(right, b)),
    }
    return tuple(kind for kind in (*STRONG, *WEAK) if kind in told and told[kind][0] != told[kind][1])


def first_of(pairs: Sequence[Pair]) -> int | None:
    """The index of the first pair that differs in what is `STRONG`, else of the first that differs at all."""
    for kinds in (STRONG, WEAK):
        for index, pair in enumerate(pairs):
            if any(kind in kinds for kind in pair.kinds):
                return index
    return None


def beat_keys(trace: Trace, step: Step) -> list[Hashable]:
    """The keys of all beats of a step."""
    return [beat_key(trace, n) for n in step.beats]


def beat_key(trace: Trace, n: int) -> Hashable:
    """What makes two beats the same: who does what where, its sentence, the bits it changes. Never when."""
    raw = trace.raw[n - 1]
    site, place, old, new, _, actor = raw
    bits: Any = old ^ new if isinstance(old, int) and isinstance(new, int) else None
    return site, actor, names.long(trace.world, place), say(trace.world, raw), bits


def beat_pairs(left: Trace, right: Trace, pair: Pair) -> list[BeatPair]:
    """The beats of a step side by side; where the sides do different things, they face each other one by one."""
    one, other = pair.left.beats if pair.left else [], pair.right.beats if pair.right else []
    keys = [beat_key(left, n) for n in one], [beat_key(right, n) for n in other]
    found: list[BeatPair] = []
    for same, group in groupby(matched(*keys), key=lambda ij: None not in ij):
        numbers = list(group)
        mine = [one[i] for i, _ in numbers if i is not None]
        theirs = [other[j] for _, j in numbers if j is not None]
        found += [BeatPair(a, b, same) for a, b in zip_longest(mine, theirs)]
    return found


def first_beats(left: Trace, right: Trace, pair: Pair) -> tuple[int | None, int | None]:
    """The first beats of a step that are not the same; None where a side has none to set against the other's."""
    found = beat_pairs(left, right, pair)
    return next(((a, b) for a, b, same in found if not same), (None, None))
