"""The rules that the kit keeps, and who cites each: functions and declarations in the package, tests, scenarios.

A citation is a rule's exact number in a docstring, a comment or a string of the source. The ends of a range
(`A .. B`) are prose and do not count. Does not model: whether a citation is true; tests and their breakers show that.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from avickit import data
from avickit.errors import AvicError

NUMBER = r"(?:H-[A-Z0-9]+-[0-9A-F]+[a-z]?|X\d{1,2}-\d+[a-z]?)"
MENTION = re.compile(rf"(?<![\w-]){NUMBER}(?![\w-])")
RANGE = re.compile(rf"(?<![\w-]){NUMBER}\s*(?:\.\.+|-|\u2013|\u2026|to)\s*(?:{NUMBER}|[0-9A-F]+)(?![\w-])")


class Rule(NamedTuple):
    """A rule: its number, what it says in a sentence, which section or patch it comes from."""

    number: str
    says: str
    source: str
    modelled: bool


class Citation(NamedTuple):
    """Where a rule is cited: file, line, and the innermost thing with a name around it."""

    file: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f" {self.name}" if self.name else "")


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of data/rules.toml. Raises AvicError if the file is not whole."""
    found = tomllib.loads(data.path("rules.toml").read_text(encoding="utf-8"))
    try:
        read = tuple(Rule(r["number"], r["says"], r["source"], r.get("modelled", True)) for r in found["rule"])
    except (KeyError, TypeError) as error:
        raise AvicError.of("data/rules.toml", str(error), "number, says and source in each rule") from error
    odd = [rule.number for rule in read if not re.fullmatch(NUMBER, rule.number)]
    if odd or len({rule.number for rule in read}) != len(read):
        raise AvicError.of("data/rules.toml", ", ".join(odd) or "a number twice", "numbers such as H-NAME-1, once each")
    return read


@cache
def numbers() -> tuple[str, ...]:
    """The numbers of all rules."""
    return tuple(rule.number for rule in rules())


def mentioned(text: str) -> list[str]:
    """The rules that a text mentions exactly, ranges taken out.

    >>> mentioned("H-NAME-5, X99-1; but not H-NAME-12 .. H-NAME-15")
    ['H-NAME-5', 'X99-1']
    """
    return list(dict.fromkeys(MENTION.findall(RANGE.sub(" ", text))))


def citations_in(text: str, file: str) -> Iterator[tuple[str, Citation]]:
    """(number, where) of each mention in one Python source: strings, docstrings among them, and comments.

    Raises AvicError for a source that is no Python.
    """
    try:
        spans = named_spans(ast.parse(text))
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, tokenize.TokenError) as error:
        raise AvicError(f"{file}: no Python source: {error}") from error
    for token in tokens:
        if token.type in (tokenize.STRING, tokenize.COMMENT) or token.type == FSTRING:
            for number in mentioned(token.string):
                line = token.start[0]
                inner = [name for name, first, last in spans if first <= line <= last]
                yield number, Citation(file, line, inner[-1] if inner else "")


FSTRING = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)
"""From Python 3.12 on an f-string comes in parts."""


def named_spans(tree: ast.Module) -> list[tuple[str, int, int]]:
    """Name, first and last line of functions, classes and assignments, the outer before the inner."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found.append((node.name, first, node.end_lineno or node.lineno))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                found.append((target.id, node.lineno, node.end_lineno or node.lineno))
    return sorted(found, key=lambda span: (span[1], -span[2]))


def cited_in(folder: Path, *, base: Path) -> dict[str, list[Citation]]:
    """Who cites which rule, in all Python files below a folder; files are named from `base` on."""
    found: dict[str, list[Citation]] = {}
    for path in sorted(folder.rglob("*.py")):
        for number, where in citations_of(path, path.relative_to(base).as_posix(), path.stat().st_mtime_ns):
            found.setdefault(number, []).append(where)
    return found


@cache
def citations_of(path: Path, name: str, modified: int) -> tuple[tuple[str, Citation], ...]:
    """The citations of a file as it was at that time: read once."""
    return tuple(citations_in(path.read_text(encoding="utf-8"), name))


def told_by() -> dict[str, list[str]]:
    """Which of the kit's scenarios names which rule."""
    found: dict[str, list[str]] = {}
    for path in data.scenarios():
        for number in tomllib.loads(path.read_text(encoding="utf-8")).get("rules", ()):
            found.setdefault(number, []).append(path.stem)
    return found


class Standing(NamedTuple):
    """A rule with those who cite it."""

    rule: Rule
    code: list[Citation]
    tests: list[Citation]
    scenarios: list[str]


def standing() -> tuple[list[Standing], bool]:
    """Every rule with its citations; False where the tests are not at hand, because the kit is installed without."""
    package = Path(__file__).parents[1]
    tests = package.parent / "tests"
    here = (package.parent / "pyproject.toml").is_file() and tests.is_dir()
    code = cited_in(package, base=package.parent)
    tested = cited_in(tests, base=package.parent) if here else {}
    told = told_by()
    found = [Standing(r, code.get(r.number, []), tested.get(r.number, []), told.get(r.number, [])) for r in rules()]
    return found, here
