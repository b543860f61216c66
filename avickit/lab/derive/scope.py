"""What the names in a function mean before it runs, and the syntax tree that it came from.

Does not model: names that a function binds itself; only running can tell what they stand for.
"""

import ast
import builtins
import linecache
import textwrap
from collections.abc import Hashable
from functools import cache
from inspect import isgeneratorfunction
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

from avickit.beat import Do
from avickit.errors import AvicError

UNKNOWN: Any = object()
"""What a name stands for that only running can tell."""
CALM = frozenset((bool, int, len, min, max, range, tuple, list, set, dict, sorted, isinstance, hasattr, type, zip))
CALM_METHODS = frozenset(("append", "bit_length", "get", "items", "keys", "values", "_replace"))
HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
"""Where a function can stand; there is none inside an expression."""
WILD = (ast.Raise, ast.Assert, ast.Try, ast.With, ast.Yield, ast.YieldFrom)


class Underivable(AvicError):
    """A function has no plain form: the message names it, the line and what stands in the way."""


def where(code: CodeType) -> str:
    """A function in words: file, line and name."""
    return f"{code.co_filename}:{code.co_firstlineno}: {code.co_qualname}"


Key: TypeAlias = tuple[str, CodeType]


def key_of(code: CodeType) -> Key:
    """What a function's code is known by: code of two files can be equal, and mean different things there."""
    return code.co_filename, code


def is_beats(found: Any) -> bool:
    """Whether this is a generator function, or an Op, which stands for one."""
    return isgeneratorfunction(getattr(found, "fn", found))


@cache
def _places(source: str) -> tuple[dict[tuple[str, int], tuple[int, int]], list[ast.stmt]]:
    """Where each function of a file stands (name and first line, to first and last line), and what it imports."""
    module, found = ast.parse(source), {}
    rest: list[ast.AST] = [module]
    for node in rest:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name, first] = (first, node.end_lineno or first)
        rest += [n for n in ast.iter_child_nodes(node) if isinstance(n, HOLDERS)]
    return found, [s for s in module.body if isinstance(s, (ast.Import, ast.ImportFrom))]


def tree_of(code: CodeType, names: dict[str, Any]) -> ast.FunctionDef:
    """The syntax tree of a function of the module with these names, a new one each time; no decorators, no docstring.

    Raises Underivable if there is no source, or if the file has changed since the function was made of it.
    """
    key = key_of(code)
    if key not in _texts:
        lines = linecache.getlines(code.co_filename, names)
        places, imports = _places("".join(lines))
        first, last = places.get((code.co_name, code.co_firstlineno), (0, 0))
        if not first:
            raise Underivable(f"{where(code)}: its source is not to be had")
        text = "\n" * (first - 1) + textwrap.dedent("".join(lines[first - 1 : last]))
        if not _same(_parse(text), code, imports):
            raise Underivable(f"{where(code)}: its source has changed since it was loaded")
        _texts[key] = text
    tree = _parse(_texts[key])
    tree.decorator_list, tree.returns = [], None
    for parameter in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs):
        parameter.annotation = None
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return tree


_texts: dict[Key, str] = {}


def _parse(text: str) -> ast.FunctionDef:
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _same(tree: ast.FunctionDef, code: CodeType, imports: list[ast.stmt]) -> bool:
    """Whether the tree compiles to this code, which depends on the module's imports, too.

    Where there is an assert, nobody can say: pytest puts in one of its own.
    """
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        return True
    outer = ast.parse("def outer():\n " + "".join(f"{name} = " for name in code.co_freevars) + "0")
    outer.body[0].body.append(tree)  # type: ignore[attr-defined]
    outer.body[:0] = imports
    made = compile(outer, code.co_filename, "exec", dont_inherit=True)
    found = [c for level in _inside(made) for c in _inside(level) if c.co_name == code.co_name]
    return any(_essence(c) == _essence(code) for c in found)


