r"""On which line of a TOML text each key and each element of an array stands, so that an error can name it.

`lines("[a]\nb = [1,\n 2]")` is `{("a",): 1, ("a", "b"): 2, ("a", "b", 0): 2, ("a", "b", 1): 3}`. Only for text that
tomllib has read without an error. Does not model: values; tomllib reads those.
"""

import re
import tomllib
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
INLINE = re.compile(r"[ \t]*")
STRINGS = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL)
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
SCALAR = re.compile(r"[^,\]}#\n]+")


class Lines:
    """A walk through the text: `at` is where it stands, `found` what it has met."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def walk(self) -> None:
        """Headers and keys to the end of the text."""
        table: Path = ()
        while self.skip(BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.key_and_value(table)

    def header(self) -> Path:
        """`[a.b]` or `[[a]]`: the path of the table that begins."""
        double = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if double else 1
        names = self.key()
        self.at += 2 if double else 1
        table: Path = ()
        for depth, name in enumerate(names, 1):
            table = (*table, name)
            self.note(table, start)
            if double and depth == len(names):
                self.counts[table] = self.counts.get(table, 0) + 1
            if table in self.counts:
                table = (*table, self.counts[table] - 1)
                self.note(table, start)
        return table

    def key_and_value(self, table: Path) -> None:
        """`a.b = value`."""
        start, place = self.at, table
        for name in self.key():
            place = (*place, name)
            self.note(place, start)
        self.at += 1
        self.skip(INLINE)
        self.value(place)

    def key(self) -> list[str]:
        """A key, dotted or not; afterwards we stand at what follows it."""
        names = []
        while True:
            self.skip(INLINE)
            quoted = STRINGS.match(self.text, self.at)
            found = quoted or BARE_KEY.match(self.text, self.at)
            assert found is not None
            names.append(tomllib.loads(f"key = {found[0]}")["key"] if quoted else found[0])
            self.at = found.end()
            self.skip(INLINE)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def value(self, place: Path) -> None:
        """A value; what is inside an array or an inline table is noted too."""
        first = self.text[self.at]
        if first in "[{":
            self.at += 1
            for index in range(len(self.text)):
                self.skip(BLANK)
                if self.text[self.at] in "]}":
                    break
                if first == "[":
                    self.note((*place, index), self.at)
                    self.value((*place, index))
                else:
                    self.key_and_value(place)
                self.skip(BLANK)
                if self.text[self.at] == ",":
                    self.at += 1
            self.at += 1
            return
        found = STRINGS.match(self.text, self.at) or SCALAR.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def skip(self, what: re.Pattern[str]) -> int:
        """Go past blanks and comments; where we stand then."""
        found = what.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def note(self, place: Path, start: int) -> None:
        """The first mention counts."""
        self.found.setdefault(place, self.text.count("\n", 0, start) + 1)


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key, table and element of an array; the text must be valid TOML."""
    walk = Lines(text)
    walk.walk()
    return walk.found


def nearest(found: dict[Path, int], place: Path) -> int | None:
    """The line of a path, or of the innermost part of it that has one; None where nothing is certain."""
    for end in range(len(place), 0, -1):
        if place[:end] in found:
            return found[place[:end]]
    return None
