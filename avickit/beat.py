"""What a beat is, the World (all mutable state), overlays and the drivers.

An algorithm is a generator that *asks*: each `yield` names a place and what to do with it; the driver does it and
answers with the old value. One source, three uses: run to the end it is the plain function, beat by beat it is the
stepper, several in any order it is the race explorer. Does not model: store buffers (a driver's matter).
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Generator, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache, update_wrapper
from inspect import CO_VARARGS, CO_VARKEYWORDS, signature
from types import CodeType, FunctionType
from typing import Any, Concatenate, Generic, NamedTuple, NoReturn, ParamSpec, Protocol, TypeAlias, TypeVar, cast

from avickit.errors import AvicError, Deadlock, OverBudget

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")

Do = Enum("Do", "LOAD STORE OR AND FENCE LOCK WAIT SIGNAL ADD")
Do.__doc__ = (
    "What a beat does to its place. OR, AND, ADD and LOCK are locked; to unlock is to store 0; WAIT waits for non-0."
)
LOAD, STORE, OR, AND, FENCE, LOCK, WAIT, SIGNAL, ADD = Do

Kind = Enum("Kind", "READ CHECK UPDATE SIGNAL EXIT")
Kind.__doc__ = "What a beat means in the story: every algorithm is told with these five words."

Ask: TypeAlias = "tuple[Site, int, Any, Do]"
Beats: TypeAlias = Generator[Ask, Any, R]
"""A generator of asks; every ask is answered with the place's old value."""


class Site:
    """The static half of a beat, declared once: what it does, which rule says so, where, and a plain sentence.

    `say` may use {place} {old} {new} {bits} (the bits that changed, as vectors) and {area}. Calling the site makes
    the ask: `yield READ_ICRH(page + ICRH)`. (A Site is a function with attributes, because it is called for every
    beat and a function is the quickest thing that can be.)
    """

    kind: Kind
    do: Do
    rule: str
    cite: str
    say: str
    module: str

    def __new__(cls, kind: Kind, do: Do, rule: str, cite: str, say: str) -> "Site":
        """A function of this shape; `module` is where it is declared."""

        def site(place: int, value: Any = 0) -> Ask:
            return (found, place, value, do)

        vars(site).update(kind=kind, do=do, rule=rule, cite=cite, say=say)
        vars(site).update(module=sys._getframe(1).f_globals["__name__"])
        found = cast("Site", site)
        return found

    def __call__(self, place: int, value: Any = 0) -> Ask:
        """The ask to do this at a place."""
        raise NotImplementedError


class Op(Generic[P, R]):
    """A step that an overlay can replace; `@Op` on a generator function whose first argument is the World.

    The decorated name is a function of the same signature that runs what stands for the step in this World; `.fn` is
    the original.
    """

    fn: "Callable[Concatenate[World, P], Beats[R]]"
    name: str
    __name__: str

    def __new__(cls, fn: "Callable[Concatenate[World, P], Beats[R]]") -> "Op[P, R]":
        """A function of this shape; its Python signature is that of `fn`. Raises TypeError for starred parameters."""
        of = cast("FunctionType", fn)
        code = of.__code__
        if code.co_kwonlyargcount or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
            raise TypeError(f"{fn.__name__}: a step has plain parameters only")
        made: dict[str, Any] = {"fn": fn}
        own = _step(", ".join(code.co_varnames[: code.co_argcount])).replace()  # CPython adapts code to one function
        made["step"] = step = FunctionType(own, made, of.__name__, of.__defaults__)
        update_wrapper(step, fn)
        vars(step).update(fn=fn, name=f"{fn.__module__.removeprefix('avickit.')}.{fn.__name__}")
        return cast("Op[P, R]", step)

    def __call__(self, w: "World", *args: P.args, **kwargs: P.kwargs) -> Beats[R]:
        """The beats of the step, as this World has it."""
        raise NotImplementedError


@cache
def _step(names: str) -> CodeType:
    """The code of a step with these parameters; compiled once for all that have them."""
    made: dict[str, Any] = {}
    exec(f"def step({names}): return w.table[step]({names}) if step in w.table else fn({names})", made)
    step: FunctionType = made["step"]
    return step.__code__


