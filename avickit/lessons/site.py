"""All notebooks as a site to read without Jupyter: from a disk or a server, nothing fetched from elsewhere.

Sphinx with myst-nb and the theme furo makes pages, links, search and print. Does not model: what is shown.
"""

import shutil
import tempfile
from pathlib import Path

from avickit.data import notebooks
from avickit.errors import AvicError
from avickit.lessons.books import SOLUTIONS, books, needs

CONF = """\
project = "avickit"
author = copyright = "The avickit authors, CC BY 4.0"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = "avickit: AVIC without the machine"
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses for files on a disk
html_static_path = ["_static"]
html_css_files = ["site.css"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "text/html", 1), ("html", "image/png", 2), ("html", "text/plain", 3)]
myst_heading_anchors = 3
myst_links_external_new_tab = True
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
"""
CSS = """\
.cell_output { overflow-x: auto; }
.cell_output table { font-size: 0.8rem; }
@media print { .cell { break-inside: avoid; } }
"""
ROOT = """\
# avickit: the AVIC you can run without the machine

Read the notebooks in order, or begin anywhere. What you see was computed by the model; in Jupyter you can change it.

```{{toctree}}
:maxdepth: 1
:caption: Notebooks
{books}
```

```{{toctree}}
:maxdepth: 1
:caption: Solutions
{solutions}
```

```{{toctree}}
:maxdepth: 1
:caption: For teachers, and words
{pages}
```
"""
INDEX = "index.ipynb"


def build(folder: Path) -> Path:
    """Build the site into a folder; its first page. Raises AvicError if a library lacks or a page cannot be built."""
    needs("myst_nb", "publish")
    needs("furo", "publish")
    main = needs("sphinx.cmd.build", "publish").main
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)
        lay_out(source)
        if main(["-q", "-W", "--keep-going", "-b", "html", str(source), str(folder)]):
            raise AvicError("Sphinx could not build the site; what it says stands above")
    return folder / "index.html"


def lay_out(source: Path) -> None:
    """The folder that Sphinx reads: notebooks, solutions, pages, its settings."""
    home = notebooks()
    (source / SOLUTIONS).mkdir()
    (source / "_static").mkdir()
    (source / "_static/site.css").write_text(CSS, encoding="utf-8")
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    told, solved = [], []
    if (home / INDEX).is_file():
        shutil.copyfile(home / INDEX, source / f"map-{INDEX}")
        told.append("map-index")
    for book in books():
        shutil.copyfile(book.file, source / book.file.name)
        told.append(book.file.stem)
        if book.solutions:
            shutil.copyfile(book.solutions, source / SOLUTIONS / book.file.name)
            solved.append(f"{SOLUTIONS}/{book.file.stem}")
    pages = sorted(file.stem for file in home.glob("*.md"))
    for page in pages:
        shutil.copyfile(home / f"{page}.md", source / f"{page}.md")
    listed = {"books": "\n".join(told), "solutions": "\n".join(solved), "pages": "\n".join(pages)}
    (source / "index.md").write_text(ROOT.format(**listed), encoding="utf-8")
