"""Which mutants are tried: those of behaviour, one or two for each operator.

    python mutation/skip.py session.sqlite

Left out are declarations (Sites, types, the questions of choices, frozen=True), and of the eleven replacements that
cosmic-ray knows for each operator all but the nearest.
"""

import ast
import sys
from functools import cache
from pathlib import Path

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

NEAREST = {
    "BinaryOperator": "Add_Sub Sub_Add Mul_FloorDiv FloorDiv_Mul Mod_FloorDiv BitAnd_BitOr BitOr_BitAnd "
    "BitXor_BitOr LShift_RShift RShift_LShift",
    "ComparisonOperator": "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot "
    "IsNot_Is In_NotIn NotIn_In",
    "UnaryOperator": "Delete_Not Delete_Invert Delete_USub USub_UAdd Invert_USub",
}
TRIED = {f"core/Replace{kind}_{pair}" for kind, pairs in NEAREST.items() for pair in pairs.split()}
DECLARING = {"Site", "Enum", "namedtuple", "cast"}

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


def tried(path: Path, operator: str, at: tuple[int, int]) -> bool:
    """Whether a mutant is one of behaviour, and the nearest of its kind."""
    if any(start <= at < end for start, end in declarations(path)):
        return False
    return operator in TRIED or not any(kind in operator for kind in NEAREST)


def main(session: str) -> None:
    """Mark the mutants that are left out, and say how many there are of both."""
    kept = left_out = 0
    with use_db(session) as db:
        for item in list(db.pending_work_items):
            if all(tried(m.module_path, m.operator_name, m.start_pos) for m in item.mutations):
                kept += 1
            else:
                left_out += 1
                db.set_result(item.job_id, WorkResult(output="left out", worker_outcome=WorkerOutcome.SKIPPED))
    print(f"{kept} mutants to try, {left_out} left out")


if __name__ == "__main__":
    main(sys.argv[1])
