"""Small functions of the package in place of their calls: the plain form calls less, and counts beats less often.

It works on generators: `failed = yield from send(...)` becomes the statements of `send`, its arguments bound, its own
names made new, each of its returns an assignment. Does not model: functions with closures, defaults, comprehensions,
a return inside a loop; they stay calls.
"""

import ast
import builtins
from collections.abc import Callable
from types import FunctionType
from typing import Any

from avickit.lab.derive.flow import STILL, Sink, Stays, in_order, redirect, still
from avickit.lab.derive.scope import UNKNOWN, Key, Scope, Underivable, is_beats, key_of, tree_of

PACKAGE = "avickit."
LARGEST, MOST = 260, 3000
"""Nodes of a syntax tree: of a function that may be put in place of its call, and of all that one function takes in."""
DEPTH = 8
PART = {ast.Assign: "value", ast.AnnAssign: "value", ast.Expr: "value", ast.Return: "value", ast.If: "test"}
"""The expression that a statement evaluates before anything else."""
NESTED = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.FunctionDef, ast.NamedExpr)
BLOCKS = (ast.Try, ast.With, ast.Match, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)


_too_large = set[Key]()


class Inliner:
    """Takes functions into one function, whose Scope it extends. `current` says what stands for an Op in this World."""

    def __init__(self, scope: Scope, current: Callable[[Any], Any]) -> None:
        self.scope, self.current = scope, current
        self.size = self.number = 0
        self.taken_in: list[FunctionType] = []

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The block with all calls replaced that can be."""
        return [new for s in body for new in self._statement(s)]

    def _statement(self, s: ast.stmt) -> list[ast.stmt]:
        part, before = PART.get(type(s), ""), list[ast.stmt]()
        while part and (value := getattr(s, part)) is not None:
            call = self._first(value)
            sink, rest = self._sink(s, call is value)
            done = self._inline(call, sink) if call is not None else None
            if call is None or done is None:
                break
            before += done
            if rest is None:
                return before
            setattr(s, part, _Swap(call, rest).visit(value))
        if isinstance(s, (ast.If, ast.For, ast.While)):
            s.body, s.orelse = self.block(s.body), self.block(s.orelse)
        return [*before, s]

    def _sink(self, s: ast.stmt, whole: bool) -> tuple[Sink, ast.expr | None]:
        """Where the call's value goes, and what stands for it in the statement; None if it was all of it."""
        if whole and isinstance(s, ast.Return):
            return lambda value: [ast.Return(value)], None
        if whole and isinstance(s, ast.Expr):
            return lambda value: [] if value is None or still(value) else [ast.Expr(value)], None
        if whole and isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
            name = s.targets[0].id
            return lambda value: [assign(name, value)], None
        new = self._new("value")
        return lambda value: [assign(new, value)], ast.Name(new, ast.Load())

    def _first(self, value: ast.expr) -> ast.expr | None:
        """The first call in an expression that can be replaced, if nothing before it could be changed by it.

        Its arguments go with it, in their order; so they may be anything.
        """
        try:
            beats: ast.AST | None = None
            before: list[ast.AST] = []
            for node in in_order(value):
                if isinstance(node, ast.Call) and is_beats(self.scope.look(node.func)):
                    beats = node
                elif isinstance(node, (ast.Call, ast.YieldFrom)) and self._wanted(node, beats):
                    own = set(map(id, ast.walk(node)))
                    return node if all(id(n) in own for n in before) else None
                elif isinstance(node, ast.Call) and self.scope.do(node) is not None:
                    continue
                elif not isinstance(node, (*STILL, ast.keyword)):
                    before.append(node)
        except Stays:
            pass
        return None

    def _wanted(self, node: ast.Call | ast.YieldFrom, beats: ast.AST | None) -> bool:
        call = node.value if isinstance(node, ast.YieldFrom) else node
        if not isinstance(call, ast.Call) or (isinstance(node, ast.YieldFrom) and call is not beats):
            return False
        fn = self.current(self.scope.look(call.func))
        if not isinstance(fn, FunctionType) or hasattr(fn, "do") or not fn.__module__.startswith(PACKAGE):
            return False
        code, given = fn.__code__, len(call.args) + len(call.keywords)
        closed = code.co_freevars or code.co_cellvars or code.co_kwonlyargcount or code.co_flags & 0xC
        starred = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
        binds = any(isinstance(n, ast.NamedExpr) for n in ast.walk(call))
        return not closed and not starred and not binds and given == code.co_argcount and fn not in self.taken_in

    def _inline(self, made: ast.expr, sink: Sink) -> list[ast.stmt] | None:
        call = made.value if isinstance(made, ast.YieldFrom) else made
        assert isinstance(call, ast.Call)
        fn = self.current(self.scope.look(call.func))
        if key_of(fn.__code__) in _too_large or self.size > MOST or len(self.taken_in) == DEPTH:
            return None
        try:
            tree = tree_of(fn.__code__, fn.__globals__)
            nodes = [n for s in tree.body for n in ast.walk(s)]
            if len(nodes) > LARGEST or any(isinstance(n, (*NESTED, *BLOCKS)) for n in nodes):
                _too_large.add(key_of(fn.__code__))
                return None
            body = redirect(tree.body, lambda value: [ast.Return(value)])
            redirect(body, sink)
        except (Stays, Underivable):
            return None
        self.size += len(nodes)
        before, names = self._arguments(fn, nodes, call)
        rename = _Rename(self, fn, names, getattr(call, "lineno", 1))
        self.taken_in.append(fn)
        done = self.block(redirect([rename.visit(s) for s in body], sink))
        self.taken_in.pop()
        return before + done

    def _arguments(
        self, fn: FunctionType, nodes: list[ast.AST], call: ast.Call
    ) -> tuple[list[ast.stmt], dict[str, str]]:
        """The statements that bind the arguments, and a new name for each name of the function's own.

        An argument that is a name, and that the function does not bind anew, goes by that name.
        """
        own = fn.__code__.co_varnames
        given = dict(zip(own, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
        bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names: dict[str, str] = {}
        before: list[ast.stmt] = []
        for name, value in given.items():
            if isinstance(value, ast.Name) and name not in bound:
                names[name] = value.id
            else:
                names[name] = self._new(name)
                before.append(assign(names[name], value))
        return before, {name: names[name] if name in names else self._new(name) for name in own}

    def _new(self, name: str) -> str:
        self.number += 1
        new = f"{name}_{self.number}"
        if new in self.scope.own or new in self.scope.names:
            return self._new(name)
        self.scope.own.add(new)
        return new

    def foreign(self, fn: FunctionType, name: str) -> str:
        """The name here for what `name` means in the module of `fn`."""
        names = fn.__globals__ if name in fn.__globals__ else vars(builtins)
        if self.scope.look(ast.Name(name)) is names.get(name, UNKNOWN):
            return name
        new = f"{fn.__module__.removeprefix(PACKAGE).replace('.', '_')}__{name}"
        self.scope.foreign[new] = (names, name)
        return new


class _Rename(ast.NodeTransformer):
    """A function's names in the words of the one that takes it in; all its nodes stand in the line of the call."""

    def __init__(self, inliner: Inliner, fn: FunctionType, names: dict[str, str], line: int) -> None:
        self.inliner, self.fn, self.names, self.line = inliner, fn, names, line

    def visit(self, node: ast.AST) -> Any:
        if hasattr(node, "lineno"):
            node.lineno = self.line
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        new = self.names[node.id] if node.id in self.names else self.inliner.foreign(self.fn, node.id)
        return ast.Name(new, node.ctx)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        plain = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return self.generic_visit(plain)


class _Swap(ast.NodeTransformer):
    """One node for another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def assign(name: str, value: ast.expr | None) -> ast.stmt:
    """`name = value`; None if there is no value."""
    return ast.Assign([ast.Name(name, ast.Store())], value or ast.Constant(None))
