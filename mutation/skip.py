"""Which mutants are tried: those of behaviour, one or two for each operator.

    python mutation/skip.py session.sqlite

Left out are declarations (Sites, types, the questions of choices, frozen=True), of the eleven replacements that
cosmic-ray knows for each operator all but the nearest, `@Op`, and what `equivalents.toml` lists one by one.
"""

import ast
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkerOutcome, WorkResult

NEAREST = {
    "BinaryOperator": "Add_Sub Sub_Add Mul_FloorDiv FloorDiv_Mul Mod_FloorDiv BitAnd_BitOr BitOr_BitAnd "
    "BitXor_BitOr LShift_RShift RShift_LShift",
    "ComparisonOperator": "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot "
    "IsNot_Is In_NotIn NotIn_In",
    "UnaryOperator": "Delete_Not Delete_Invert Delete_USub USub_UAdd Invert_USub",
}
TRIED = {f"core/Replace{kind}_{pair}" for kind, pairs in NEAREST.items() for pair in pairs.split()}
DECLARING = {"Site", "Enum", "namedtuple", "cast"}
EQUIVALENTS = tomllib.loads((Path(__file__).parent / "equivalents.toml").read_text("utf-8"))

Span = tuple[tuple[int, int], tuple[int, int]]


def span(node: ast.AST) -> Span:
    """From where to where a node goes: (line, column) twice."""
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def is_type(node: ast.expr) -> bool:
    """Whether a value at the top of a module is a type: `Callable[...]`."""
    return isinstance(node, ast.Subscript)


@cache
def declarations(path: Path) -> list[Span]:
    """The parts of a module that say something and do nothing."""
    found: list[ast.AST | None] = []
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.returns)
        elif isinstance(node, ast.AnnAssign):
            found.append(node.annotation)
            if isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias":
                found.append(node.value)
        elif isinstance(node, ast.ClassDef):
            found.extend(node.decorator_list)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DECLARING:
            found.append(node)
    found += [n.value for n in tree.body if isinstance(n, ast.Assign) and is_type(n.value)]
    return [span(node) for node in found if node is not None]


@cache
def lines(path: Path) -> list[str]:
    """The lines of a file, without any blanks."""
    return ["".join(line.split()) for line in path.read_text("utf-8").splitlines()]


def mutated(mutation: MutationSpec) -> str:
    """The line of a mutant that differs, without any blanks."""
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    code = mutate_code(mutation.module_path.read_text("utf-8"), operator, mutation.occurrence)
    return "".join(code.splitlines()[mutation.start_pos[0] - 1].split())


def equivalent(mutation: MutationSpec, used: set[str]) -> str:
    """The class under which `equivalents.toml` lists a mutant, empty if it does not; `used` gets its entry."""
    path, line = mutation.module_path, lines(mutation.module_path)[mutation.start_pos[0] - 1]
    for kind, entries in EQUIVALENTS.items():
        for entry in entries:
            before = "".join(entry.get("part", entry.get("line")).split())
            here = entry.get("within", mutation.definition_name) == mutation.definition_name
            if here and entry["file"] == path.name and (before in line if "part" in entry else before == line):
                results = {line.replace(before, "".join(b.split())): b for b in entry["becomes"]}
                if mutated(mutation) in results:
                    used.add(f"{path.name}: {results[mutated(mutation)]}")
                    return str(kind)
    return ""


def left_out(mutation: MutationSpec, used: set[str]) -> str:
    """Why a mutant is left out; empty if it is one of behaviour, and the nearest of its kind."""
    path, operator = mutation.module_path, mutation.operator_name
    if any(start <= mutation.start_pos < end for start, end in declarations(path)):
        return "declarations"
    if operator not in TRIED and any(kind in operator for kind in NEAREST):
        return "not the nearest replacement"
    if operator == "core/RemoveDecorator" and lines(path)[mutation.start_pos[0] - 1] == "@Op":
        return "without @Op"
    return equivalent(mutation, used)


def main(session: str) -> None:
    """Mark the mutants that are left out, and say how many there are of each class."""
    counts: Counter[str] = Counter()
    used: set[str] = set()
    with use_db(session) as db:
        for item in list(db.pending_work_items):
            (mutation,) = item.mutations
            why = left_out(mutation, used)
            counts[why or "to try"] += 1
            if why:
                db.set_result(item.job_id, WorkResult(output=why, worker_outcome=WorkerOutcome.SKIPPED))
    for why, count in counts.most_common():
        print(f"{count:5} {why}")
    listed = {f"{e['file']}: {b}" for entries in EQUIVALENTS.values() for e in entries for b in e["becomes"]}
    for entry in sorted(listed - used):
        print(f"no such mutant: {entry}")


if __name__ == "__main__":
    main(sys.argv[1])
