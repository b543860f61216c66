"""Rows in a file: CSV, or Parquet, which needs pyarrow. Either says in its head by which commands it was made.

Does not model: what the rows mean (`rows`).
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from avickit.errors import AvicError
from avickit.workload.rows import COLUMNS

MADE_BY = "# made by: "
Numbered = list[tuple[int, dict[str, Any]]]


class Format(NamedTuple):
    """How one kind of file is read and written, and what it calls a row."""

    row: str
    read: Callable[[Path], Numbered]
    commands: Callable[[Path], list[str]]
    write: Callable[[Path, Sequence[dict[str, Any]], Iterable[str]], None]


def csv_rows(path: Path, needed: Iterable[str] = COLUMNS) -> Numbered:
    """(line number, row) of a CSV file with these columns at least; lines that begin with # are comments."""
    try:
        kept = [(n, line) for n, line in enumerate(lines_of(path), 1) if line.strip() and not line.startswith("#")]
        reader = csv.DictReader((line for _, line in kept), strict=True)
        rows, names = list(reader), list(reader.fieldnames or ["none"])
    except csv.Error as error:
        raise AvicError(f"{path.name} cannot be read: {error}") from error
    missing = [name for name in needed if name not in names]
    if missing:
        raise AvicError.of(f"{path.name}: columns", ", ".join(names), ", ".join(missing))
    return [(n, row) for (n, _), row in zip(kept[1:], rows, strict=False)]


def csv_commands(path: Path) -> list[str]:
    """The commands that a file's comments name."""
    return [line.removeprefix(MADE_BY) for line in lines_of(path) if line.startswith(MADE_BY)]


def lines_of(path: Path) -> list[str]:
    """The lines of a text file; the mark that a spreadsheet puts in front is none of them."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AvicError(f"{path.name} cannot be read: {error}") from error


def write_csv(path: Path, rows: Sequence[dict[str, Any]], commands: Iterable[str]) -> None:
    """Comments that say how the file was made, a head, the rows."""
    out = io.StringIO()
    out.writelines(f"{MADE_BY}{command}\n" for command in commands)
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows)
    path.write_text(out.getvalue(), encoding="utf-8")


def arrow() -> Any:
    """The pyarrow library."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise AvicError("Parquet needs pyarrow: pip install avickit[workload], or a name that ends in .csv") from None
    return pyarrow


def table_of(path: Path) -> Any:
    """All of a Parquet file."""
    try:
        return arrow().parquet.read_table(path)
    except (OSError, arrow().ArrowException) as error:
        raise AvicError(f"{path.name} cannot be read as Parquet: {error}") from error


def parquet_rows(path: Path) -> Numbered:
    """(row number, row) of a Parquet file."""
    table = table_of(path)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise AvicError.of(f"{path.name}: columns", ", ".join(table.column_names), ", ".join(missing))
    return list(enumerate(table.to_pylist(), 1))


def parquet_commands(path: Path) -> list[str]:
    """The commands in its metadata."""
    metadata: dict[bytes, bytes] = table_of(path).schema.metadata or {}
    return metadata.get(b"command", b"").decode().splitlines()


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], commands: Iterable[str]) -> None:
    """The rows, the commands in the metadata."""
    table = arrow().Table.from_pylist(list(rows)).replace_schema_metadata({"command": "\n".join(commands)})
    arrow().parquet.write_table(table, path)


FORMATS = {
    ".csv": Format("line", csv_rows, csv_commands, write_csv),
    ".parquet": Format("row", parquet_rows, parquet_commands, write_parquet),
}
"""By the end of a file's name."""
