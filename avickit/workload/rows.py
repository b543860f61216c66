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
    if None in row or None in row.values():
        raise AvicError(f"{where}: more or fewer values than the {len(COLUMNS)} columns: is the file cut off?")
    try:
        values: dict[str, Any] = {
            f.name: flag(row[f.name]) if f.name in FLAGS else int(row[f.name]) for f in fields(Parameters)
        }
        counters = {name: int(row[name]) for name in COUNTERS}
        found = Result(Parameters(**values), int(row["cycles"]), counters, str(row["digest"]))
        seconds = float(row["seconds"])
    except (ValueError, TypeError, KeyError) as error:
        raise AvicError(f"{where}: {error}") from error
    if not DIGEST.fullmatch(found.digest):
        raise AvicError.of(f"{where}: digest", found.digest, "16 hexadecimal digits: is the file cut off?")
    passed = {found.counters["written"], found.counters["received"]}
    if passed != {found.parameters.messages} or abs(seconds - found.seconds) > ROUNDING:
        raise AvicError(f"{where}: its messages or seconds are not those of its parameters: were they changed?")
    return found


def flag(value: object) -> bool:
    """True or false, as text or as itself."""
    if str(value).lower() not in ("true", "false"):
        raise AvicError.of("flag", value, "true or false")
    return str(value).lower() == "true"
