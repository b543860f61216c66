"""A story's pages as 32-bit words, and what the declarations say of the rows shown: all that the browser needs to tell
values, to mark the changes since any beat, and to dump any line.

Does not model: HTML (`data`).
"""

from collections.abc import Iterator
from typing import Any

from avickit.lab.names import SHIFTS, page_of
from avickit.show.about import about
from avickit.show.as_html import key
from avickit.show.moment import Moment
from avickit.show.sheets import Page
from avickit.show.story import Story
from avickit.show.vmcb import BANKS

WORD = 0xFFFF_FFFF


def memory(story: Story) -> list[dict[str, Any]]:
    """For each page its title, its words (offset: beat, value, beat, value, ...; all others are 0) and its rows."""
    return [
        {"title": then.title(page.place), "words": words(story, page), "rows": rows(story, page)}
        for page in story.pages
        for then in [last(story)]
    ]


def last(story: Story) -> Moment:
    """The moment of the last beat."""
    at = story.machine.trace.state(story.last)
    return Moment(story.machine, story.last, story.last, at, at, told=False)


def rows(story: Story, page: Page) -> dict[str, dict[str, Any]]:
    """What the declarations say of each row, by its key."""
    shown = story.sheet(last(story), page)
    return {key(row): about(shown.kind, row) for group in shown.groups for row in group.rows}


def words(story: Story, page: Page) -> dict[str, list[int]]:
    """The words of a page that are not 0 all the time."""
    world, trace = story.machine.world, story.machine.trace
    found = page_of(world, page.place)
    kind = found[2] if found else ""
    at = trace.state(story.first)
    log: dict[str, list[int]] = {}
    for index in range(4096 >> SHIFTS.get(kind, 3)):
        for offset, value in cut(kind, index, at[page.place + index]):
            if value:
                log[str(offset)] = [story.first, value]
    for n in range(story.first + 1, story.last + 1):
        _, place, old, new, _, _ = trace.raw[n - 1]
        if old == new or not 0 <= place - page.place < world.page_places:
            continue
        for offset, value in cut(kind, place - page.place, new):
            spot = log.setdefault(str(offset), [story.first, 0])
            if spot[-1] != value:
                spot += [n, value]
    return log


def cut(kind: str, index: int, value: int) -> Iterator[tuple[int, int]]:
    """The offsets and values of the 32-bit words that one place of a page of this kind stands for."""
    shift = SHIFTS.get(kind, 3)
    count = 8 if kind == "apic" and index in BANKS else 2 if shift == 3 else 1
    step = 16 if shift == 4 else 4
    for part in range(count):
        yield (index << shift) + step * part, int(value) >> 32 * part & WORD