class Area(NamedTuple):
    """A run of places with a name: a page, the cells of a core. `private`: only its owner reads it."""

    name: str
    base: int
    labels: tuple[str, ...]
    private: bool


FOREVER = 1 << 62
"""Longer than any clock runs, in nanoseconds; a range up to it still counts in machine words."""
DEFECTS = "XKP"
"""What the number of a published defect begins with."""
CLOCK = 0
"""The place of the machine's clock, in nanoseconds."""


class Sight(Protocol):
    """Places to look at, and only that: `w.see[core.mode]`. It is the list of places itself, the quickest there is."""

    def __getitem__(self, place: int, /) -> Any:
        """What stands at a place."""


class World:
    """All mutable state, `at[place]`, beside what is fixed at boot: overlays, hooks, choices, programs, names.

    Every place starts as 0. Pages lie first (`page_places` places each, so that an address is a place by
    arithmetic), named cells behind them. Registries only grow; they are names, not state.
    """

    page_places = 512

    def __init__(self, pages: int = 0) -> None:
        self.pages = pages
        self.first_page = 1
        self.at: list[Any] = [0] * (1 + pages * self.page_places)
        self.see: Sight = self.at
        """A core's look at what nobody else can touch (its own registers): no beat. Shared places need one."""
        self.areas: list[Area] = [Area("machine", 0, ("clock",), False)]
        self.area_bases: list[int] = [0]
        self.page_names: dict[int, tuple[str, str]] = {}
        self.table: dict[Op[..., Any], Callable[..., Beats[Any]]] = {}
        self.by: dict[Op[..., Any], str] = {}
        self.hooks: dict[str, Callable[..., Beats[Any]]] = {}
        self.choices: dict[str, str] = {}
        self.programs: list[Any] = []
        self.answers: list[tuple[int, int]] = []
        self.cache: dict[Any, Any] = {}
        self.signalled: list[int] = []
        self.price: Mapping[Site, int] | None = None
        self.deadline = FOREVER
        """When the clock shows this, a driver gives up: not state, but how long its owner is willing to wait."""
        self.objects: dict[str, Any] = {}

    def cells(self, shape: type[C], name: str, *, private: bool = False) -> C:
        """Named cells, one for each field of a frozen dataclass of ints; answers with their places."""
        labels = tuple(f.name for f in fields(shape))  # type: ignore[arg-type]
        base = self.area(name, labels, private=private)
        return shape(*range(base, base + len(labels)))

    def area(self, name: str, labels: tuple[str, ...], *, private: bool = False) -> int:
        """A run of new places, all 0; answers with the first."""
        base = len(self.at)
        self.areas.append(Area(name, base, labels, private))
        self.area_bases.append(base)
        self.at.extend([0] * len(labels))
        return base

    def choice(self, name: str) -> str:
        """The behaviour taken at a point that the manual leaves open."""
        return self.choices[name]

    def replace(self, op: Op[P, R], fn: "Callable[Concatenate[World, P], Beats[R]]", by: str) -> None:
        """Overlay `op` with `fn`. The signature must be the same, and two defects on one step are an error.

        Two defects that bring the very same function are two names of one piece of code, and go together.
        """
        if str(signature(fn)) != str(signature(op.fn)):
            raise TypeError(f"{by}: {fn.__name__}{signature(fn)} is not {op.name}{signature(op.fn)}")
        if self.table.get(op) is fn:
            return
        if by[0] in DEFECTS and self.by.get(op, " ")[0] in DEFECTS:
            raise AvicError(f"defects {self.by[op]} and {by} both replace {op.name}; choose one of them")
        self.table[op] = fn
        self.by[op] = by
        self.cache.pop("plain", None)

    def current(self, op: Op[P, R]) -> "Callable[Concatenate[World, P], Beats[R]]":
        """What stands for `op` now: for an overlay that adds to what was there."""
        return self.table.get(op, op.fn)

    def __copy__(self) -> "World":
        """The same state once more, none of it copied. Nobody asks for `vars(world)`: from then on CPython would find
        its attributes the long way, and whatever runs in it takes a tenth longer.
        """
        other = World()
        for name in vars(World()):
            setattr(other, name, getattr(self, name))
        return other

    def copy(self) -> "World":
        """An independent World with the same state and the same overlays."""
        other = self.__copy__()
        for name in vars(World()):
            value = getattr(self, name)
            if isinstance(value, (list, dict)) and value is not self.at:
                setattr(other, name, value.copy())
        other.objects = {k: v if isinstance(v, tuple) else v.copy() for k, v in self.objects.items()}
        other.cache = {}
        other.at = other.see = self.at.copy()
        return other


