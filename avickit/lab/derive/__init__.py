"""The plain form: the same algorithms as ordinary functions, derived by a program from the generators' own source.

    fast = derive(machine.world)
    fast(run_core(world, core))          # what drive(world, run_core(world, core)) does, and faster
    fast[run_core](world, core)          # the plain function itself
    print(plain_source(world, run_core)) # what the program made of it

It does the same beats in the same order, and leaves every place as the generators do, the clock included; what is not
to be had is what lies between: no recording, no stop at a beat. With a price list it falls back to the generators.
Does not model: exceptions that nobody raises on purpose may leave the clock some beats off.
"""

import ast
from collections.abc import Callable
from copy import deepcopy
from operator import itemgetter
from types import CellType, CodeType, FunctionType, GeneratorType
from typing import Any

from avickit.beat import Ask, Beats, World, drive, late, perform, refuse_to_wait
from avickit.lab.derive.expressions import TOOLS
from avickit.lab.derive.inline import Inliner
from avickit.lab.derive.numbers import Names, Numbers
from avickit.lab.derive.scope import Key, Scope, Underivable, is_beats, key_of, tree_of, where
from avickit.lab.derive.statements import Statements, fill

__all__ = ["Derived", "Plain", "Underivable", "derive", "derived", "plain_source", "run_plain"]


class Derived:
    """What the program made of one function, for all Worlds in which the same functions stand for the same Ops.

    `maker` is a function of the tools, the closure's values, the callees and the foreign names; it answers with the
    plain function. `assumed` are the Ops that were looked at, each with the code that stood for it.
    """

    def __init__(self, code: CodeType, names: dict[str, Any], w: World) -> None:
        self.scope = Scope(code, names)
        self.assumed: dict[Any, CodeType | None] = {}
        tree = tree_of(code, names)
        if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
            raise Underivable(f"{where(code)}: only plain positional parameters can be derived")

        def current(found: Any) -> Any:
            fn = standing_for(w, found)
            if fn is not found:
                self.assumed[found] = code_of(fn)
            return fn

        self.scope.find_aliases(tree)
        statements = Statements(self.scope)
        tree.body = statements.function(Inliner(self.scope, current).block(tree.body))
        tree.args.defaults = []
        self.callees = statements.expressions.callees
        self.tree = tree = Numbers(self.scope).visit(tree)
        given = ", ".join((*TOOLS, *code.co_freevars, *self.callees, *self.scope.foreign))
        maker = ast.Module(fill(f"def maker({given}):\n pass\n return {tree.name}"), [])
        maker.body[0].body[0] = tree  # type: ignore[attr-defined]
        set_lines(maker, tree.lineno)
        made = compile(maker, code.co_filename, "exec", dont_inherit=True)
        self.maker = next(c for c in made.co_consts if isinstance(c, CodeType))

    def fits(self, w: World) -> bool:
        """Whether what was put in place of calls is what this World calls."""
        return all(code_of(standing_for(w, op)) is code for op, code in self.assumed.items())


def standing_for(w: World, found: Any) -> Any:
    """The function that stands for an Op in this World; anything else stands for itself."""
    while hasattr(found, "fn"):
        found = w.table.get(found) or found.fn
    return found


def code_of(fn: Any) -> CodeType | None:
    """The code of a function; None for anything else that can be called."""
    return fn.__code__ if isinstance(fn, FunctionType) else None


def set_lines(node: ast.AST, line: int) -> None:
    """Each node stands in the line that it, or what it is part of, comes from: an exception's traceback shows it."""
    line = getattr(node, "lineno", line)
    if "lineno" in node._attributes:
        vars(node).update(lineno=line, end_lineno=line, col_offset=0, end_col_offset=0)
    for child in ast.iter_child_nodes(node):
        set_lines(child, line)


_known: dict[Key, list[Derived]] = {}


