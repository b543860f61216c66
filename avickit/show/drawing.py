"""A picture as a list of boxes, lines and words, before anybody writes it as SVG or PNG.

All words are monospaced, so that their width is known without a font. Does not model: what is drawn.
"""

from dataclasses import dataclass, field
from typing import Final

EM: Final = 0.6021
"""The width of a character of DejaVu Sans Mono, by its size."""
INK, SOFT, EDGE, PAPER = "#1b1f24", "#57606a", "#c4cad1", "#ffffff"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; without a stroke it has no border."""

    x: float
    y: float
    width: float
    height: float
    fill: str = PAPER
    stroke: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one point to another."""

    x: float
    y: float
    to_x: float
    to_y: float
    stroke: str = EDGE
    width: float = 1


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `y` is its base line. `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: float = 12
    fill: str = INK
    bold: bool = False
    anchor: str = "start"


@dataclass(slots=True)
class Drawing:
    """A picture: its size in pixels, its title (what a screen reader says), its items from the back to the front."""

    title: str
    width: float = 0
    height: float = 0
    items: list[Box | Line | Words] = field(default_factory=list)

    def add(self, *items: Box | Line | Words) -> None:
        """Put items on top, and let the picture grow to hold them."""
        for item in items:
            right, bottom = reach(item)
            self.width, self.height = max(self.width, right), max(self.height, bottom)
            self.items.append(item)


def reach(item: Box | Line | Words) -> tuple[float, float]:
    """How far right and down an item goes."""
    if isinstance(item, Box):
        return item.x + item.width, item.y + item.height
    if isinstance(item, Line):
        return max(item.x, item.to_x), max(item.y, item.to_y)
    part = {"start": 1, "middle": 0.5, "end": 0}[item.anchor]
    return item.x + part * wide(item.text, item.size), item.y + item.size / 3


def wide(text: str, size: float) -> float:
    """The width of a line of text."""
    return len(text) * EM * size


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Text in lines that are no wider, cut at blanks; a word that is too long is cut anywhere."""
    most = max(int(width / (EM * size)), 1)
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= most:
            lines[-1] = longer
            continue
        pieces = [word[i : i + most] for i in range(0, len(word), most)]
        lines += pieces if lines[-1] else [pieces[0], *pieces[1:]]
    return [line for line in lines if line] or [""]


def lines_of(title: str, text: str, size: float = 12) -> Drawing:
    """Plain text as a picture."""
    found = Drawing(title)
    for number, line in enumerate(text.split("\n")):
        found.add(Words(8, 8 + size * (1 + 1.35 * number), line, size))
    found.width, found.height = found.width + 8, found.height + 8
    return found
