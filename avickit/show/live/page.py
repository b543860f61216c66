"""A single page as data for the browser: as a stepper's, but wide, and stepping from change to change.

Does not model: what is on the page (`sheets`).
"""

from typing import Any

from avickit.show.live.data import live_data
from avickit.show.story import Story


def page_data(story: Story, since: int | None, at: int) -> dict[str, Any]:
    """The data of a page's story; `since` is the beat whose later changes are marked, `at` where raw lines open."""
    data = live_data(story, sources=False)
    stops = [{"name": "change", "at": changes(story)}, *data["stops"]]
    return {
        **data,
        "name": "Page",
        "lanes": [],
        "stops": stops,
        "jump": {**data["jump"], "stop": data["jump"]["stop"] + 1},
        "since": since,
        "at": f"{at & ~15:03X}",
    }


def changes(story: Story) -> list[int]:
    """The beats that change the page."""
    trace, (page,) = story.machine.trace, story.pages
    places = range(page.place, page.place + story.machine.world.page_places)
    found = []
    for n in range(story.first, story.last + 1):
        _, place, old, new, _, _ = trace.raw[n - 1]
        if place in places and old != new:
            found.append(n)
    return found
