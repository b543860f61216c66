"""Where the kit's data files and notebooks are: `data/` of a checkout, `avickit/data/` of an install.

Does not model: anything; nothing is read here.
"""

from difflib import get_close_matches
from pathlib import Path

from avickit.errors import AvicError

SCENARIOS = "scenarios"


def folder(package: Path | None = None) -> Path:
    """The folder that holds the data files. `package` is where the package lies, this one if not given.

    Raises AvicError where there is none: then the installation is not whole.
    """
    home = Path(__file__).parent if package is None else package
    for found in (home / "data", home.parent / "data"):
        if (found / "rules.toml").is_file():
            return found
    raise AvicError(f"no data files beside {home.name}: the installation is not whole, install avickit again")


def notebooks(package: Path | None = None) -> Path:
    """The folder that holds the notebooks. Raises AvicError where there is none."""
    home = Path(__file__).parent if package is None else package
    for found in (home / "notebooks", home.parent / "notebooks"):
        if next(found.glob("*.ipynb"), None):
            return found
    raise AvicError(f"no notebooks beside {home.name}: the installation is not whole, install avickit again")


def path(name: str) -> Path:
    """A data file by its name: `path("avic-stats-epyc.txt")`. Raises AvicError if there is no such file."""
    found = folder() / name
    if not found.is_file():
        there = sorted(file.name for file in folder().iterdir() if file.is_file())
        raise AvicError.of("data file", name, ", ".join(there))
    return found


def scenarios() -> tuple[Path, ...]:
    """The scenario files that come with the kit, by name."""
    return tuple(sorted((folder() / SCENARIOS).glob("*.toml")))


def scenario(name: str) -> Path:
    """A scenario that comes with the kit: `scenario("ipi-running")`. Raises AvicError with names that come near it."""
    known = {file.stem: file for file in scenarios()}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise AvicError.of("scenario", name, f"a TOML file, or the name of one of the {len(known)} that come along{hint}")
