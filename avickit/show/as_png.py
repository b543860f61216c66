"""A drawing as a PNG file, by matplotlib: it is with the notebook's packages anyway, and brings its own font.

Does not model: what is drawn (`drawing`).
"""

from io import BytesIO
from typing import Any

from avickit.errors import AvicError
from avickit.show.drawing import PAPER, Box, Drawing, Line, Words

DPI = 144
POINTS = 72


def png(drawing: Drawing) -> bytes:
    """The whole file, two pixels for one of the drawing. Raises AvicError where there is no matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise AvicError("a .png needs matplotlib: pip install matplotlib, or save as .svg or .html") from error

    figure = Figure(figsize=(drawing.width / POINTS, drawing.height / POINTS), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
    axes.axis("off")
    sides = {"start": "left", "middle": "center", "end": "right"}
    for item in drawing.items:
        if isinstance(item, Box):
            edge = item.stroke or "none"
            corner = (item.x, item.y)
            axes.add_patch(Rectangle(corner, item.width, item.height, facecolor=item.fill, edgecolor=edge, linewidth=1))
        elif isinstance(item, Line):
            axes.add_line(Line2D((item.x, item.to_x), (item.y, item.to_y), color=item.stroke, linewidth=item.width))
        elif isinstance(item, Words):
            look: dict[str, Any] = {
                "family": "DejaVu Sans Mono",
                "size": item.size,
                "weight": "bold" if item.bold else "normal",
            }
            text = item.text.replace("$", r"\$")  # no formulas
            axes.text(item.x, item.y, text, color=item.fill, ha=sides[item.anchor], va="baseline", **look)
    sink = BytesIO()
    figure.savefig(sink, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
    return sink.getvalue()
