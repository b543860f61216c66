"""Run stored notebooks anew and store them as the house rules want: `python tests/notebooks/refresh.py [NOTEBOOK ...]`.

To be used after a change that is meant to change what a notebook shows; look at the difference before you keep it.
Without names all notebooks are run. Widget views and widget state are not stored: a fresh clone has no kernel to fill
them, and shows the static form that stands beside them.
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def refresh(file: Path) -> None:
    """Run one notebook and write it back."""
    notebook: Any = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    where = {"metadata": {"path": str(file.parent)}}
    # What a kernel prints may come in pieces, another time in others: they are stored as one.
    NotebookClient(notebook, resources=where, store_widget_state=False, coalesce_streams=True).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran: another time each time
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(str(file) for file in NOTEBOOKS.rglob("[!.]*.ipynb")):
        refresh(Path(name))
        print(name)
