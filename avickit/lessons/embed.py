"""Live views in pages without a kernel: while a notebook runs, each view saves itself and shows a frame with that file.

Does not model: the saved files (`show.view.View.save`).
"""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

from avickit.lessons.books import needs
from avickit.show.tags import element, text
from avickit.show.view import View

HEIGHTS = {"stepper": 680, "compare": 640, "machine": 560, "predict": 300}
"""Pixels that a live form wants, by the stem of its files; a frame of a file cannot ask for them itself."""
OTHER_HEIGHT = 600
STILL = "avk-still"
"""The class of a static form below a live one: print shows it and leaves the frame away."""
FIRST_CELL = "from avickit.lessons.embed import install\n\ninstall({folder!r}, {stem!r}, {prefix!r})"


def install(folder: str, stem: str, prefix: str) -> None:
    """From now on, in this kernel, a view with a live form is a frame; its file is written to the folder."""
    numbers = count(1)

    def framed(view: View, **_: Any) -> dict[str, str]:
        live, html = view.live_form(), view.html
        if live is not None:
            name = f"{stem}-{next(numbers):02}.html"
            view.save(Path(folder) / name)
            html = frame(f"{prefix}{name}", view.title, HEIGHTS.get(live.stem, OTHER_HEIGHT), html)
        return {"text/plain": view.text, "text/html": html}

    View._repr_mimebundle_ = framed  # type: ignore[assignment, method-assign]


def frame(source: str, title: str, height: int, static: str) -> str:
    """The live form in a frame; the static one folded below it, for print and for who has no JavaScript."""
    shown = element("iframe", "", src=source, title=title, height=height, loading="lazy")
    still = element("summary", text("The same without stepping")) + static
    return shown + element("details", still, **{"class": STILL})


def executed(file: Path, folder: Path, stem: str, prefix: str) -> Any:
    """The notebook as it is after a run with frames for its views. Raises AvicError if a library lacks."""
    nbformat, nbclient = needs("nbformat", "publish"), needs("nbclient", "publish")
    notebook = nbformat.read(file, as_version=4)
    first = FIRST_CELL.format(folder=str(folder), stem=stem, prefix=prefix)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    where, quiet = {"metadata": {"path": str(file.parent)}}, ["--log-level=40"]  # else each kernel warns of its socket
    client = nbclient.NotebookClient(notebook, resources=where, extra_arguments=quiet)
    asyncio.run(client.async_execute())  # not execute(): that leaves the event loop of a thread open
    del notebook.cells[0]
    notebook.metadata.pop("widgets", None)
    return notebook
