"""A picture with its alt text and its twin, a table that says the same.

In a notebook it is an `img` with a data URI: that is what JupyterLab leaves of an untrusted notebook, and the one way
to give a picture its alt text (JupyterLab shows image/png without). The picture is SVG, with the same bytes for every
version of matplotlib (`stable`), since a notebook's outputs are compared. It has a white ground of its own, so that it
reads on a dark page. Does not model: what is drawn.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from avickit.errors import AvicError
from avickit.show.figures.stable import stable
from avickit.show.tags import element, fold, panel
from avickit.show.tags import text as escaped
from avickit.show.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawn

SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "avickit",
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
NO_DATE: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))


DOTS: Final = 144
"""Of a saved PNG, an inch."""


class Figure(View):
    """A picture: `.figure` is matplotlib's, `.alt` its alt text, `.text` and `.table` its twins.

    `draw` is given axes that fill the figure but for `margins` (left, bottom, right, top in inches); `size` is its
    width and height in inches.
    """

    def __init__(
        self,
        draw: Callable[["Axes"], None],
        *,
        title: str,
        alt: str,
        text: str,
        table: str,
        size: tuple[float, float],
        margins: tuple[float, float, float, float],
    ) -> None:
        self.title, self.alt, self.table = title, alt, table
        self._text = text
        self._draw, self._size, self._margins = draw, size, margins

    @cached_property
    def figure(self) -> "Drawn":
        """The matplotlib figure. Raises AvicError where matplotlib is missing."""
        try:
            import matplotlib as mpl
            from matplotlib.figure import Figure as Drawn
        except ImportError:
            raise AvicError("a picture needs matplotlib: install avickit[notebook]; .text and .table do not") from None
        (width, height), (left, bottom, right, top) = self._size, self._margins
        with mpl.rc_context(SETTINGS):
            drawn = Drawn(figsize=self._size, facecolor="white")
            inner = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
            drawn.text(0.1 / width, 1 - 0.25 / height, self.title, va="baseline", fontsize=11, fontweight="bold")
            self._draw(drawn.add_axes(inner))
        return drawn

    @cached_property
    def svg(self) -> str:
        """The picture as SVG, the same every time."""
        figure, file = self.figure, StringIO()
        import matplotlib as mpl

        with mpl.rc_context(SETTINGS):
            figure.savefig(file, format="svg", metadata=NO_DATE)
        return stable(file.getvalue())

    @property
    def html(self) -> str:
        """The picture with its alt text and, folded, its table; only the table where matplotlib is missing."""
        try:
            source = f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode()}"
        except AvicError:
            return panel(element("div", escaped(self.alt)) + self.table)
        return panel(f'<img src="{source}" alt="{escaped(self.alt)}">' + fold("the same as a table", self.table))

    @property
    def text(self) -> str:
        """The title and the twin as text."""
        return f"{self.title}\n{self._text}"

    def save(self, path: str | Path) -> Path:
        """Write the picture to a .svg or .png, the picture and its table to a .html."""
        where = Path(path)
        if where.suffix.lower() not in (".svg", ".png"):
            return super().save(path)
        try:
            if where.suffix.lower() == ".svg":
                where.write_text(self.svg, encoding="utf-8")
            else:
                self.figure.savefig(where, dpi=DOTS, metadata={"Description": self.alt, "Software": None})
        except OSError as error:
            raise AvicError(f"{path}: {error.strerror or error}") from error
        return where
