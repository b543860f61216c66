"""Results in a file, CSV or Parquet: a row for each run with all its parameters, its seed, time and counters.

A file grows by whole runs and is replaced in one go, so that an interrupted command finds in it what it had finished.
Does not model: anything.
"""

import os
from contextlib import suppress
from pathlib import Path

from avickit.errors import AvicError
from avickit.workload.formats import FORMATS
from avickit.workload.parameters import Parameters
from avickit.workload.result import Result
from avickit.workload.rows import from_row


class Store:
    """The results in a file. `command` is written into it beside those that were there: it says how it was made.

    Raises AvicError for a name of another kind, and for a file that holds anything but whole results.
    """

    def __init__(self, path: str | Path, command: str = "") -> None:
        self.path, self.command = Path(path), command
        if self.path.suffix not in FORMATS:
            raise AvicError.of("results file", str(path), "a name that ends in .csv or .parquet")
        self.format = FORMATS[self.path.suffix]
        self.commands: list[str] = []
        self.results: list[Result] = []
        self.look()

    @property
    def new(self) -> Path:
        """Where the file is written before it takes the other's place; each process has its own."""
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.new")

    def claim(self) -> None:
        """See that the file can be written, before anybody computes for it. Raises AvicError if not."""
        try:
            self.new.touch()
            self.new.unlink()
        except OSError as error:
            raise AvicError(f"{self.path} cannot be written: {error.strerror}") from error

    def find(self, p: Parameters) -> Result | None:
        """The result of just these parameters, if it is there."""
        return next((r for r in self.results if r.parameters == p), None)

    def add(self, found: Result) -> None:
        """One more; it is in the file when this returns, with what others have put there meanwhile."""
        self.look()
        self.results.append(found)
        if self.command and self.command not in self.commands:
            self.commands.append(self.command)
        try:
            self.format.write(self.new, [r.data() for r in self.results], self.commands)
            os.replace(self.new, self.path)  # noqa: PTH105  (Path.replace, under a name that says it is one step)
        except OSError as error:
            with suppress(OSError):
                self.new.unlink()
            raise AvicError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def look(self) -> None:
        """Take in what the file holds. Raises AvicError naming file, line and what is wrong."""
        try:
            if not self.path.exists():
                return
            if self.path.is_dir():
                raise AvicError.of("results file", str(self.path), "a file, not a folder")
        except OSError as error:
            raise AvicError(f"{self.path.name} cannot be read: {error.strerror}") from error
        rows, where = self.format.read(self.path), f"{self.path.name}, {self.format.row}"
        self.results = [from_row(row, f"{where} {n}") for n, row in rows]
        self.commands = self.format.commands(self.path)
