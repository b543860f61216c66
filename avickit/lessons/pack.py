"""A folder to hand out to a class: chosen notebooks, the licence, how to begin; with or without the solutions.

Does not model: the kit itself, which each student installs.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from avickit import __version__
from avickit.data import notebooks
from avickit.errors import AvicError
from avickit.lessons.books import SOLUTIONS, Book

BEGIN = """\
# {title}

You need Python 3.11 or newer. In a terminal, in this folder:

```
python3 -m venv .venv
.venv/bin/pip install "avickit[notebook]=={version}"     # Windows: .venv\\Scripts\\pip
.venv/bin/jupyter lab {first}
```

Your teacher may have another place where the kit is installed from, a folder or a Git address: put it in place of the
name. Run the cells from the top, with Shift+Enter.

{listed}

Text and figures: CC BY 4.0, see `LICENSE`.
"""


def pack(chosen: Sequence[Book], folder: Path, *, solutions: bool = True) -> list[Path]:
    """Write a new folder with these notebooks; the files written.

    Raises AvicError if the folder exists, or if no notebook is chosen.
    """
    if not chosen:
        raise AvicError("no notebook was chosen: name at least one, by its number")
    if folder.exists():
        raise AvicError.of("folder", str(folder), "one that does not exist yet: nothing is written over")
    folder.mkdir(parents=True)
    written = [copy(book.file, folder) for book in chosen]
    if solutions:
        written += [copy(book.solutions, folder / SOLUTIONS) for book in chosen if book.solutions]
    written.append(copy(notebooks() / "LICENSE", folder))
    written.append(folder / "START.md")
    listed = "\n".join(f"* `{book.file.name}`: {book.title}" for book in chosen)
    title = "A lesson about AMD's AVIC" if len(chosen) == 1 else "Lessons about AMD's AVIC"
    text = BEGIN.format(title=title, version=__version__, first=chosen[0].file.name, listed=listed)
    written[-1].write_text(text, encoding="utf-8")
    return written


def copy(file: Path, folder: Path) -> Path:
    """Copy one file into a folder, which is made if need be."""
    folder.mkdir(exist_ok=True)
    return Path(shutil.copyfile(file, folder / file.name))