def _essence(code: CodeType) -> tuple[Any, ...]:
    constants = [(type(c), c) for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, code.co_names, constants


def _inside(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]


class Scope:
    """The names of one function: its own, those of its module, and `foreign` ones, from modules of what it took in."""

    def __init__(self, code: CodeType, names: dict[str, Any]) -> None:
        self.code, self.names = code, names
        self.own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        self.own.update(name for inner in _inside(code) for name in inner.co_varnames)
        self.foreign: dict[str, tuple[dict[str, Any], str]] = {}
        self.aliases: set[str] = set()

    def look(self, node: ast.AST | None) -> Any:
        """What a name or a dotted name stands for; UNKNOWN if only running can tell."""
        if isinstance(node, ast.Name) and node.id not in self.own:
            names, name = self.foreign.get(node.id, (self.names, node.id))
            return names.get(name, getattr(builtins, name, UNKNOWN))
        if isinstance(node, ast.Attribute):
            owner = self.look(node.value)
            if isinstance(owner, (ModuleType, FunctionType)):
                return getattr(owner, node.attr, UNKNOWN)
        return UNKNOWN

    def do(self, ask: ast.AST | None) -> Do | None:
        """What a beat does, if its Site is known by name and it is called as `SITE(place)` or `SITE(place, value)`."""
        if not isinstance(ask, ast.Call) or ask.keywords or any(isinstance(a, ast.Starred) for a in ask.args):
            return None
        found = getattr(self.look(ask.func), "do", None)
        return found if isinstance(found, Do) else None

    def find_aliases(self, tree: ast.FunctionDef) -> None:
        """Other names for `w.see`, bound once and only ever looked through."""
        looks = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Subscript)}
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in looks]
        for s in ast.walk(tree):
            if isinstance(s, ast.Assign) and self.sees(s.value) and isinstance(s.targets[0], ast.Name):
                alias = s.targets[0].id
                if len(s.targets) == 1 and [n for n in names if n.id == alias] == s.targets:
                    self.aliases.add(alias)

    def sees(self, node: ast.AST) -> bool:
        """Whether this is `w.see`, or another name for it."""
        if isinstance(node, ast.Name):
            return node.id in self.aliases
        return isinstance(node, ast.Attribute) and node.attr == "see" and is_world(node.value)

    def looks(self, call: ast.Call) -> bool:
        """Whether this calls a plain function that looks at places of this World by `w.see`."""
        found = self.look(call.func)
        if not isinstance(found, FunctionType) or is_beats(found) or not call.args:
            return False
        return "see" in found.__code__.co_names and is_world(call.args[0])

    def calm(self, func: ast.AST) -> bool:
        """Whether calling this can be relied upon to raise no exception on purpose."""
        found = self.look(func)
        if found is UNKNOWN:
            return isinstance(func, ast.Attribute) and func.attr in CALM_METHODS
        if isinstance(found, FunctionType):
            return isinstance(getattr(found, "do", None), Do) or _is_calm(found)
        return is_record(found) or (isinstance(found, Hashable) and found in CALM)


def is_record(found: Any) -> bool:
    """Whether this is a NamedTuple's class."""
    return isinstance(found, type) and issubclass(found, tuple) and hasattr(found, "_fields")


def is_world(node: ast.AST) -> bool:
    """Whether this is the World of the function: its first argument, always called `w`."""
    return isinstance(node, ast.Name) and node.id == "w"


_calm: dict[Key, bool] = {}


def _is_calm(fn: FunctionType) -> bool:
    """Whether a plain function raises nothing on purpose, nor does anything that it calls."""
    code, key = fn.__code__, key_of(fn.__code__)
    if key not in _calm:
        _calm[key] = True  # as long as nothing speaks against it: it may call itself
        scope = Scope(code, fn.__globals__)
        try:
            nodes = [n for s in tree_of(code, fn.__globals__).body for n in ast.walk(s)]
        except Underivable:
            nodes = [ast.Raise()]
        _calm[key] = not any(isinstance(n, WILD) or (isinstance(n, ast.Call) and not scope.calm(n.func)) for n in nodes)
    return _calm[key]
