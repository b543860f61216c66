"""A story as data for the browser: every distinct piece of its static HTML once, and which beat shows which piece.

The pieces are cut from what `beats` and `as_html` draw, so live and static form are one. The browser only swaps them
and knows no words. Does not model: the timeline (see `lanes`).
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from avickit.beat import CLOCK
from avickit.lab.trace import Beat
from avickit.show.as_html import drawn as sheet_drawn
from avickit.show.beats import beat_html
from avickit.show.live.lanes import timeline
from avickit.show.live.memory import memory
from avickit.show.moment import Moment
from avickit.show.sheets import Page
from avickit.show.source import sources as sources_of
from avickit.show.story import Story
from avickit.show.tags import CAPTION, beside

HINT = "Point at a register, a field or a bit, or choose a row with Up and Down: what it is stands here."
HOLE = "\ue000"
"""Stands for the number of the beat in the pieces of a sentence."""
LINE = re.escape(f'<div style="{CAPTION}"')
ROW = re.compile(rf"(<tr\b.*?</tr>|<caption\b.*?</caption>|{LINE}[^>]*>(?:(?!<table).)*?</div>)", re.DOTALL)
"""What changes on a sheet from beat to beat: rows, captions, and lines that stand where a table would be empty."""
PICK = f'tr, caption, div[style="{CAPTION}"]'
"""The same as the browser picks it out."""
WORDS = re.compile(r"(<b\b.*?</b>|<code>.*?</code>|<small>.*?</small>)", re.DOTALL)
"""What changes in a sentence."""


class Texts:
    """Pieces of HTML, each kept once and called by its number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a piece."""
        return self.numbers.setdefault(text, len(self.numbers))


def live_data(story: Story, *, sources: bool = True) -> dict[str, Any]:
    """Everything that the browser needs to step through a story on its own.

    `said` is a list of columns, one for each piece of a sentence, each a piece number or one for each beat; `sheets`
    is as `sheet_data` says; `beside` is what stands around the sheets; `memory` is what the pages hold, by its name.
    """
    texts, beats = Texts(), [story.machine.trace[n] for n in range(story.first, story.last + 1)]
    said = columns([[texts.number(piece) for piece in WORDS.split(numbered(beat))] for beat in beats])
    sheets = [sheet_data(shown, story.first, texts) for shown in walk(story)]
    around = beside([HOLE]).partition(HOLE)
    return {
        "name": "Stepper",
        "hint": HINT,
        "first": story.first,
        "last": story.last,
        "hole": HOLE,
        "said": said,
        "sheets": sheets,
        "beside": [around[0], around[2]],
        "pick": PICK,
        "text": list(texts.numbers),
        "memory": memory(story),
        "sources": sources_of(story.spots[story.first - 1 : story.last] if sources else []),
        **timeline(story, beats),
    }


def numbered(beat: Beat) -> str:
    """The sentence of a beat with a hole where its number stands."""
    return beat_html(beat._replace(n=cast("int", HOLE)))


def columns(rows: Sequence[Sequence[int]]) -> list[int | list[int]]:
    """Rows turned into columns; a column of equal numbers is that number."""
    return [column[0] if len(set(column)) == 1 else list(column) for column in zip(*rows, strict=True)]


def walk(story: Story) -> list[list[str]]:
    """For each page the HTML of its sheet at every beat, from one walk through the states."""
    machine, shown = story.machine, [list[str]() for _ in story.pages]
    known: dict[Any, str] = {}
    before = machine.trace.state(story.first - 1)
    at = before.copy()
    for n in range(story.first, story.last + 1):
        _, place, old, new, time, _ = machine.trace.raw[n - 1]
        at[place], at[CLOCK] = new, time
        then = Moment(machine, n, n - 1, at, before, told=True)
        for page, htmls in zip(story.pages, shown, strict=True):
            htmls.append(drawn(story, page, then, (place, old), known))
        before[place], before[CLOCK] = new, time
    return shown


def drawn(story: Story, page: Page, then: Moment, touched: tuple[int, Any], known: dict[Any, str]) -> str:
    """The sheet's HTML; drawn once for each content of the page and beat that touches it."""
    places = then.at[page.place : page.place + then.machine.world.page_places]
    own = touched if 0 <= touched[0] - page.place < len(places) else None
    key = (page.place, tuple(places), own)
    if key not in known:
        known[key] = sheet_drawn(story.sheet(then, page), narrow=not story.wide)
    return known[key]


def sheet_data(htmls: Sequence[str], first: int, texts: Texts) -> dict[str, Any]:
    """A sheet by its slots: `gaps` is what stands around them, `slots` has for each of them beat, piece, beat, piece.

    A slot is a row or a caption; if not all beats have the same rows, the whole sheet is the only slot.
    """
    cuts = {html: ROW.split(html) for html in set(htmls)}
    whole = len({tuple(pieces[::2]) for pieces in cuts.values()}) > 1
    if whole:
        cuts = {html: ["", html, ""] for html in cuts}
    gaps = cuts[htmls[0]][::2]
    slots: list[list[int]] = [[] for _ in gaps[1:]]
    last = ""
    for n, html in enumerate(htmls, first):
        if html != last:
            for slot, piece in zip(slots, cuts[html][1::2], strict=True):
                number = texts.number(piece)
                if not slot or slot[-1] != number:
                    slot += [n, number]
        last = html
    return {"whole": whole, "gaps": [texts.number(gap) for gap in gaps], "slots": slots}
