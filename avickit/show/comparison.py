"""What there is to see of a comparison, before anybody draws it: lines of steps, sums, the verdict in words.

Text, HTML and the live view draw the same lines. Does not model: looks (see `compare_text`, `compare_html`); how steps
are matched (`lab.aligned`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from avickit.lab.aligned import STRONG, Pair, first_beats, first_of
from avickit.lab.steps import Step
from avickit.lab.trace import Trace
from avickit.manual.exits import exit_name

MEASURES = ("exits", "doorbells", "beats")
SHOWN = {"guest": "what a guest notices", "exits": "exits", "outcome": "how a vCPU stands afterwards"}
SHOWN |= {"doorbells": "doorbells", "console": "the console", "program": "the program", "beats": "beats"}
"""How a kind of difference is called."""
TOLD_KINDS = {*STRONG, "doorbells", "console", "program"}
"""Differences that keep a step from being folded: all but mere beats."""
MOST_LINES = 24
"""So many lines of a comparison are shown; all steps are counted."""
MOST_NOTES = 6
"""And so many things that came of a step."""
MOST_TEXT = 120
"""And so much of its name."""
NOTHING = "Only the other side has a beat here."
FOLD_FROM = 2
"""Fewer steps that are alike are not folded."""


class Line(NamedTuple):
    """One line: a step, or several that are alike folded into one. `came` is what came of it on each side.

    `counts` has for each of `MEASURES` both sides' numbers.
    """

    lead: str
    text: str
    came: tuple[str, str]
    counts: tuple[tuple[int, int], ...]
    kinds: tuple[str, ...]
    first: bool
    number: int


@dataclass(frozen=True)
class Comparison:
    """Two traces laid side by side, ready to be drawn. Steps before the number `since` are neither told nor counted."""

    left: Trace
    right: Trace
    names: tuple[str, str]
    aligned: Sequence[Pair]
    since: int = 1

    @property
    def pairs(self) -> Sequence[Pair]:
        """The steps that are compared."""
        return self.aligned[self.since - 1 :]

    @property
    def first(self) -> Pair | None:
        """The first step that differs."""
        index = first_of(self.pairs)
        return None if index is None else self.pairs[index]

    @property
    def first_beats(self) -> tuple[int | None, int | None]:
        """The beats with which the first difference begins, one of each side."""
        return first_beats(self.left, self.right, self.first) if self.first else (None, None)

    def lines(self) -> list[Line]:
        """A line for each step; steps that are alike and follow each other folded into one."""
        found: list[Line] = []
        for told, group in groupby(self.pairs, key=self.is_told):
            run = list(group)
            found += [self.line(pair) for pair in run] if told or len(run) < FOLD_FROM else [self.folded(run)]
        return found

    def is_told(self, pair: Pair) -> bool:
        """Whether a step has a line of its own."""
        return bool(TOLD_KINDS.intersection(pair.kinds)) or pair == self.first

    def line(self, pair: Pair) -> Line:
        """The line of one step."""
        came = came_of(pair.left), came_of(pair.right)
        text = cut(pair.text) if pair.left and pair.right and pair.left.text == pair.right.text else self.either(pair)
        return Line(str(pair.number), text, came, counts([pair]), pair.kinds, pair == self.first, pair.number)

    def either(self, pair: Pair) -> str:
        """The name of a step that is not the same on both sides."""
        if pair.left and pair.right:
            return cut(pair.left.text.partition(" with ")[0])
        name = self.names[0] if pair.left else self.names[1]
        return f"{cut(pair.text)} (only {name})"

    def folded(self, run: Sequence[Pair]) -> Line:
        """One line for several steps."""
        ends = [self.line(pair).text for pair in (run[0], run[-1])]
        lead = f"{run[0].number}-{run[-1].number}"
        return Line(
            lead, f"{len(run)} steps alike: {' ... '.join(ends)}", ("", ""), counts(run), (), False, run[0].number
        )

    def quiet(self) -> list[Line]:
        """The lines that `lines` folds away."""
        found: list[Line] = []
        for told, group in groupby(self.pairs, key=self.is_told):
            run = list(group)
            found += [self.line(pair) for pair in run] if not told and len(run) >= FOLD_FROM else []
        return found

    def total(self) -> Line:
        """The sums of all steps."""
        return Line("", "all", ("", ""), counts(self.pairs), (), False, 0)

    def by_code(self) -> list[tuple[str, str, int, int]]:
        """Each kind of exit: name, meaning, how often on each side."""
        tallies = [Counter(e.code for step in side(self.pairs, which) for _, e in step.exits) for which in (0, 1)]
        codes = sorted({*tallies[0], *tallies[1]}, key=int)
        return [(exit_name(int(c)), getattr(c, "doc", ""), tallies[0][c], tallies[1][c]) for c in codes]

    def verdict(self) -> str:
        """The comparison in one sentence."""
        steps = f"{len(self.pairs)} step{'s' if len(self.pairs) != 1 else ''}"
        if self.first is None:
            return f"No difference in {steps}."
        kinds = [SHOWN[kind] for kind in self.first.kinds if kind in STRONG] or [SHOWN[self.first.kinds[0]]]
        where = f"step {self.line(self.first).lead}, {self.line(self.first).text}"
        if any(kind in STRONG for kind in self.first.kinds):
            return f"First difference: {where}. It shows in {' and '.join(kinds)}."
        return f"Guests, exits and outcome are alike in {steps}. The first difference is in {kinds[0]}: {where}."


def cut(text: str) -> str:
    """A name that is not too long."""
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 3]}..."


def side(pairs: Sequence[Pair], which: int) -> Iterator[Step]:
    """The steps of one side."""
    return (step for pair in pairs if (step := (pair.left, pair.right)[which]) is not None)


def counts(pairs: Sequence[Pair]) -> tuple[tuple[int, int], ...]:
    """Exits, doorbells and beats of some steps, on both sides."""
    sums = [
        (sum(len(s.exits) for s in steps), sum(len(s.doorbells) for s in steps), sum(len(s.beats) for s in steps))
        for steps in (list(side(pairs, which)) for which in (0, 1))
    ]
    return tuple(zip(*sums, strict=True))


def came_of(step: Step | None) -> str:
    """What came of a step on one side: exits, doorbells and what guests notice as they happen, then what is left."""
    if step is None:
        return "no such step"
    happened = sorted([*(noted for noted, _ in step.exits), *step.doorbells, *step.seen], key=lambda noted: noted.n)
    said = [noted.say for noted in happened]
    said += step.changed
    said += [f'"{line}"' for line in step.console] if step.command.name != "boot_xen" else []
    more = [f"and {len(said) - MOST_NOTES} more"] if len(said) > MOST_NOTES else []
    return "; ".join([*map(cut, said[:MOST_NOTES]), *more]) or "no exit, no doorbell"
