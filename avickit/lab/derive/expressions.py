"""Rewriting expressions: a beat becomes access to the list of places, `yield from f(...)` a call, `w.see[p]` a place.

Before that, `foresee` says in which order a statement does beats, and calls that could look at the clock. The names
that it brings in, TOOLS, are given to each plain function; `_any` does any ask and counts it by itself.
"""

import ast
from collections.abc import Iterator

from avickit.beat import CLOCK, FENCE, LOAD, LOCK, WAIT
from avickit.lab.derive.scope import Scope, Underivable, is_beats, is_record, where

TOOLS = ("_at", "_w", "_plain", "_any", "_load", "_run", "_new", "_late")
"""The places, the World, plain forms by function, doing any ask, a counted load, running a generator, a new tuple,
giving up at the deadline."""
BEAT, LOOK, CALL = "beat", "look", "call"
"""What a statement does: a beat to be counted, a load of the clock, a call that could look at the clock, or raise."""
INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


class Expressions(ast.NodeTransformer):
    """The expressions of one function. `callees` are the functions it calls, by the names that it calls them by."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.callees: dict[str, ast.expr] = {}
        self.counted: set[int] = set()
        """The beats that the statement counts; every other one has to count itself."""

    def happens(self, *nodes: ast.AST | None, sure: bool = True) -> Iterator[tuple[str, ast.AST, bool]]:
        """What happens, in order of evaluation; `sure` is false for what depends on a condition in the expression."""
        for node in nodes:
            if isinstance(node, (ast.IfExp, ast.BoolOp, ast.Compare)):
                parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
                always = 2 if isinstance(node, ast.Compare) else 1
                yield from self.happens(*parts[:always], sure=sure)
                yield from self.happens(*parts[always:], sure=False)
            elif isinstance(node, INNER):
                yield from self.happens(*ast.iter_child_nodes(node), sure=False)
            elif node is not None:
                made = node.value if isinstance(node, (ast.Yield, ast.YieldFrom)) else None
                yield from self.happens(*ast.iter_child_nodes(made if isinstance(made, ast.Call) else node), sure=sure)
                if kind := self._kind(node):
                    yield kind, node, sure

    def _kind(self, node: ast.AST) -> str:
        if isinstance(node, ast.Call):
            return "" if self.scope.calm(node.func) else CALL
        if not isinstance(node, ast.Yield):
            return CALL if isinstance(node, ast.YieldFrom) else ""
        do, clock = self.scope.do(node.value), self.on_clock(node.value)
        if do is None or do is LOCK or do is WAIT:
            return CALL
        if do is LOAD or do is FENCE:
            return LOOK if clock else BEAT
        return CALL if clock else ""

    def on_clock(self, ask: ast.AST | None) -> bool:
        """Whether this beat is on the machine's clock, which the source has to call CLOCK."""
        place = ask.args[0] if isinstance(ask, ast.Call) and ask.args else None
        return isinstance(place, (ast.Name, ast.Attribute)) and self.scope.look(place) is CLOCK

    def active(self, *nodes: ast.AST | None) -> bool:
        """Whether anything in there is a beat or a call to be careful with."""
        return any(True for _ in self.happens(*nodes)) or any(
            isinstance(n, (ast.Yield, ast.YieldFrom)) for node in nodes if node for n in ast.walk(node)
        )

    def foresee(self, *nodes: ast.AST | None) -> tuple[int, bool, int]:
        """How many beats a statement counts before its first call, whether it calls, and how many after its last."""
        seen = list(self.happens(*nodes))
        calls = [i for i, (kind, _, _) in enumerate(seen) if kind is not BEAT]
        first, last = (calls[0], calls[-1]) if calls else (len(seen), len(seen))
        before = [n for i, (kind, n, sure) in enumerate(seen) if sure and (i < first or (i == first and kind is LOOK))]
        after = [n for i, (_, n, sure) in enumerate(seen) if sure and i > last]
        self.counted.update(map(id, before + after))
        return len(before), bool(calls), len(after)

    def visit_Yield(self, node: ast.Yield) -> ast.expr:
        """A load that is counted is the place itself; any other ask is done as a driver does it."""
        ask = node.value
        if ask is None:
            raise Underivable(f"{where(self.scope.code)}: a bare `yield` is reached in line {node.lineno}")
        do = self.scope.do(ask)
        if do not in (LOAD, FENCE) or not isinstance(ask, ast.Call) or len(ask.args) != 1:
            return call("_any", self.visit(ask))
        place = self.visit(ask.args[0])
        return at(place) if id(node) in self.counted else call("_load", place)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        """A call of the plain form: found before it runs if the name is known, looked up if it is not."""
        made = node.value
        if not isinstance(made, ast.Call):
            return call("_run", self.visit(made))
        if is_beats(self.scope.look(made.func)):
            return self._again(made, self._callee(made.func))
        return self._again(made, ast.Subscript(ast.Name("_plain", ast.Load()), self.visit(made.func), ast.Load()))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """What looks at places is called in its plain form; a record is a tuple."""
        if self.scope.looks(node):
            return self._again(node, self._callee(node.func))
        values = self._record(node)
        if values is not None:
            return call("_new", node.func, ast.Tuple([self.visit(v) for v in values], ast.Load()))
        return self._again(node, self.visit(node.func))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """A look at a place is the place."""
        if self.scope.sees(node.value):
            return at(self.visit(node.slice))
        return self.generic_visit(node)  # type: ignore[return-value]

    def _record(self, node: ast.Call) -> list[ast.expr] | None:
        """The fields of a new NamedTuple, in order; None where its class has to be asked for them."""
        shape = self.scope.look(node.func)
        if not is_record(shape) or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        rest, words = shape._fields[len(node.args) :], {k.arg: k.value for k in node.keywords}
        if [name for name in rest if name in words] != list(words):
            return None
        found = list(node.args)
        for name in rest:
            default = shape._field_defaults.get(name)
            if name not in words and not isinstance(default, (bool, int, str)):
                return None
            found.append(words[name] if name in words else ast.Constant(default))
        return found

    def _again(self, node: ast.Call, func: ast.expr) -> ast.Call:
        words = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return ast.Call(func, [self.visit(a) for a in node.args], words)

    def _callee(self, func: ast.expr) -> ast.Name:
        name = "plain_" + ast.unparse(func).replace(".", "_")
        while name in self.scope.own or ast.unparse(self.callees.get(name, func)) != ast.unparse(func):
            name += "_"
        self.callees[name] = func
        return ast.Name(name, ast.Load())


def call(name: str, *args: ast.expr) -> ast.Call:
    """`name(args)`."""
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def at(place: ast.expr) -> ast.expr:
    """`_at[place]`."""
    return ast.Subscript(ast.Name("_at", ast.Load()), place, ast.Load())
