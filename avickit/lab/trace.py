"""The trace: every beat with its old and new value, and the commands that caused them. Data, not frames.

The state at any beat is the state now with the later writes undone. Does not model: what was not recorded.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from avickit.beat import CLOCK, Kind, Site, World
from avickit.bits import Shown
from avickit.errors import AvicError
from avickit.lab import names
from avickit.lab.words import say

Raw = tuple[Site, int, Any, Any, int, int]
"""site, place, old, new, time, actor: what the recorder keeps of a beat."""


class Log:
    """The recorder's beats in one flat list, because a tuple for each would keep Python's garbage collector busy."""

    __slots__ = ("flat",)
    width = 6

    def __init__(self) -> None:
        self.flat: list[Any] = []

    def __len__(self) -> int:
        return len(self.flat) // self.width

    def __getitem__(self, index: int) -> Raw:
        at = index * self.width
        return tuple(self.flat[at : at + self.width])

    def __iter__(self) -> Iterator[Raw]:
        return zip(*[iter(self.flat)] * self.width, strict=True)

    def backwards(self, last: int, first: int) -> Iterator[tuple[int, Any]]:
        """(place, old value) of the beats from index `last` down to `first`."""
        flat, width = self.flat, self.width
        for at in range(last * width, first * width - 1, -width):
            yield flat[at + 1], flat[at + 2]


class Beat(NamedTuple):
    """One beat as people read it: number from 1, time in ns, actor, what it did where, which rule says so."""

    n: int
    time: int
    actor: str
    kind: str
    place: str
    old: Any
    new: Any
    rule: str
    cite: str
    say: str
    module: str

    def __str__(self) -> str:
        return f"{self.n:>5}  {self.actor:<7} {self.kind:<6} {self.place}: {self.say}  [{self.rule}]"


class Command(NamedTuple):
    """What the user did: its name, its arguments as data, how many beats there were before it.

    `until` is the beat where a fork stopped inside it; None where it went on to its end.
    """

    name: str
    args: tuple[Any, ...]
    first: int
    until: int | None = None


class Trace(Shown):
    """The beats so far: `len(t)`, `t[17]` (from 1), `t.state(17)`, `t.where(kind="SIGNAL")`, `t.json()`.

    `notes` are remarks on beats, by number, that their sentences end with.
    """

    def __init__(self, world: World, limit: int) -> None:
        self.world, self.limit = world, limit
        self.raw = Log()
        self.commands: list[Command] = []
        self.complete = True
        self.notes: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, n: int) -> Beat:
        if not 1 <= n <= len(self.raw):
            raise AvicError.of("beat", n, f"1..{len(self.raw)}{'' if self.complete else ' (the recording limit)'}")
        site, place, old, new, time, actor = self.raw[n - 1]
        w = self.world
        told = say(w, self.raw[n - 1])
        if n in self.notes:
            told += f"; {self.notes[n]}"
        where = names.long(w, place)
        return Beat(
            n, time, actor_name(actor), site.kind.name, where, old, new, site.rule, site.cite, told, site.module
        )

    def __iter__(self) -> Iterator[Beat]:
        return (self[n] for n in range(1, len(self.raw) + 1))

    def __repr__(self) -> str:
        more = "" if self.complete else f", recording stopped at its limit of {self.limit}"
        return f"<Trace of {len(self.raw)} beats, {len(self.commands)} commands{more}>"

    def where(
        self, *, kind: str | None = None, actor: str | None = None, place: str | None = None, rule: str | None = None
    ) -> list[Beat]:
        """The beats that fit: kind and actor exactly, place and rule by a part of their text."""
        if kind is not None and kind.upper() not in Kind.__members__:
            raise AvicError.of("kind of beat", kind, " ".join(Kind.__members__))
        found = []
        for n, raw in enumerate(self.raw, 1):
            if (kind is None or raw[0].kind.name == kind.upper()) and (rule is None or rule in raw[0].rule):
                beat = self[n]
                if (actor is None or beat.actor == actor) and (place is None or place.lower() in beat.place.lower()):
                    found.append(beat)
        return found

    def state(self, n: int) -> list[Any]:
        """Every place of the World as it was after beat n (0: before the first). Exact, forward and back."""
        if not 0 <= n <= len(self.raw) or not self.complete:
            raise AvicError.of("beat", n, f"0..{len(self.raw)}, of a complete recording")
        at = self.world.at.copy()
        for place, old in self.raw.backwards(len(self.raw) - 1, n):
            at[place] = old
        at[CLOCK] = self.raw[n - 1][4] if n else 0
        return at

    def json(self) -> str:
        """The trace as JSON: one object a beat, and the commands. `load` reads it, beats equal."""
        from avickit.lab.trace_json import dumps

        return dumps(self)


def actor_name(actor: int) -> str:
    """`core 1`, or `world` for time and the user's own hand."""
    return f"core {actor}" if actor >= 0 else "world"


def load(text: str) -> list[Beat]:
    """The beats of a JSON trace; `trace_json.loads` gives its commands too. Raises AvicError naming what is wrong."""
    from avickit.lab.trace_json import loads

    return loads(text).beats
