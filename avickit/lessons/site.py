"""Notebooks as a site to read without Jupyter: from a disk or a server, nothing fetched from elsewhere.

Sphinx with myst-nb and the theme furo makes pages, links, search and print; the notebooks are run, and their views are
saved beside the pages, live without a kernel. Does not model: what is shown.
"""

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from avickit.data import notebooks
from avickit.errors import AvicError
from avickit.lessons.books import SOLUTIONS, Book, books, needs
from avickit.lessons.embed import STILL, executed

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
.content { width: min(66em, 100vw - 20rem); }
@media (max-width: 67em) { .content { width: 100%; } }
.cell_output { overflow-x: auto; }
.cell_output table { font-size: 0.8rem; }
.cell_output iframe { width: 100%; border: 1px solid var(--color-background-border); border-radius: 4px; }
@media print {
  .cell_input, tr, figure, img { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
  .cell_output iframe, .skip-to-content, details.STILL > summary { display: none; }
  details.STILL::details-content { content-visibility: visible; display: block; height: auto; }
  .cell_output { overflow: visible; zoom: 0.8; }
  .content pre { white-space: pre-wrap; overflow-wrap: anywhere; overflow: visible; }
}
""".replace("STILL", STILL)
VIEWS = "_static/views"
RUNS = 2
"""Notebooks that run at a time."""
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
Job = tuple[Path, Path, str]
"""A notebook, the file to write, and the way from its page to the root of the site."""


def build(folder: Path, chosen: Sequence[Book] = (), *, live: bool = True) -> Path:
    """Build the site of these notebooks (all, if none is named) into a folder; its first page.

    With `live` the notebooks are run, so that their views are live; else what is stored is shown. Raises AvicError if a
    library lacks or a page cannot be built.
    """
    needs("myst_nb", "publish")
    needs("furo", "publish")
    main = needs("sphinx.cmd.build", "publish").main
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)
        lay_out(source, chosen or books(), live=live)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Sphinx and its extensions speak to each other's authors
            failed = main(["-q", "-W", "--keep-going", "-b", "html", str(source), str(folder)])
        if failed:
            raise AvicError("Sphinx could not build the site; what it says stands above")
    return folder / "index.html"


def lay_out(source: Path, chosen: Sequence[Book], *, live: bool) -> None:
    """The folder that Sphinx reads: notebooks, solutions, pages, its settings."""
    home = notebooks()
    jobs: list[Job] = []
    (source / SOLUTIONS).mkdir()
    (source / VIEWS).mkdir(parents=True)
    (source / "_static/site.css").write_text(CSS, encoding="utf-8")
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    told, solved = [], []
    if len(chosen) == len(books()):  # the index names them all
        jobs.append((home / INDEX, source / f"map-{INDEX}", ""))
        told.append("map-index")
    for book in chosen:
        jobs.append((book.file, source / book.file.name, ""))
        told.append(book.file.stem)
        if book.solutions:
            jobs.append((book.solutions, source / SOLUTIONS / book.file.name, "../"))
            solved.append(f"{SOLUTIONS}/{book.file.stem}")
    with ThreadPoolExecutor(RUNS) as pool:
        list(pool.map(lambda job: bring(job, source / VIEWS if live else None), jobs))
    pages = sorted(file.stem for file in home.glob("*.md"))
    for page in pages:
        shutil.copyfile(home / f"{page}.md", source / f"{page}.md")
    listed = {"books": "\n".join(told), "solutions": "\n".join(solved), "pages": "\n".join(pages)}
    (source / "index.md").write_text(ROOT.format(**listed), encoding="utf-8")


def bring(job: Job, views: Path | None) -> None:
    """One notebook into the source folder: run, with its views saved, or as it is stored."""
    file, target, up = job
    if views is None:
        shutil.copyfile(file, target)
        return
    stem = f"{SOLUTIONS}-{file.stem}" if up else file.stem
    target.write_text(json.dumps(executed(file, views, stem, f"{up}{VIEWS}/")), encoding="utf-8")
