"""A trace as JSON, out and in again: one object a beat, the commands, whether the recording is complete.

What is kept comes back equal: numbers of any size, tuples, and the records that a core or a guest holds. Does not
model: the start state; a machine is made anew from its commands (`Machine.fork`).
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from avickit.beat import Kind
from avickit.errors import AvicError
from avickit.lab.trace import Beat, Command
from avickit.manual.exits import ExitCode
from avickit.silicon.guest import Frame
from avickit.silicon.parts import Exit, Latch

if TYPE_CHECKING:
    from avickit.lab.trace import Trace

FORMAT = 1
EXACT = 1 << 53
"""From here on a number is written as hex text, because not every reader of JSON keeps so many digits."""
RECORDS: dict[str, Any] = {record.__name__: record for record in (Exit, Latch, Frame)}
NUMBERS = ("n", "time")


class Recording(NamedTuple):
    """What a file holds: beats, the commands that caused them, and whether nothing is missing at the end."""

    beats: list[Beat]
    commands: list[Command]
    complete: bool


def dumps(trace: "Trace") -> str:
    """The trace as JSON text."""
    beats = [{k: plain(v) for k, v in beat._asdict().items()} for beat in trace]
    commands = [command._asdict() | {"args": plain(tuple(command.args))} for command in trace.commands]
    return json.dumps({"format": FORMAT, "complete": trace.complete, "commands": commands, "beats": beats})


def plain(value: Any) -> Any:
    """A value as JSON can hold it. Raises AvicError for one that would not come back."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return {"int": hex(value)} if abs(value) >= EXACT else int(value)
    if type(value).__name__ in RECORDS:
        return {"record": type(value).__name__} | {k: plain(getattr(value, k)) for k in value.__match_args__}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    raise AvicError.of("value in a trace", repr(value), f"a number, a tuple, or one of {' '.join(RECORDS)}")


def loads(text: str) -> Recording:
    """The recording in a JSON text. Raises AvicError naming the beat or command that is wrong, and what about it."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise AvicError(f"trace, line {error.lineno}: no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise AvicError(f"trace: no JSON that can be read: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        given = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise AvicError.of("trace", given, f"an object with format {FORMAT}, as Trace.json() writes it")
    for key in ("commands", "beats"):
        if not isinstance(data.get(key), list):
            raise AvicError(f"trace: {key} is missing, or no list")
    beats: list[Beat] = []
    for n, item in enumerate(data["beats"], 1):
        beats.append(beat(n, item, beats[-1].time if beats else 0))
    commands = [command(n, item) for n, item in enumerate(data["commands"], 1)]
    return Recording(beats, commands, bool(data.get("complete", True)))


def beat(n: int, item: Any, before: int) -> Beat:
    """One beat; its number counts up from 1, its time never goes back."""
    parts = checked(f"trace beat {n}", item, Beat._fields)
    for key in Beat._fields:
        if key in ("old", "new"):
            continue
        expected = int if key in NUMBERS else str
        if type(parts[key]) is not expected:
            raise AvicError.of(f"trace beat {n}, {key}", parts[key], "a number" if expected is int else "a text")
    if parts["n"] != n:
        raise AvicError.of(f"trace beat {n}, n", parts["n"], f"{n}: beats are numbered from 1")
    if parts["time"] < before:
        raise AvicError.of(f"trace beat {n}, time", parts["time"], f"at least {before}, the time of the beat before it")
    if parts["kind"] not in Kind.__members__:
        raise AvicError.of(f"trace beat {n}, kind", parts["kind"], " ".join(Kind.__members__))
    return Beat(**parts)


def command(n: int, item: Any) -> Command:
    """One command."""
    parts = checked(f"trace command {n}", item, Command._fields)
    is_good = isinstance(parts["name"], str) and isinstance(parts["args"], tuple) and type(parts["first"]) is int
    if not is_good or not (parts["until"] is None or type(parts["until"]) is int):
        raise AvicError.of(f"trace command {n}", item, "name, args (a list), first (a beat), until (a beat or null)")
    return Command(**parts)


def checked(what: str, item: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """An object with exactly these keys, its values read."""
    if not isinstance(item, dict):
        raise AvicError.of(what, item, "an object")
    missing, extra = [f for f in fields if f not in item], [k for k in item if k not in fields]
    if missing or extra:
        said = [f"{' '.join(missing)} missing"] * bool(missing) + [f"{' '.join(extra)} unknown"] * bool(extra)
        raise AvicError(f"{what}: {', '.join(said)}; expected {' '.join(fields)}")
    return {key: value(f"{what}, {key}", item[key]) for key in fields}


def value(what: str, given: Any) -> Any:
    """A value of the file, as it was in the machine."""
    if isinstance(given, list):
        return tuple(value(what, item) for item in given)
    if not isinstance(given, dict):
        if isinstance(given, float):
            raise AvicError.of(what, given, "a whole number")
        return given
    if set(given) == {"int"}:
        try:
            return int(given["int"], 16)
        except (TypeError, ValueError):
            raise AvicError.of(what, given["int"], "a number in hex, such as 0x41") from None
    return record(what, given)


def record(what: str, given: Mapping[str, Any]) -> Any:
    """An exit, a latch or a frame."""
    name = given.get("record")
    if not isinstance(name, str) or name not in RECORDS:
        raise AvicError.of(what, name, f"a record: {' '.join(RECORDS)}")
    made = RECORDS[name]
    parts = checked(what, {k: v for k, v in given.items() if k != "record"}, made.__match_args__)
    if made is Exit:
        if parts["code"] not in list(ExitCode):
            raise AvicError.of(f"{what}, code", parts["code"], "an exit code")
        parts["code"] = ExitCode(parts["code"])
    return made(**parts)
