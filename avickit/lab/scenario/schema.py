"""The shape of a scenario file: its JSON Schema, and what is wrong with a file in words that name file, key and line.

The schema library is loaded when the first file is read. Does not model: what the words mean (`names`).
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

from avickit import data
from avickit.errors import AvicError
from avickit.lab.scenario.toml_lines import Path, lines, nearest

SCHEMA = "scenario.schema.json"
MANY = 30
"""More names than that are not listed."""


class ScenarioError(AvicError):
    """A scenario file that cannot be used: `file`, `key` and, where it is certain, `line` say where."""

    def __init__(self, file: str, key: str, line: int | None, what: str) -> None:
        self.file, self.key, self.line = file, key, line
        where = f"{file}, line {line}" if line else file
        super().__init__(f"{where}: {key}: {what}" if key else f"{where}: {what}")


class Source:
    """The text of a scenario and where it came from; it makes the errors."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self._lines: dict[Path, int] | None = None

    def line(self, place: Path) -> int | None:
        """The line of a key, None where it is not certain."""
        if self._lines is None:
            self._lines = lines(self.text)
        return nearest(self._lines, place)

    def error(self, place: Path, what: str) -> ScenarioError:
        """What is wrong at a key."""
        return ScenarioError(self.file, key_text(place), self.line(place), what)


def key_text(place: Path) -> str:
    """A key as people say it: `setup step 3, core`, `expect.v1.irr item 1`, `domain item 2`."""
    said = ""
    for depth, part in enumerate(place):
        if isinstance(part, int):
            is_step = place[:depth] == ("setup",) or (place[0] == "race" and depth == 2)
            said += f" {'step' if is_step else 'item'} {part + 1}"
        else:
            said += (", " if isinstance(place[depth - 1], int) else ".") * bool(said) + part
    return said


def read(source: Source) -> dict[str, Any]:
    """The file's data, if it is TOML and fits the schema. Raises ScenarioError."""
    try:
        found = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        what, at, rest = str(error).partition(" (at line ")
        line = int(rest.split(",")[0]) if at and rest.split(",")[0].isdigit() else None
        raise ScenarioError(source.file, "", line, f"no TOML: {what}") from error
    from fastjsonschema import JsonSchemaValueException

    try:
        validator()(found)
    except JsonSchemaValueException as error:
        raise told(source, found, error) from error
    return found


@cache
def schema() -> dict[str, Any]:
    """The schema that the package ships."""
    found: dict[str, Any] = json.loads(data.path(SCHEMA).read_text(encoding="utf-8"))
    return found


@cache
def validator() -> Callable[[Any], Any]:
    """The schema as a function; fastjsonschema makes it once."""
    import fastjsonschema

    made: Callable[[Any], Any] = fastjsonschema.compile(schema())
    return made


def told(source: Source, found: Any, error: Any) -> ScenarioError:
    """The library's finding in our words, at the innermost key that is to blame."""
    place, value = follow(found, error.path[1:])
    expected = error.rule_definition
    if error.rule == "additionalProperties":
        known = error.definition.get("properties", {})
        unknown = next(key for key in value if key not in known and not fits(key, error.definition))
        known = [*known, *("v0 or d1 for a vCPU or a domain",) * ("patternProperties" in error.definition)]
        return source.error((*place, unknown), f"unknown key{near(unknown, known)}")
    if error.rule == "required":
        missing = ", ".join(key for key in expected if key not in value)
        return source.error(place, f"{missing} is missing")
    if error.rule in ("anyOf", "oneOf") and error.definition.get("description", "").startswith("One step"):
        verbs = [key for choice in expected for key in choice["required"]]
        return source.error(place, f"no verb among {', '.join(value) or 'no keys'}; expected one of {' '.join(verbs)}")
    if error.rule == "propertyNames":
        odd = next(key for key in value if not re.search(expected["pattern"], key))
        return source.error((*place, odd), f"expected {expected['description']}")
    meant = error.definition.get("description", "").rstrip(".")
    if error.rule in ("anyOf", "oneOf", "pattern"):
        what = f"expected {meant or 'a number, or a table of fields'}"
    elif error.rule == "const":
        what = f"expected {shown(expected)}"
    else:
        what = error.message.removeprefix(error.name).strip()
    return source.error(place, f"{shown(value)} given, {what}")


def follow(found: Any, path: Iterable[str]) -> tuple[Path, Any]:
    """The library's path with numbers where the data has arrays, and the value there."""
    place: Path = ()
    for part in path:
        step: str | int = int(part) if isinstance(found, list) else part
        if isinstance(found, dict) and part not in found:
            break
        found = found[step]
        place = (*place, step)
    return place, found


def fits(key: str, definition: dict[str, Any]) -> bool:
    """Whether one of the definition's patterns allows the key."""
    return any(re.search(pattern, key) for pattern in definition.get("patternProperties", {}))


def near(key: str, known: Iterable[str]) -> str:
    """What may have been meant."""
    names = list(known)
    close = get_close_matches(key, names, n=3, cutoff=0.5)
    if close or len(names) > MANY:
        return f"; near it: {', '.join(close)}" if close else ""
    return f", expected one of {', '.join(names)}"


def shown(value: Any) -> str:
    """A value in an error: short ones as they are."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
