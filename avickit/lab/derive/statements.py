"""Rewriting statements: beats become assignments, and the clock moves once for a stretch of them.

`pending` is how many beats of the present stretch the clock does not show yet. It is brought up to date (`_at[0] += n`)
before anything that could look at it or raise an exception on purpose, where paths of a different number of beats meet,
around loops, and at the end. Does not model: beats inside `try`, `with`, `match` and nested functions (refused).
"""

import ast
from typing import Any

from avickit.beat import ADD, AND, LOCK, OR, SIGNAL, STORE, WAIT, Do
from avickit.lab.derive.expressions import Expressions
from avickit.lab.derive.flow import still
from avickit.lab.derive.scope import Scope, Underivable, where

DIRECT = {STORE: "_at[P] = V", OR: "_at[P] |= V", AND: "_at[P] &= V", ADD: "_at[P] += V"}
"""A beat whose place and value are plain to see; P is the place, V the value."""
STEPWISE = {
    STORE: "_at[_p] = V",
    OR: "_at[_p] |= V",
    AND: "_at[_p] &= V",
    ADD: "_at[_p] += V",
    SIGNAL: "_at[_p] |= V\n_w.signalled.append(_p)",
}
ANSWERED = {STORE: "_at[_p] = T", OR: "_at[_p] = T | V", AND: "_at[_p] = T & V", ADD: "_at[_p] = T + V"}
"""The same where the name T has just taken the old value."""
WAITING = {LOCK: "if _at[_p]:\n _any(A)\n_at[_p] = 1", WAIT: "if not _at[_p]:\n _any(A)"}
"""A is the ask: to wait alone is a Deadlock, and `_any` says so."""
LEFT = -1
"""What `pending` is where nothing follows: after a return."""


