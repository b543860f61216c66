"""Results in a file, CSV or Parquet: a row for each run with all its parameters, its seed, time and counters.

A file grows by whole runs and is replaced in one go, so that an interrupted command finds in it what it had finished.
Parquet needs pyarrow. Does not model: anything.
"""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from avickit.errors import AvicError
from avickit.workload.parameters import Parameters
from avickit.workload.result import COUNTERS, Result

TIMES = ("seconds", "cycles")
COLUMNS = (*(f.name for f in fields(Parameters)), *TIMES, *COUNTERS, "digest")
FLAGS = tuple(f.name for f in fields(Parameters) if f.metadata["unit"] == "flag")


class Store:
    """The results in a file. `command` is written into it, so that it says how it was made."""

    def __init__(self, path: str | Path, command: str = "") -> None:
        self.path, self.command = Path(path), command
        if self.path.suffix not in (".csv", ".parquet"):
            raise AvicError.of("results file", str(path), "a name that ends in .csv or .parquet")
        self.results: list[Result] = self.read() if self.path.exists() else []

    def find(self, p: Parameters) -> Result | None:
        """The result of just these parameters, if it is there."""
        return next((r for r in self.results if r.parameters == p), None)

    def add(self, found: Result) -> None:
        """One more; it is in the file when this returns."""
        self.results.append(found)
        new = self.path.with_name(f".{self.path.name}.new")
        rows = [r.data() for r in self.results]
        if self.path.suffix == ".csv":
            new.write_text(csv_text(rows, self.command), encoding="utf-8")
        else:
            write_parquet(new, rows, self.command)
        os.replace(new, self.path)  # noqa: PTH105  (Path.replace, under a name that says it is one step)

    def read(self) -> list[Result]:
        """The results that the file holds. Raises AvicError naming file, line and what is wrong."""
        text = self.path.suffix == ".csv"
        rows = csv_rows(self.path, COLUMNS) if text else read_parquet(self.path)
        return [from_row(row, f"{self.path.name}, {'line' if text else 'row'} {n}") for n, row in rows]


def csv_text(rows: Sequence[dict[str, Any]], command: str) -> str:
    """A comment that says how the file was made, a head, the rows."""
    out = io.StringIO()
    out.write(f"# made by: {command}\n" if command else "")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def csv_rows(path: Path, needed: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """(line number, row) of a CSV file with these columns at least; lines that begin with # are comments."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AvicError(f"{path.name} cannot be read: {error}") from error
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(line for _, line in kept)
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise AvicError.of(f"{path.name}: columns", ", ".join(reader.fieldnames or ["none"]), ", ".join(missing))
    return [(kept[i][0], row) for i, row in enumerate(reader, 1)]


def from_row(row: dict[str, Any], where: str) -> Result:
    """A result from a row of strings or of numbers."""
    try:
        values: dict[str, Any] = {
            f.name: flag(row[f.name]) if f.name in FLAGS else int(row[f.name]) for f in fields(Parameters)
        }
        counters = {name: int(row[name]) for name in COUNTERS}
        return Result(Parameters(**values), int(row["cycles"]), counters, str(row["digest"]))
    except (ValueError, TypeError, KeyError) as error:
        raise AvicError(f"{where}: {error}") from error


def flag(value: object) -> bool:
    """True or false, as text or as itself."""
    if str(value).lower() not in ("true", "false"):
        raise AvicError.of("flag", value, "true or false")
    return str(value).lower() == "true"


def arrow() -> Any:
    """The pyarrow library."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise AvicError("Parquet needs pyarrow: pip install avickit[workload], or a name that ends in .csv") from None
    return pyarrow


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], command: str) -> None:
    """The rows as a Parquet file, the command in its metadata."""
    table = arrow().Table.from_pylist(list(rows)).replace_schema_metadata({"command": command})
    arrow().parquet.write_table(table, path)


def read_parquet(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(row number, row) of a Parquet file."""
    try:
        return list(enumerate(arrow().parquet.read_table(path).to_pylist(), 1))
    except (OSError, arrow().ArrowException) as error:
        raise AvicError(f"{path.name} cannot be read as Parquet: {error}") from error
