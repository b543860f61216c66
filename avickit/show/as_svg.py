"""A drawing as an SVG file: plain rectangles, lines and text, which every viewer and printer knows.

Does not model: what is drawn (`drawing`).
"""

from avickit.show.drawing import PAPER, Box, Drawing, Line, Words, wide
from avickit.show.tags import text

FONT = "'DejaVu Sans Mono', Menlo, Consolas, monospace"


def svg(drawing: Drawing) -> str:
    """The whole file."""
    width, height = (number(round(x + 0.5)) for x in (drawing.width, drawing.height))
    lead = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    body = "\n".join(map(item, drawing.items))
    ground = f'<rect width="{width}" height="{height}" fill="{PAPER}"/>'
    return f'{lead} role="img" font-family="{FONT}">\n<title>{text(drawing.title)}</title>\n{ground}\n{body}\n</svg>\n'


def item(x: Box | Line | Words) -> str:
    """One item."""
    if isinstance(x, Box):
        stroke = f' stroke="{x.stroke}"' if x.stroke else ""
        size = f'width="{number(x.width)}" height="{number(x.height)}"'
        return f'<rect x="{number(x.x)}" y="{number(x.y)}" {size} fill="{x.fill}"{stroke}/>'
    if isinstance(x, Line):
        ends = f'x1="{number(x.x)}" y1="{number(x.y)}" x2="{number(x.to_x)}" y2="{number(x.to_y)}"'
        return f'<line {ends} stroke="{x.stroke}" stroke-width="{number(x.width)}"/>'
    bold = ' font-weight="bold"' if x.bold else ""
    anchor = f' text-anchor="{x.anchor}"' if x.anchor != "start" else ""
    # The length is given, so that another font takes the same room.
    length = f' textLength="{number(wide(x.text, x.size))}"' if len(x.text) > 1 else ""
    look = f'font-size="{number(x.size)}" fill="{x.fill}"{bold}{anchor}{length} xml:space="preserve"'
    return f'<text x="{number(x.x)}" y="{number(x.y)}" {look}>{text(x.text)}</text>'


def number(value: float) -> str:
    """A number in two places, without needless ones."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
