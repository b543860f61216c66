"""How control flows through a block of statements: where it leaves, and how a `return` becomes something else.

Does not model: `try`, `with`, `match`.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import TypeAlias

Sink: TypeAlias = Callable[[ast.expr | None], list[ast.stmt]]
"""What to do with the value of a `return`, as statements."""
STILL = (ast.Name, ast.Constant, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Tuple)
"""Expressions whose value a call of something else cannot change: names of one's own, fields of frozen records."""
SMALL = 1
"""So many statements may stand twice in the result."""


class Stays(Exception):
    """This call cannot be replaced by what it calls."""


def still(node: ast.AST) -> bool:
    """Whether an expression does nothing and stays as it is, whatever else is called before."""
    return all(isinstance(n, STILL) for n in ast.walk(node) if isinstance(n, ast.expr))


def in_order(node: ast.AST) -> Iterator[ast.AST]:
    """What an expression evaluates for certain, in its order. Raises Stays before what depends on a condition."""
    parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, (ast.expr, ast.keyword))]
    if isinstance(node, (ast.IfExp, ast.BoolOp)) or (isinstance(node, ast.Compare) and len(parts) > 2):
        yield from in_order(parts[0])
        if not all(map(still, parts[1:])):
            raise Stays
    elif isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Dict)):
        raise Stays
    else:
        for part in parts:
            yield from in_order(part)
        yield node


def leaves(body: list[ast.stmt]) -> bool:
    """Whether a block always ends in a return or an exception."""
    return any(
        isinstance(s, (ast.Return, ast.Raise)) or (isinstance(s, ast.If) and leaves(s.body) and leaves(s.orelse))
        for s in body
    )


def returns(body: list[ast.stmt]) -> bool:
    """Whether there is a return anywhere in a block."""
    return any(isinstance(n, ast.Return) for s in body for n in ast.walk(s))


def redirect(body: list[ast.stmt], sink: Sink) -> list[ast.stmt]:
    """The block with `sink` in place of each return, and at its end. Raises Stays for a return inside a loop."""
    out: list[ast.stmt] = []
    for i, s in enumerate(body):
        if isinstance(s, ast.Return):
            return out + sink(s.value)
        if isinstance(s, ast.Raise):
            return [*out, s]
        if returns([s]):
            if not isinstance(s, ast.If):
                raise Stays
            yes, no = _arms(s, body[i + 1 :])
            return [*out, ast.If(s.test, redirect(yes, sink) or [ast.Pass()], redirect(no, sink))]
        out.append(s)
    return out + sink(None)


def _arms(s: ast.If, rest: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Both arms of an `if`, each with what follows it; what follows both stands twice only if it is small."""
    if leaves(s.body):
        return s.body, s.orelse if leaves(s.orelse) else s.orelse + rest
    if leaves(s.orelse):
        return s.body + rest, s.orelse
    if len(rest) > SMALL:
        raise Stays
    return s.body + copy.deepcopy(rest), s.orelse + rest
