"""The notebooks that come along, by number: where they are, their titles, their solutions.

Does not model: what is in them.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from avickit.data import notebooks
from avickit.errors import AvicError

SOLUTIONS = "solutions"


class Book(NamedTuple):
    """A notebook: its number (`05`), its file, the file of its solutions if it has one."""

    number: str
    file: Path
    solutions: Path | None

    def read(self) -> Any:
        """The notebook as nbformat has it."""
        return needs("nbformat", "publish").read(self.file, as_version=4)

    @property
    def title(self) -> str:
        """Its first heading."""
        return title_of(self.file)


def title_of(file: Path) -> str:
    """The first heading of a notebook, without marks."""
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        found = re.search(r"^# (.+)$", "".join(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and found:
            return re.sub(r"[*`_]", "", found[1])
    return file.stem


def books() -> list[Book]:
    """All notebooks with a number, in order."""
    folder = notebooks()
    found = sorted(folder.glob("[0-9][0-9]-*.ipynb"))
    solved = {file: folder / SOLUTIONS / file.name for file in found}
    return [Book(file.stem[:2], file, solved[file] if solved[file].is_file() else None) for file in found]


def book(number: str) -> Book:
    """The notebook of a number (`5`, `05`) or name (`05-exits`). Raises AvicError naming those that there are."""
    known = books()
    wanted = number.removesuffix(".ipynb")
    for found in known:
        if wanted.zfill(2) == found.number or wanted == found.file.stem:
            return found
    raise AvicError.of("notebook", number, " ".join(b.number for b in known))


def needs(module: str, extra: str) -> Any:
    """A library that not everybody has. Raises AvicError with the command that brings it."""
    try:
        return import_module(module)
    except ImportError:
        raise AvicError(f"{module} is not installed: pip install 'avickit[{extra}]'") from None