def blocked(w: World, ask: Ask) -> bool:
    """Whether the ask has to wait: a lock that is held, a signal that has not come."""
    do = ask[3]
    return bool(w.at[ask[1]]) if do is LOCK else do is WAIT and not w.at[ask[1]]


def perform(w: World, ask: Ask) -> Any:
    """Do one ask: the only place where state changes. Answers with the old value; a beat moves the clock."""
    site, place, value, do = ask
    at = w.at
    at[CLOCK] += 1 if w.price is None else w.price.get(site, 1)
    old = at[place]
    if do is LOAD or do is FENCE or do is WAIT:
        return old
    if do is STORE:
        at[place] = value
    elif do is OR:
        at[place] = old | value
    elif do is AND:
        at[place] = old & value
    elif do is LOCK:
        at[place] = 1
    elif do is ADD:
        at[place] = old + value
    else:
        at[place] = old | value
        w.signalled.append(place)
    return old


def drive(w: World, beats: Beats[R]) -> R:
    """Run a generator of beats to its end, alone and unrecorded.

    Raises Deadlock where it would wait, OverBudget where it has not ended at the World's deadline.
    """
    if w.price is not None:
        return _drive_any(w, beats)
    send, at = beats.send, w.at
    time = at[CLOCK]
    try:
        ask = send(None)
        while True:
            for time in range(time + 1, w.deadline + 1):  # noqa: B007, B020 (a turn is a beat, and 1 ns)
                _, place, value, do = ask
                if not place:
                    break
                old = at[place]
                if do is LOAD:
                    pass
                elif do is STORE:
                    at[place] = value
                elif do is OR:
                    at[place] = old | value
                elif do is AND:
                    at[place] = old & value
                elif do is SIGNAL:
                    at[place] = old | value
                    w.signalled.append(place)
                else:
                    break
                ask = send(old)
            else:
                late()
            at[CLOCK] = time = time - 1
            refuse_to_wait(w, ask)
            old = perform(w, ask)
            time = at[CLOCK]
            ask = send(old)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        at[CLOCK] = time


def late() -> NoReturn:
    """Raises OverBudget: the deadline has come, and the beats go on."""
    raise OverBudget("the deadline has come, and the beats go on")


def _drive_any(w: World, beats: Beats[R]) -> R:
    try:
        ask = beats.send(None)
        while True:
            refuse_to_wait(w, ask)
            ask = beats.send(perform(w, ask))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def refuse_to_wait(w: World, ask: Ask) -> None:
    """Raises Deadlock if the ask has to wait: nobody else runs who could end it. The beat has not been done then."""
    if blocked(w, ask):
        what = "is held" if ask[3] is LOCK else "has not come"
        raise Deadlock(f"{name_of(w, ask[1])}: {what}, and nobody else runs")


def area_of(w: World, place: int) -> Area | None:
    """The named cells a place belongs to; None for a place in a page."""
    if w.first_page <= place < w.first_page + w.pages * w.page_places:
        return None
    return w.areas[bisect_right(w.area_bases, place) - 1]


def name_of(w: World, place: int) -> str:
    """A place in words: `core 1 doorbell`, or `page 12h + 3` where only the page's kind could say more."""
    area = area_of(w, place)
    if area is None:
        page, index = divmod(place - w.first_page, w.page_places)
        return f"{w.page_names.get(page, (f'page {page:x}h', ''))[0]} + {index}"
    return f"{area.name} {area.labels[place - area.base]}".strip()
