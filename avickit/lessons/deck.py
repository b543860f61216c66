"""A notebook as a deck of slides: one HTML file that needs no network and no Jupyter.

nbconvert cuts the notebook into slides (metadata `slideshow`); reveal.js comes from the package sphinx-revealjs, which
ships it whole. Does not model: what is shown; that stands in the notebook.
"""

from importlib import resources
from pathlib import Path
from typing import Any

from avickit.lessons.books import Book, needs

WIDTH, HEIGHT = 1280, 720
"""The size of a slide, in pixels: a projector's."""
TEMPLATES = Path(__file__).parent / "templates"
REVEAL = ("dist/reset.css", "dist/reveal.css")


def deck(book: Book, notebook: Any | None = None) -> str:
    """The deck of a notebook as HTML. `notebook` may stand for the stored one. Raises AvicError if a library lacks."""
    nbconvert = needs("nbconvert", "publish")
    needs("sphinx_revealjs", "publish")
    reveal = resources.files("sphinx_revealjs") / "_static" / "revealjs"
    own = (TEMPLATES / "avickit_deck/deck.css").read_text(encoding="utf-8")
    parts = {
        "title": book.title,
        "css": [*((reveal / name).read_text(encoding="utf-8") for name in REVEAL), own],
        "reveal": (reveal / "dist/reveal.js").read_text(encoding="utf-8").partition("//# sourceMappingURL")[0],
        "width": WIDTH,
        "height": HEIGHT,
    }
    exporter = nbconvert.SlidesExporter(template_name="avickit_deck", extra_template_basedirs=[str(TEMPLATES)])
    text, _ = exporter.from_notebook_node(notebook or book.read(), resources={"deck": parts, "metadata": {}})
    return str(text)
