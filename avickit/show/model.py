"""What there is to see of a page, before anybody draws it: a sheet of groups of rows.

A row is one place of the page: offset, name, access letters, value, which bits have changed, its fields. Text, HTML and
the live views draw the same sheets. Does not model: looks (see `as_text`, `as_html`, `palette`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from avickit.bits import Field, Register, show
from avickit.show.writing import cut, written

Shape = Literal["registers", "vectors", "entries", "words", "dump"]
"""How a group is drawn: registers by bit, sets of 256 vectors as grids, a table's entries by field, words by field, and
plain words in lines of 16 bytes."""
MOST_ROWS = 27
"""So many rows of a sheet are told, so that a page full of anything stays one that people can read."""
MOST_FIELDS = 14
"""And so many fields of a row."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a row: its name, its bits, its value as people read it, and whether it changed."""

    name: str
    where: str
    value: int
    shown: str
    meaning: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One place of a page. `place` is its full name, as beats call it; `before` its earlier value.

    `access` is what a guest read and a guest write do, as letters (`A/T`); empty where no guest reaches.
    """

    place: str
    offset: int
    name: str
    value: int
    before: int
    width: int
    parts: tuple[Part, ...] = ()
    access: str = ""
    meaning: str = ""
    rest: int | None = 0
    """The value it has when nothing is to be told of it; None if it is always worth showing."""
    touched: bool = False
    """The beat that is shown looks at this place."""
    ever: int | None = None
    """The bits that are set at any time of a story; None outside a story."""

    @property
    def changed(self) -> int:
        """The bits that changed, as a mask."""
        return self.value ^ self.before

    @property
    def mark(self) -> str:
        """`*` changed, `>` looked at, else a blank: what the hue says, for everybody."""
        return "*" if self.changed else ">" if self.touched else " "

    @property
    def quiet(self) -> bool:
        """Whether it may be folded away."""
        return self.value == self.rest and not self.changed and not self.touched

    def runs(self) -> Iterator[tuple[str, bool]]:
        """The bits from the highest down in groups of four, cut where changed and unchanged bits meet."""
        yield from cut(written(self.value, self.width)[::-1], self.changed, self.width)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together; `more` says what is not even among them, `room` how many of them can be told."""

    title: str
    shape: Shape
    rows: tuple[Row, ...]
    more: str = ""
    room: int = MOST_ROWS

    @property
    def told(self) -> tuple[Row, ...]:
        """The rows worth telling, as far as there is room."""
        found = tuple(row for row in self.rows if not row.quiet)
        return found if self.shape == "dump" else found[: self.room]

    @property
    def cut(self) -> int:
        """How many rows there was no room for."""
        return sum(not row.quiet for row in self.rows) - len(self.told)

    @property
    def quiet(self) -> tuple[Row, ...]:
        """The rows that can be folded away."""
        return tuple(row for row in self.rows if row.quiet)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as people look at it. `note` says which moment it shows and what the marks mean."""

    title: str
    kind: str
    note: str
    groups: tuple[Group, ...]
    legend: str = ""

    def fitted(self) -> "Sheet":
        """The sheet with room for `MOST_ROWS` rows, given to its groups in their order."""
        left, groups = MOST_ROWS, []
        for group in self.groups:
            groups.append(replace(group, room=left))
            left -= len(groups[-1].told) if group.shape != "dump" else 0
        return replace(self, groups=tuple(groups))

    def rows(self) -> Iterator[Row]:
        """All its rows."""
        return (row for group in self.groups for row in group.rows)

    def only(self, places: Mapping[str, int]) -> "Sheet":
        """The sheet with just the rows of these places, told whatever they hold; as it is if it has none of them.

        The numbers are the bits that each of them ever holds: all that a narrow drawing needs room for.
        """
        kept = []
        for group in self.groups:
            rows = tuple(replace(row, rest=None, ever=places[row.place]) for row in group.rows if row.place in places)
            kept += [replace(group, rows=rows, more="")] if rows else []
        return replace(self, groups=tuple(kept)).fitted() if kept else self

    def keeping(self, places: Mapping[str, int]) -> "Sheet":
        """The sheet with the rows of these places told whatever they hold, so that no row comes or goes."""
        groups = []
        for group in self.groups:
            rows = tuple(replace(row, rest=None) if row.place in places else row for row in group.rows)
            groups.append(replace(group, rows=rows))
        return replace(self, groups=tuple(groups)).fitted()


def parts_of(register: type[Register] | None, value: int, before: int) -> tuple[Part, ...]:
    """The fields of a value, highest bits first, and reserved bits that are set."""
    if register is None:
        return ()
    found = [part_of(field, value, before) for field in register.fields.values()]
    if value & register.reserved.mask:
        hit, changed = register.reserved.hit(value), bool((value ^ before) & register.reserved.mask)
        found.append(Part("RESERVED", hit, value & register.reserved.mask, f"[{hit}]!", "must be 0", changed))
    return tuple(found)


def part_of(field: Field[Any], value: int, before: int) -> Part:
    """One field of a value."""
    now = field.of(value)
    changed = now != field.of(before)
    return Part(field.name, field.where, int(now), show(now), field.doc, changed)