class Statements:
    """The statements of one function; its `expressions` collect whom it calls."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.expressions = Expressions(scope)
        self.visit = self.expressions.visit
        self.pending = 0
        self.out: list[ast.stmt] = []

    def function(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The body of the plain form."""
        done, end = self._block(body, 0)
        return [*done, *_moves(end)] or [ast.Pass()]

    def _block(self, body: list[ast.stmt], pending: int) -> tuple[list[ast.stmt], int]:
        outer, self.out, self.pending = self.out, [], pending
        for s in body:
            self._statement(s)
            if self.pending == LEFT:
                break
        done, self.out = self.out, outer
        return done, self.pending

    def _loop(self, body: list[ast.stmt]) -> list[ast.stmt]:
        done, end = self._block(body, 0)
        return [*done, *_moves(end)] or ([ast.Pass()] if body else [])

    def _statement(self, s: ast.stmt) -> None:
        rule = getattr(self, f"on_{type(s).__name__}", None)
        if rule is not None:
            rule(s)
        elif any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(s)):
            raise Underivable(f"{where(self.scope.code)}: a beat inside `{type(s).__name__.lower()}`, line {s.lineno}")
        else:
            self._catch_up()
            self.out.append(self.visit(s))

    def _foresee(self, *nodes: ast.AST | None) -> bool:
        """Count what the statement does; true if it calls something."""
        before, calls, after = self.expressions.foresee(*nodes)
        self.pending += before
        if calls:
            self._catch_up()
            self.pending = after
        return calls

    def _catch_up(self) -> None:
        self.out += _moves(self.pending)
        self.pending = 0

    def _emit(self, template: str, **parts: ast.expr) -> None:
        self.out += fill(template, **parts)

    def on_Pass(self, s: ast.Pass) -> None:
        """Nothing."""
        self.out.append(s)

    def on_Expr(self, s: ast.Expr) -> None:
        """A beat by itself, or an expression for its effect."""
        if isinstance(s.value, ast.Yield) and self._acts(s.value.value):
            self._act(s.value.value, None)
        elif not isinstance(s.value, ast.Constant):
            self._foresee(s.value)
            self.out.append(ast.Expr(self.visit(s.value)))

    def on_AnnAssign(self, s: ast.AnnAssign) -> None:
        """An assignment; one of nothing is nothing."""
        if s.value is not None:
            self.on_Assign(ast.Assign([s.target], s.value))

    def on_Assign(self, s: ast.Assign) -> None:
        """`x = a if c else b` becomes an if, so that each path counts its own beats."""
        value, one = s.value, len(s.targets) == 1
        if one and isinstance(s.targets[0], ast.Name) and s.targets[0].id in self.scope.aliases:
            return
        if isinstance(value, ast.IfExp) and self.expressions.active(value):
            self.on_If(ast.If(value.test, [ast.Assign(s.targets, value.body)], [ast.Assign(s.targets, value.orelse)]))
        elif one and isinstance(s.targets[0], ast.Name) and isinstance(value, ast.Yield) and self._answers(value.value):
            self._act(value.value, s.targets[0])
        else:
            self._foresee(value, *s.targets)
            self.out.append(ast.Assign([self.visit(t) for t in s.targets], self.visit(value)))

    def on_AugAssign(self, s: ast.AugAssign) -> None:
        """`x += ...`."""
        self._foresee(s.target, s.value)
        self.out.append(ast.AugAssign(self.visit(s.target), s.op, self.visit(s.value)))

    def _acts(self, ask: Any) -> bool:
        do = self.scope.do(ask)
        return (do in STEPWISE or do in WAITING) and len(ask.args) <= 2 and not self.expressions.on_clock(ask)

    def _answers(self, ask: Any) -> bool:
        return self.scope.do(ask) in ANSWERED and self._acts(ask)

    def _act(self, ask: Any, target: ast.Name | None) -> None:
        """A beat that is a whole statement, or the whole value of a name."""
        do: Do | None = self.scope.do(ask)
        place, value = ask.args[0], ask.args[1] if len(ask.args) > 1 else ast.Constant(0)
        if target is None and do in DIRECT and still(place) and not self.expressions.active(value):
            self._emit(DIRECT[do], P=self.visit(place), V=self.visit(value))
        else:
            self._foresee(place)
            self._emit("_p = P", P=self.visit(place))
            if do in WAITING:
                self._catch_up()
                self._emit(WAITING[do], A=ast.Call(ask.func, [ast.Name("_p", ast.Load())], []))
            else:
                self._foresee(value)
                self._emit("_v = V", V=self.visit(value))
                kept = ast.Name("_v", ast.Load())
                if target is None:
                    self._emit(STEPWISE[do], V=kept)  # type: ignore[index]
                else:
                    self._emit("T = _at[_p]", T=target)
                    old = ast.Name(target.id, ast.Load())
                    self._emit(ANSWERED[do], T=kept if do is STORE else old, V=kept)  # type: ignore[index]
        self.pending += 1

    def on_If(self, s: ast.If) -> None:
        """Each arm goes on counting; where they meet, the one with more beats catches up on the difference."""
        test = s.test
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and not s.orelse:
            first, *rest = test.values
            if self.expressions.active(*rest):
                inner = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
                self.on_If(ast.If(first, [ast.If(inner, s.body, [])], []))
                return
        self._foresee(test)
        new, begin = self.visit(test), self.pending
        arms = [self._block(arm, begin) for arm in (s.body, s.orelse)]
        least = min((end for _, end in arms if end != LEFT), default=LEFT)
        body, orelse = ([*done, *_moves(end - least)] if end != LEFT else done for done, end in arms)
        self.out.append(ast.If(new, body or [ast.Pass()], orelse))
        self.pending = least

    def on_While(self, s: ast.While) -> None:
        """A condition with beats in it is asked inside the loop; one that nothing but itself ends looks at the time."""
        self._catch_up()
        test, body = s.test, s.body
        if self.expressions.active(test):
            if s.orelse:
                raise Underivable(f"{where(self.scope.code)}: `while` with a beat and `else`, line {s.lineno}")
            test, body = ast.Constant(True), [ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], []), *body]
        turn = self._loop(body)
        if isinstance(test, ast.Constant):
            turn = [*fill("if _at[0] > _w.deadline:\n _late()"), *turn]
        self.out.append(ast.While(self.visit(test), turn, self._loop(s.orelse)))
        self.pending = 0

    def on_For(self, s: ast.For) -> None:
        """The clock is right at each turn."""
        self._foresee(s.iter)
        self._catch_up()
        self.out.append(ast.For(self.visit(s.target), self.visit(s.iter), self._loop(s.body), self._loop(s.orelse)))
        self.pending = 0

    def on_Break(self, s: ast.Break | ast.Continue) -> None:
        """The clock is right where a loop ends."""
        self._catch_up()
        self.out.append(s)
        self.pending = LEFT

    def on_Continue(self, s: ast.Continue) -> None:
        """The clock is right where a loop begins."""
        self.on_Break(s)

    def on_Return(self, s: ast.Return) -> None:
        """The clock is right for the caller; beats after the last call of the value are counted after it."""
        if isinstance(s.value, ast.IfExp) and self.expressions.active(s.value):
            self.on_If(ast.If(s.value.test, [ast.Return(s.value.body)], [ast.Return(s.value.orelse)]))
            return
        value = self._last(s.value) if s.value is not None else None
        self._catch_up()
        self.out.append(ast.Return(value))
        self.pending = LEFT

    def _last(self, node: ast.expr) -> ast.expr:
        """The last value of a stretch; the clock is right when it is there."""
        calls = self._foresee(node)
        value: ast.expr = self.visit(node)
        if calls and self.pending:
            self._emit("_r = V", V=value)
            value = ast.Name("_r", ast.Load())
        self._catch_up()
        return value

    def on_Raise(self, s: ast.Raise) -> None:
        """The clock is right for whoever catches it."""
        value = self._last(s.exc) if s.exc is not None else None
        self._catch_up()
        self.out.append(ast.Raise(value, self.visit(s.cause) if s.cause is not None else None))
        self.pending = LEFT

    def on_Assert(self, s: ast.Assert) -> None:
        """The same; beats in the message, which is seldom wanted, count themselves."""
        value = self._last(s.test)
        self.out.append(ast.Assert(value, self.visit(s.msg) if s.msg is not None else None))


def fill(template: str, **parts: ast.expr) -> list[ast.stmt]:
    """Statements from a template in which names of one capital letter stand for expressions."""
    body = ast.parse(template).body
    for node in (n for s in body for n in ast.walk(s)):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.Name) and value.id in parts:
                setattr(node, field, parts[value.id])
            elif isinstance(value, list):
                value[:] = [parts.get(v.id, v) if isinstance(v, ast.Name) else v for v in value]
        vars(node).pop("lineno", None)
    return body


def _moves(beats: int) -> list[ast.stmt]:
    """The clock moves by so many beats."""
    return fill(f"_at[0] += {beats}") if beats > 0 else []
