"""A result as a row of a table, and back: all its parameters, its seed, its time, its counters, its digest.

Does not model: files (`formats`, `store`).
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from avickit.errors import AvicError
from avickit.workload.parameters import Parameters
from avickit.workload.result import COUNTERS, Result

TIMES = ("seconds", "cycles")
COLUMNS = (*(f.name for f in fields(Parameters)), *TIMES, *COUNTERS, "digest")
FLAGS = tuple(f.name for f in fields(Parameters) if f.metadata["unit"] == "flag")
DIGEST, ROUNDING = re.compile("[0-9a-f]{16}"), 1e-6


def from_row(row: Mapping[str, Any], where: str) -> Result:
    """A result from a row of strings or of numbers. Raises AvicError for one that is no whole result."""
    as_many(row, len(COLUMNS), where)
    try:
        values: dict[str, Any] = {
            f.name: flag(row[f.name]) if f.name in FLAGS else whole(f.name, row[f.name]) for f in fields(Parameters)
        }
        counters = {name: whole(name, row[name]) for name in COUNTERS}
        found = Result(Parameters(**values), whole("cycles", row["cycles"]), counters, str(row["digest"]))
        seconds, theirs = float(row["seconds"]), found.seconds
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise AvicError(f"{where}: {error}") from error
    if not DIGEST.fullmatch(found.digest):
        raise AvicError.of(f"{where}: digest", found.digest, "16 hexadecimal digits: is the file cut off?")
    passed = {found.counters["written"], found.counters["received"]}
    if passed != {found.parameters.messages} or not abs(seconds - theirs) <= ROUNDING:
        raise AvicError(f"{where}: its messages or seconds are not those of its parameters: were they changed?")
    return found


def as_many(row: Mapping[str, Any], columns: int, where: str) -> None:
    """Raises AvicError for a row with more or fewer values than columns, as csv.DictReader marks them."""
    if None in row or None in row.values():
        raise AvicError(f"{where}: more or fewer values than the {columns} columns: is the file cut off?")


def whole(name: str, value: object) -> int:
    """A whole number from 0, as text or as itself, or as a float without a fraction, as tables may keep it."""
    found = int(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1
    if found < 0 or (isinstance(value, float) and found != value):
        raise AvicError.of(name, value, "a whole number, 0 or more")
    return found


def flag(value: object) -> bool:
    """True or false, as text or as itself."""
    if str(value).lower() not in ("true", "false"):
        raise AvicError.of("flag", value, "true or false")
    return str(value).lower() == "true"
