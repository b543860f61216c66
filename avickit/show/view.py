"""What all views have: text, HTML, a live form where widgets run, and `save`.

    view.save("x.html")     one file that works from disk, live where the view is
    view.save("x.svg")      a picture of what is shown now; also "x.png", for which matplotlib is needed

A view gives `text`, `html`, perhaps `live_form` and `drawing`. Does not model: what is shown (each view), how a page or
a picture is written (`as_page`, `as_svg`, `as_png`).
"""

from pathlib import Path
from typing import Any, NamedTuple

from avickit.errors import AvicError
from avickit.show.as_page import page
from avickit.show.as_svg import svg
from avickit.show.drawing import Drawing, lines_of

ENDINGS = (".html", ".svg", ".png")


class LiveForm(NamedTuple):
    """What a browser needs to show a view: the stem of its files in `show/live`, and the model's traits."""

    stem: str
    traits: dict[str, Any]


class View:
    """A view: `repr` is its text, a notebook shows its HTML, and its live form where widgets run."""

    title = "avickit"
    """The title of a saved page."""
    _live: Any = None

    @property
    def text(self) -> str:
        """What is shown, as text."""
        raise NotImplementedError

    @property
    def html(self) -> str:
        """What is shown, as static HTML."""
        raise NotImplementedError

    def live_form(self) -> LiveForm | None:
        """What the live form is made of; None for a view that has only static forms."""
        return None

    def drawing(self) -> Drawing:
        """What is shown, as a picture; a view with nothing better draws its text."""
        return lines_of(self.title, self.text)

    def widget(self) -> Any:
        """A new widget; None for a view that has only static forms. Raises ImportError where widgets do not run."""
        form = self.live_form()
        if form is None:
            return None
        from avickit.show.live.widget import LiveView  # widgets load when a view is first shown

        return LiveView.of(form.stem, **form.traits)

    def save(self, path: str | Path) -> Path:
        """Write what is shown to a file ending in .html, .svg or .png; answers with its path.

        The .html needs neither kernel nor network. Raises AvicError for another ending, for a place that cannot be
        written, and for a .png without matplotlib.
        """
        where = Path(path)
        ending = where.suffix.lower()
        if ending not in ENDINGS:
            raise AvicError.of("file", str(path), f"a name that ends in {', '.join(ENDINGS)}")
        if ending == ".html":
            content = page(self.title, self.html, self.live_form()).encode()
        elif ending == ".svg":
            content = svg(self.drawing()).encode()
        else:
            from avickit.show.as_png import png  # matplotlib loads when a picture is wanted

            content = png(self.drawing())
        try:
            where.write_bytes(content)
        except OSError as error:
            raise AvicError(f"{path}: {error.strerror or error}") from error
        return where

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {"text/plain": self.text, "text/html": self.html}
        try:
            self._live = self._live or self.widget()
        except ImportError:
            return bundle
        if self._live is None:
            return bundle
        live = self._live._repr_mimebundle_()  # ipywidgets answer with data, anywidgets with data and metadata
        return {**(live[0] if isinstance(live, tuple) else live), **bundle}
