"""Running a thread alone, with the answers that an order of the race gave it: what it asks next.

Here, and only here, the search runs generators of the model. Does not model: anything.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from avickit.beat import FENCE, LOAD, SIGNAL, STORE, WAIT, Beats, Do
from avickit.errors import AvicError
from avickit.lab.explore.node import Came, Node, Outcome, changed, waits

if TYPE_CHECKING:
    from avickit.lab.explore.automaton import Automata

MOST_BEATS = 100_000
"""A thread that does so many beats without touching what others touch will never stop."""


class Restart(Exception):
    """A place turned out to be shared: what was explored so far took it for a thread's own."""


class Looked(BaseException):
    """A thread looks at a shared place: the beat before cannot be taken along with the one before that."""


class Run:
    """One run of one thread, alone: while it goes on its own places live in the World, all else is answered."""

    def __init__(self, automata: "Automata", thread: int) -> None:
        self.automata, self.thread, self.world = automata, thread, automata.world
        self.at, self.shared = automata.world.at, automata.shared
        self.log: list[tuple[int, Any]] = []
        self.first: dict[int, Any] = {}
        self.looked: list[int] = []
        self.seen: list[Any] = []
        self.look: Callable[[int], Any] | None = None
        self.beats: Beats[Any] = automata.race.threads[thread].make(self.world)
        self.ask: Any = None
        self.crash = ""
        self.alive = True

    def leave(self) -> None:
        """Put the World back as it was."""
        for place, old in reversed(self.log):
            self.at[place] = old
        self.log.clear()
        self.world.see = self.at

    def go_on(self, node: Node, answer: Any, look: Callable[[int], Any]) -> Outcome:
        """A step more, from the node where it stands."""
        self.world.see = self
        try:
            for place, value in node.own.items():
                self.log.append((place, self.at[place]))
                self.at[place] = value
            return self.onwards(node, self.ask, answer, look)
        finally:
            self.leave()

    def __getitem__(self, place: int) -> Any:
        """A look without a beat. At a shared place it belongs to the beat before it."""
        if place in self.shared:
            if self.look is None:
                raise Looked
            value = self.look(place)
            self.looked.append(place)
            self.seen.append(value)
            return value
        self.automata.touch(self.thread, place, write=False)
        return self.at[place]

    def root(self) -> Node:
        """The thread before its first beat."""
        node = self.automata.new(None, {})
        self.world.see = self
        try:
            self.ask = self.send(None)
            self.pend(node, self.ask)
        except Looked:
            raise AvicError(f"{self.name}: looks at what others write before its first beat") from None
        finally:
            self.leave()
        return node

    @property
    def name(self) -> str:
        """The thread's name."""
        return self.automata.race.threads[self.thread].name

    def send(self, answer: Any) -> Any:
        """The next ask, None at the end; an error of the model ends the thread too."""
        try:
            return self.beats.send(answer)
        except StopIteration:
            return None
        except Restart:
            raise
        except Exception as error:
            self.crash = f"{type(error).__name__}: {error}"
            return None

    def pend(self, node: Node, ask: Any) -> None:
        """What the node waits to do."""
        if ask is None:
            node.crash = self.crash
            return
        site, place, value, do = ask
        self.touch(do, place)
        node.ask(site, place, value, do, local=place not in self.shared and do is not FENCE)

    def touch(self, do: Do, place: int) -> None:
        """Note which place the thread touches; a fence touches none."""
        if do is not FENCE:
            self.automata.touch(self.thread, place, write=do is not LOAD and do is not WAIT)

    def unfold(self, node: Node, answer: Any, look: Callable[[int], Any]) -> Outcome:
        """Replay the history of the node, then one step more."""
        path = []
        came = node.came
        while came is not None:
            path.append(came)
            came = came.node.came
        self.world.see = self
        try:
            ask = self.send(None)
            for step in reversed(path):
                ask = self.again(ask, step)
            return self.onwards(node, ask, answer, look)
        finally:
            self.leave()

    def again(self, ask: Any, step: Came) -> Any:
        """A step of the history."""
        seen = iter(step.seen)
        self.look = lambda _: next(seen)
        ask = self.send(self.own(ask) if step.node.local else step.answer)
        self.look = None
        for _ in range(step.beats - 1):
            ask = self.send(self.own(ask) if ask[1] not in self.shared else None)
        return ask

    def own(self, ask: Any) -> Any:
        """Do a beat at a place of the thread's own; the answer."""
        _, place, value, do = ask
        old = self.at[place]
        new = changed(do, old, value)
        if new is not old:
            self.log.append((place, old))
            self.first.setdefault(place, old)
            self.at[place] = new
        return None if do is STORE or do is SIGNAL else old

    def onwards(self, node: Node, ask: Any, answer: Any, look: Callable[[int], Any]) -> Outcome:
        """The step, and all beats of its own that follow it."""
        done = len(self.log)
        self.looked, self.seen, self.look = [], [], look
        own: dict[int, Any] = dict(node.own)
        ask = self.send(self.own(ask) if node.local else answer)
        self.note(own, done)
        self.look = None
        beats, stores = 1, []
        while ask is not None and beats < MOST_BEATS:
            site, place, value, do = ask
            self.touch(do, place)
            mine = place not in self.shared
            if do is FENCE:
                if self.automata.tso:
                    break
            elif not (mine or (do is STORE and self.automata.tso)) or (mine and waits(do, self.at[place], value)):
                break
            done = len(self.log)
            try:
                after = self.send(self.own(ask) if mine else None)
            except Looked:
                self.alive = False
                break
            if not mine and do is STORE:
                stores.append((place, value, site))
            self.note(own, done)
            ask, beats = after, beats + 1
        if beats == MOST_BEATS:
            raise AvicError(f"{self.name}: {MOST_BEATS} beats and no end")
        found = self.automata.new(Came(node, answer, tuple(self.seen), beats), own)
        self.pend(found, ask)
        self.ask = ask
        return Outcome(found, tuple(stores), tuple(self.looked), beats)

    def note(self, own: dict[int, Any], done: int) -> None:
        """What the thread's own places hold now, where that differs from the start."""
        for place, _ in self.log[done:]:
            if self.at[place] == self.first[place]:
                own.pop(place, None)
            else:
                own[place] = self.at[place]
