"""A comparison as data for the browser: its static pieces, both stories, their beats laid beside each other.

A *place* is one aligned beat, counted from 1: a beat of each side, or of one. The browser goes from place to place and
swaps pieces; it knows no words. Does not model: what is compared (`comparison`), how it is drawn (`compare.js`).
"""

from difflib import SequenceMatcher
from itertools import accumulate, zip_longest
from typing import Any

from avickit.lab import names
from avickit.lab.aligned import BeatPair, Pair, beat_pairs
from avickit.show.compare_html import TWO, one_side, quiet, steps, verdict
from avickit.show.comparison import MOST_LINES, NOTHING, TOLD_KINDS, Comparison, Line
from avickit.show.live.data import HOLE, live_data
from avickit.show.sheets import Page
from avickit.show.story import Story
from avickit.show.tags import panel, text

WORDS = {
    "label": "Comparison",
    "step": "step",
    "beat": "beat",
    "of": "of",
    "jump": "first difference",
    "same": "both do the same",
    "differs": "here they differ",
    "page": "page",
    "gone": "The kernel has gone. The picture stands, and can still be gone through.",
}
ABSENT = "no such page on this side"
Row = tuple[int | None, int | None]
NO_BEATS = BeatPair(None, None, same=True)
"""The only place of a step in which nobody has a beat."""


def compare_data(c: Comparison, stories: tuple[Story, Story], *, by_name: bool) -> dict[str, Any]:
    """Everything that the browser needs. `places` has left beat, right beat, left, right ...; 0 stands for none.

    Pages stand beside their namesakes, or in the order in which they come.
    """
    aligned = [beat_pairs(c.left, c.right, pair) or [NO_BEATS] for pair in c.pairs]
    starts = list(accumulate(map(len, aligned), initial=1))[:-1]
    stops = [start + stop(pair, found) for start, pair, found in zip(starts, c.pairs, aligned, strict=True)]
    stop_of = {pair.number: at for pair, at in zip(c.pairs, stops, strict=True)}
    places = [place for found in aligned for place in found]
    rows = beside(stories, by_name=by_name)
    return {
        "first": 1,
        "last": len(places),
        "places": [n or 0 for place in places for n in place[:2]],
        "same": [int(place.same) for place in places],
        "steps": starts,
        "stops": stops,
        "jump": {"key": "d", "at": stop_of[c.first.number] if c.first else 0},
        "numbers": [pair.number for pair in c.pairs],
        "said": [c.line(pair).text for pair in c.pairs],
        "names": list(c.names),
        "hole": HOLE,
        "around": [[one_side(c, which, pair, HOLE) for which in (0, 1)] for pair in c.pairs],
        "nothing": panel(text(NOTHING)),
        "verdict": verdict(c),
        "two": TWO,
        "tables": [table(steps(c), c.lines(), stop_of), table(quiet(c), c.quiet(), stop_of)],
        "sides": [shown(story) for story in stories],
        "rows": [[-1 if n is None else n for n in row] for row in rows],
        "titles": titles(stories, rows),
        "open": opened(c, stories, rows, wanted=not by_name),
        "absent": panel(text(ABSENT)),
        "words": WORDS,
    }


def shown(story: Story) -> dict[str, Any]:
    """What the browser needs of a story: sentences and sheets; no timeline, no source."""
    data = live_data(story, sources=False)
    return {key: data[key] for key in ("first", "last", "hole", "said", "sheets", "beside", "text")}


def stop(pair: Pair, places: list[BeatPair]) -> int:
    """Where one looks at a step: at its first beats that differ, if it is worth telling, else at its end."""
    differing = [index for index, place in enumerate(places) if not place.same]
    return differing[0] if differing and TOLD_KINDS.intersection(pair.kinds) else len(places) - 1


def table(html: str, lines: list[Line], stop_of: dict[int, int]) -> dict[str, Any]:
    """A table of steps: its HTML, and the step and the place that each of its first rows stands for."""
    return {"html": html, "rows": [[line.number, stop_of[line.number]] for line in lines[:MOST_LINES]]}


def beside(stories: tuple[Story, Story], *, by_name: bool) -> list[Row]:
    """Which pages stand beside each other, by their numbers on each side; None where one side has no such page."""
    left, right = ([names.owner(story.machine.world, page.place) for page in story.pages] for story in stories)
    if not by_name:
        return list(zip_longest(range(len(left)), range(len(right))))
    return [
        row
        for _, a, b, c, d in SequenceMatcher(None, left, right).get_opcodes()
        for row in zip_longest(range(a, b), range(c, d))
    ]


def titles(stories: tuple[Story, Story], rows: list[Row]) -> list[str]:
    """The names of the pages of each row."""
    return [
        " | ".join(
            dict.fromkeys(
                names.owner(story.machine.world, story.pages[n].place)
                for story, n in zip(stories, row, strict=True)
                if n is not None
            )
        )
        for row in rows
    ]


def opened(c: Comparison, stories: tuple[Story, Story], rows: list[Row], *, wanted: bool) -> list[int]:
    """Which rows are open: those where the first difference begins; else all, if there is one or they are `wanted`."""
    found = [
        int(
            any(
                n is not None and beat is not None and is_on(story, story.pages[n], beat)
                for story, n, beat in zip(stories, row, c.first_beats, strict=True)
            )
        )
        for row in rows
    ]
    return found if any(found) else [int(wanted or c.first is not None)] * len(found)


def is_on(story: Story, page: Page, n: int) -> bool:
    """Whether a beat is about a place of a page."""
    return 0 <= story.machine.trace.raw[n - 1][1] - page.place < story.machine.world.page_places
