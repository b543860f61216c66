"""Random races of small programs, correct ones for defects, and an enumeration that shares no code with the explorer.

A program is a list of (do, place, value); what it reads goes, beat by beat, to a place of its own, so that ends tell.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from avickit.beat import AND, FENCE, LOAD, LOCK, OR, SIGNAL, STORE, WAIT, Beats, Do, Kind, Site, World, perform
from avickit.lab.explore import Race, race
from avickit.lab.explore.automaton import Automata
from avickit.lab.explore.dpor import Reduced
from avickit.lab.explore.full import Full
from avickit.lab.explore.state import State
from avickit.lab.explore.unfold import Restart

Op: TypeAlias = tuple[Do, int, int]
Read: TypeAlias = tuple[Any, ...]
"""What a program has read, beat by beat."""
SITE = {do: Site(Kind.UPDATE, do, "H-IPI-5", "a random program", "{place}") for do in Do}
WORDS = (LOAD, LOAD, LOAD, STORE, STORE, STORE, OR, AND, FENCE, SIGNAL, WAIT, LOCK)
READS = (LOAD, OR, AND, WAIT)


def program(ops: Sequence[Op], out: int) -> Callable[[World], Beats[None]]:
    """The beats of a list of operations."""

    def make(w: World) -> Beats[None]:
        read: tuple[Any, ...] = ()
        for do, place, value in ops:
            answer = yield SITE[do], place, value, do
            if do in READS:
                read = (*read, answer)
                yield SITE[STORE](out, read)

    return make


def build(programs: Sequence[Sequence[Op]], shared: int = 4) -> Race:
    """A race of these programs; places 1..shared are everybody's."""
    w = World()
    w.area("shared", tuple("abcdefgh"[:shared]))
    outs = [w.area(f"t{i}", ("read",)) for i in range(len(programs))]
    return race(w, {f"t{i}": program(ops, outs[i]) for i, ops in enumerate(programs)})


def ends(made: Race, tso: bool, search: Callable[[State], Reduced | Full] = Reduced) -> set[tuple[Any, ...]]:
    """The World at every end that a search finds."""
    automata = Automata(made, tso=tso)
    while True:
        try:
            automata.forget()
            state = State(automata)
            return {whole(made.world, state) for _ in search(state).run()}
        except Restart:
            continue


def whole(w: World, state: State) -> tuple[Any, ...]:
    """All places but the clock."""
    at = dict(enumerate(w.at)) | {p: v for p, v in state.at.items() if p >= 0}
    for node in state.nodes:
        at.update(node.own)
    return tuple(at[p] for p in range(1, len(w.at)))


def reads(programs: Sequence[Sequence[Op]], *, tso: bool, shared: int = 4) -> set[tuple[Read, ...]]:
    """What each program has read, at every end."""
    nothing: Read = ()
    return {tuple(read or nothing for read in end[shared:]) for end in ends(build(programs, shared), tso)}


def random_programs(seed: int, most: int = 12) -> list[list[Op]]:
    """Two to four programs of together at most `most` beats at shared places: three words and a lock."""
    r = random.Random(seed)
    count, left = r.choice([2, 2, 3, 3, 4]), most
    found: list[list[Op]] = []
    for i in range(count):
        ops: list[Op] = []
        held = False
        length = r.randint(1, max(1, min(6, left // (count - i))))
        while len(ops) < length:
            do = r.choice(WORDS)
            if do is LOCK:
                ops.append((STORE, 4, 0) if held else (LOCK, 4, 0))
                held = not held
            elif do is not WAIT or r.random() < 0.4:
                ops.append((do, r.randint(1, 3), r.randint(0, 3)))
        left -= length
        found.append(ops)
    return found


def brute_force(programs: Sequence[Sequence[Op]], tso: bool) -> set[tuple[Any, ...]]:
    """The World at every end of every order, by plain replay: no sharing, no reduction, no memory of states."""
    found = set()
    for w in orders(lambda: build(programs), tso):
        found.add(tuple(w.at[1:]))
    return found


def orders(make: Callable[[], Race], tso: bool) -> Iterator[World]:
    """Play every order from its start; a state is the list of decisions that led there."""
    todo: list[tuple[tuple[bool, int], ...]] = [()]
    while todo:
        path = todo.pop()
        made = make()
        w, beats = made.world, [thread.make(made.world) for thread in made.threads]
        buffers: list[list[Any]] = [[] for _ in beats]
        asks: list[Any] = [next(b, None) for b in beats]
        for drains, i in path:
            if drains:
                perform(w, buffers[i].pop(0))
                continue
            answer = one(w, asks[i], buffers[i], tso)
            try:
                asks[i] = beats[i].send(answer)
            except StopIteration:
                asks[i] = None
        moves = [(True, i) for i, held in enumerate(buffers) if held]
        moves += [(False, i) for i, ask in enumerate(asks) if ask and ready(w, ask, buffers[i])]
        if not moves:
            yield w
        todo += [(*path, move) for move in moves]


def one(w: World, ask: Any, buffer: list[Any], tso: bool) -> Any:
    """One beat with a store buffer."""
    _, place, _, do = ask
    held = [b[2] for b in buffer if b[1] == place]
    if do is STORE and tso and place <= 4:
        buffer.append(ask)
        return None
    if held and do in (LOAD, WAIT):
        return held[-1]
    old = perform(w, ask)
    return None if do in (STORE, SIGNAL) else old


def ready(w: World, ask: Any, buffer: list[Any]) -> bool:
    """Whether a beat can be done now."""
    _, place, _, do = ask
    if do in (OR, AND, LOCK, FENCE) and buffer:
        return False
    held = [b[2] for b in buffer if b[1] == place]
    if do is SIGNAL and held:
        return False
    value = held[-1] if held else w.at[place]
    return not ((do is LOCK and value) or (do is WAIT and not value))


# ---- correct programs, and defects put into them ----

COUNTER, FLAG, ASLEEP, LOCKED = 1, 2, 3, 4


def counting(r: random.Random) -> list[list[Op]]:
    """Two or three threads that count under a lock, with something harmless around it."""
    return [
        [
            *noise(r),
            (LOCK, LOCKED, 0),
            (LOAD, COUNTER, 0),
            (STORE, COUNTER, 1),
            (STORE, LOCKED, 0),
            *noise(r),
        ]
        for _ in range(r.choice([2, 2, 3]))
    ]


def noise(r: random.Random) -> list[Op]:
    """Nothing or a locked look at a flag that nobody waits for."""
    return [(OR, FLAG, 0)] * r.randint(0, 1)


def incrementing(ops: Sequence[Op]) -> Callable[[World], Beats[None]]:
    """A counting program: its store writes one more than it has read."""

    def make(w: World) -> Beats[None]:
        read = 0
        for do, place, value in ops:
            answer = yield SITE[do], place, read + 1 if do is STORE and place == COUNTER else value, do
            if do is LOAD:
                read = answer

    return make


def count_race(programs: Sequence[Sequence[Op]]) -> Race:
    """A race of counting programs."""
    w = World()
    w.area("shared", ("counter", "flag", "asleep", "lock"))
    return race(w, {f"t{i}": incrementing(ops) for i, ops in enumerate(programs)})