def derived(w: World, code: CodeType, names: dict[str, Any]) -> Derived:
    """What the program makes of a function in this World; made once for all Worlds that agree. Raises Underivable."""
    versions = _known.setdefault(key_of(code), [])
    for found in versions:
        if found.fits(w):
            return found
    versions.append(Derived(code, names, w))
    return versions[-1]


class Plain(dict[Any, Callable[..., Any]]):
    """The plain forms of one World, by function or Op; called with a generator of beats it runs its plain form."""

    def __init__(self, w: World) -> None:
        self.w, self.at = w, w.at
        self.fresh: dict[int, tuple[Callable[..., Any], Callable[[Any], Any], CodeType]] = {}
        """Plain forms by the code of a generator (its id, because to hash code takes long)."""
        self.tools = (w.at, w, self, self._any, self._load, self.__call__, tuple.__new__, late)
        for fn in list(w.table.values()):  # what cannot be derived is refused before anything has run
            self[fn]

    def _any(self, ask: Ask) -> Any:
        refuse_to_wait(self.w, ask)
        return perform(self.w, ask)

    def _load(self, place: int) -> Any:
        self.at[0] += 1
        return self.at[place]

    def __missing__(self, found: Any) -> Callable[..., Any]:
        fn = standing_for(self.w, found)
        if fn is not found:
            self[found] = self[fn]
            return self[found]
        if isinstance(fn, FunctionType) and (is_beats(fn) or "see" in fn.__code__.co_names):
            closure = [cell.cell_contents for cell in fn.__closure__ or ()]
            plain = self._bind(fn.__code__, fn.__globals__, closure)
            plain.__defaults__ = fn.__defaults__
            self[fn] = self[plain] = plain
            return plain
        return lambda *args, **words: self(found(*args, **words))

    def _bind(self, code: CodeType, names: dict[str, Any], closure: list[Any]) -> FunctionType:
        made = derived(self.w, code, names)
        callees = {name: _Later(self, made.scope.look(func)) for name, func in made.callees.items()}
        foreign = [module[name] for module, name in made.scope.foreign.values()]
        plain: FunctionType = FunctionType(made.maker, names)(*self.tools, *closure, *callees.values(), *foreign)
        for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True):
            if name in callees:
                callees[name].cell = cell
        return plain

    def __call__(self, beats: Beats[Any]) -> Any:
        """Run a fresh generator of beats in its plain form, or as it is where only the generator will do."""
        generator: Any = beats
        fresh = isinstance(beats, GeneratorType) and not generator.gi_suspended
        frame = generator.gi_frame if fresh and self.w.price is None else None
        if frame is None:
            return drive(self.w, beats)
        code: CodeType = generator.gi_code
        known = self.fresh.get(id(code))
        if known is None:
            if code.co_freevars or code.co_argcount < 2:
                return drive(self.w, beats)
            plain = self._bind(code, frame.f_globals, [])
            known = self.fresh[id(code)] = plain, itemgetter(*code.co_varnames[: code.co_argcount]), code
        return known[0](*known[1](frame.f_locals))


class _Later:
    """Stands for a callee until it is first called: then it is derived, and takes this one's place."""

    def __init__(self, plain: Plain, target: Any) -> None:
        self.plain, self.target = plain, target
        self.cell: CellType

    def __call__(self, *args: Any, **words: Any) -> Any:
        self.cell.cell_contents = found = self.plain[self.target]
        return found(*args, **words)


def derive(w: World) -> Plain:
    """The plain forms of this World, as its overlays stand now. Raises Underivable for an overlay that has none."""
    found = w.cache.get("plain")
    if found is None or found.at is not w.at:
        found = w.cache["plain"] = Plain(w)
    return found


def run_plain(w: World, beats: Beats[Any]) -> Any:
    """What `drive(w, beats)` does, in the plain form."""
    return derive(w)(beats)


def plain_source(w: World, function: Any) -> str:
    """The plain form of a function as Python text: `print(plain_source(machine.world, write_icrl))`."""
    fn = standing_for(w, function)
    return ast.unparse(Names().visit(deepcopy(derived(w, fn.__code__, fn.__globals__).tree)))
