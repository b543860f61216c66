"""The timeline of a story as a picture: a lane for each core and vCPU, exits, doorbells, the beat that is shown.

Does not model: what the lanes hold (`live.lanes`).
"""

from typing import Any, Final

from avickit.show import palette
from avickit.show.drawing import EDGE, INK, SOFT, Box, Drawing, Line, Words, wide
from avickit.show.live.lanes import timeline
from avickit.show.story import Story

LANE, BAR, LEFT, SIZE = 20, 14, 64, 9
NOW: Final = "#b34700"
BELL: Final = "#005b8f"
MOST_EVENTS = 60
"""So many exits and doorbells are drawn; of more only the lanes."""


def pale(hue: str, thin: int = 4) -> str:
    """A hue as it looks thinly laid on white."""
    parts = palette.OKABE_ITO.get(hue, (128, 128, 128))
    return "#" + "".join(f"{255 - (255 - part) * thin // 10:02x}" for part in parts)


def lanes(story: Story, beat: int, width: float) -> Drawing:
    """The lanes of a story, so wide, with a line at the beat."""
    data = timeline(story, [story.machine.trace[n] for n in range(story.first, story.last + 1)])
    column = (width - LEFT) / len(story)
    found = Drawing("timeline")

    def x(n: float) -> float:
        return LEFT + (n - story.first) * column

    for number, lane in enumerate(data["lanes"]):
        y = number * LANE + 10
        found.add(Words(0, y + 11, lane["name"], 10, bold=True))
        flat = lane["spans"]
        for i in range(0, len(flat), 3):
            end = flat[i + 3] if i + 3 < len(flat) else story.last + 1
            found.add(*span(x(flat[i]), x(end), y, data["looks"][flat[i + 1]]))
    bottom = len(data["lanes"]) * LANE + 10
    if len(data["marks"]) + len(data["arrows"]) <= MOST_EVENTS:
        for n, lane, _ in data["marks"]:
            found.add(Words(x(n + 0.5), lane * LANE + 11, "\N{BLACK DOWN-POINTING TRIANGLE}", 9, NOW, anchor="middle"))
        for start, source, end, target, title in data["arrows"]:
            ends = (x(start + 0.5), source * LANE + 17, x(end + 0.5), target * LANE + 17)
            found.add(Line(*ends, BELL, 1.5), Words(ends[2] + 3, ends[3] + 3, title, SIZE, BELL))
    found.add(Line(x(beat + 0.5), 2, x(beat + 0.5), bottom, NOW, 2))
    found.add(Words(x(beat + 0.5), bottom + 12, str(beat), 10, NOW, bold=True, anchor="middle"))
    for n in (story.first, story.last):
        if abs(x(n) - x(beat)) > 40:
            found.add(Words(x(n + 0.5), bottom + 12, str(n), SIZE, SOFT, anchor="middle"))
    found.width = width
    return found


def span(start: float, end: float, y: float, look: dict[str, Any]) -> list[Box | Line | Words]:
    """A stretch of one state: its hue, its letter, its word where there is room."""
    if look["pattern"] == "thin":
        return [Line(start, y + BAR / 2, end, y + BAR / 2, SOFT)]
    said = f"{look['letter']} {look['word']}"
    room = end - start - 4
    words = said if wide(said, SIZE) < room else look["letter"] if wide("G", SIZE) < room else ""
    box = Box(start, y, end - start, BAR, pale(look["hue"]), EDGE)
    return [box, Words(start + 3, y + 10.5, words, SIZE, INK)] if words else [box]
