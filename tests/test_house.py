"""The rules of the house, read from the source: who imports whom, what code may touch, what every docstring says.

One of them is tried out: while all proofs run, no code looks at a shared place without a beat.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import avickit
import tests.proofs.test_proofs  # noqa: F401  (it gathers the proofs)
from avickit.beat import Beats, World, area_of
from avickit.silicon import parts
from tests.proofs.frame import PROOFS, Breaker, Proof, maker
from tests.silicon.bench import POKE

PACKAGE = Path(avickit.__file__).parent
ROOMS = [
    "errors",
    "data",
    "bits",
    "beat",
    "manual",
    "silicon",
    "xen",
    "series",
    "museum",
    "lab",
    "show",
    "workload",
    "lessons",
    "commands",
    "cli",
]
"""Each room imports only from itself and from rooms before it."""
MODULES = sorted(f.relative_to(PACKAGE).with_suffix("").as_posix() for f in PACKAGE.rglob("*.py"))
MODELLING = ("errors", "bits", "beat", "manual", "silicon", "xen")
MODELLED = [m for m in MODULES if m.split("/")[0] in ("silicon", "xen", "series", "museum")]
RULE = re.compile(r"\b(H-[A-Z0-9]+-\w+|X\d+-\d+[a-z]?)\b")


@cache
def tree_of(module: str) -> ast.Module:
    """The syntax tree of a module, with `parent` on each node."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    return tree


def imported(module: str) -> set[str]:
    """The package's modules that a module imports: `silicon.run`."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: imports are absolute"
            whole = node.module == "avickit" or (PACKAGE / node.module.partition(".")[2].replace(".", "/")).is_dir()
            found.update(f"{node.module}.{a.name}" if whole else node.module for a in node.names)
    return {name.removeprefix("avickit.") for name in found if name.split(".")[0] == "avickit"}


@pytest.mark.parametrize("module", [m for m in MODULES if "/" in m or m != "__init__"])
def test_a_room_imports_only_from_rooms_before_it(module: str) -> None:
    assert module.split("/", maxsplit=1)[0] in ROOMS, f"{module}: give its room a place among {ROOMS}"
    room = ROOMS.index(module.split("/", maxsplit=1)[0])
    for name in imported(module):
        if name != "__version__":
            assert ROOMS.index(name.split(".")[0]) <= room, f"{module} imports {name}"


def patch_number(module: str) -> int:
    """Which patch a module of the series belongs to; the logical table is part of the fifth."""
    if module.endswith("logical_table"):
        return 5
    found = re.search(r"\bp(\d\d)_", module)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("series/") and patch_number(m)])
def test_a_patch_imports_only_earlier_ones(module: str) -> None:
    mine = patch_number(module)
    for name in imported(module):
        other = patch_number(name)
        assert other <= mine, f"{module} imports {name}"
        assert other < mine or not other or "logical_table" in (module + name)


# ---- state is touched by beats only ----


@pytest.mark.parametrize("module", MODELLED)
def test_nobody_reaches_into_the_world(module: str) -> None:
    for node in ast.walk(tree_of(module)):
        assert not (isinstance(node, ast.Attribute) and node.attr == "at"), f"{module}, line {node.lineno}: .at"
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            assert "see" not in ast.unparse(node.value).split("."), f"{module}, line {node.lineno}: a look that stores"


DELIBERATE = {
    ("silicon/run.py", "run_guest", "signals"): "between instructions a core samples its own interrupt lines",
    ("silicon/run.py", "boundary", "signals"): "the same; to notice one is a beat",
    ("silicon/vmrun.py", "vmrun", "signals"): "the same, at VMRUN",
    ("xen/svm.py", "hypervisor", "signals"): "the same, with interrupts let in before VMRUN and when idle",
    ("xen/parts.py", "printk", "length"): "the console's line number; Xen's console lock is not modelled",
    (
        "xen/parts.py",
        "domain_crash",
        "crashed",
    ): "two cores that crash one domain at once are not told apart",
}
"""Looks at a shared place without a beat, by file, function and cell, and why they are there."""


def watch(w: World) -> None:
    """Every look at what is not the core's own is an error, but for those above and a page that is being cleared."""
    look = w.at.__getitem__

    class Watched:
        def __getitem__(self, place: int) -> Any:
            area = area_of(w, place)
            if area is None or not area.private:
                code = sys._getframe(1).f_code
                file = Path(code.co_filename)
                label = "a page" if area is None else area.labels[place - area.base]
                where = (f"{file.parent.name}/{file.name}", code.co_name, label)
                assert where in DELIBERATE, f"{where} is looked at without a beat"
            return look(place)

    def clear_page(w: World, page: int) -> Beats[None]:
        """Store 0 to every word of a page that is not 0 already."""
        for place in range(page, page + w.page_places):
            if look(place):
                yield parts.CLEAR_WORD(place, 0)

    w.see = Watched()
    w.replace(parts.clear_page, clear_page, "watch")


@pytest.mark.parametrize("proof", PROOFS, ids=lambda p: p.run.__name__)
def test_shared_places_are_seen_by_beats_only(proof: Proof) -> None:
    proof.run(maker(Breaker("", watch, patch=False)))


def test_a_look_without_a_beat_would_be_found() -> None:
    m = maker(Breaker("", watch, patch=False))(cores=1, pages=32)
    assert m.xen is not None
    v = m.xen.create_domain(1).vcpus[0]
    m.xen.run(v, 0)
    for place in (v.vcpu.page, v.vcpu.cells.is_running, 0):
        with pytest.raises(AssertionError, match="is looked at without a beat"):
            m.world.see[place]
    assert m.world.see[v.vcpu.guest.interrupt_flag] == 1
    assert POKE.rule == "broken"


# ---- generators are driven, asks are asked ----


def makes_beats(thing: Any) -> bool:
    """Whether calling it gives a generator of beats: an Op, its original, or a plain generator function."""
    return hasattr(thing, "fn") or inspect.isgeneratorfunction(thing)


def resolve(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name or a dotted name stands for in a module; None if it is not known there."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(resolve(node.value, names), node.attr, None)
    return None


def local_names(node: ast.AST) -> set[str]:
    """Parameters and variables of the functions around a node: they hide the module's names."""
    found: set[str] = set()
    while (node := getattr(node, "parent", None)) is not None:  # type: ignore[assignment]
        if isinstance(node, ast.FunctionDef):
            found.update(a.arg for a in (*node.args.args, *node.args.kwonlyargs))
            found.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return found


def calls(module: str) -> Iterator[tuple[ast.Call, Any]]:
    """The calls of a module, with what is called where that can be known."""
    names = vars(importlib.import_module("avickit." + module.replace("/", ".").removesuffix(".__init__")))
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call):
            first = node.func
            while isinstance(first, ast.Attribute):
                first = first.value
            hidden = isinstance(first, ast.Name) and first.id in local_names(node)
            yield node, None if hidden else resolve(node.func, names)


def inner(fn: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    rest: list[ast.AST] = [*fn.body]
    while rest:
        node = rest.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            rest.extend(ast.iter_child_nodes(node))


def has_beats(fn: ast.FunctionDef) -> bool:
    """Whether a function is a generator."""
    return any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in inner(fn))


@pytest.mark.parametrize("module", MODELLED)
def test_beats_are_driven_and_asks_are_asked(module: str) -> None:
    """What makes beats is the operand of `yield from`, or what a plain function returns; a Site's call, of `yield`."""
    for node, called in calls(module):
        parent = node.parent  # type: ignore[attr-defined]
        while isinstance(parent, ast.IfExp):
            parent = parent.parent  # type: ignore[attr-defined]
        if makes_beats(called):
            driven = isinstance(parent, (ast.YieldFrom, ast.Return))
            assert driven, f"{module}, line {node.lineno}: beats are dropped"
        elif hasattr(called, "say") and hasattr(called, "cite"):
            assert isinstance(parent, ast.Yield), f"{module}, line {node.lineno}: the ask is not asked"


def test_a_forgotten_yield_from_would_be_found() -> None:
    names = {"clear": parts.clear_page, "SITE": parts.CLEAR_WORD, "plain": parts.page_at}
    for source, wrong in (("clear(w, 1)", True), ("clear.fn(w, 1)", True), ("plain(w, 1)", False)):
        call = ast.parse(source).body[0].value  # type: ignore[attr-defined]
        assert makes_beats(resolve(call.func, names)) == wrong
    assert hasattr(resolve(ast.Name("SITE"), names), "say")


# ---- what every docstring says ----

CITES_NO_RULE = {
    "series/logical_table": {"move"},
    "xen/boot": {"cmdline_parse"},
    "xen/intr": {"interrupt_blocked", "after_injection"},
    "xen/keys": {"live_domains", "dump_vmcb"},
    "xen/parts": {"printk"},
    "xen/sched": {"vcpu_wake", "switch_state", "switch_from"},
    "xen/svm": {"emulate"},
    "xen/vlapic_pt": {"pt_irq_masked"},
    "xen/vlapic_timer": {"vlapic_previous_timer_mode"},
    "xen/vmcb": {"vmcb_read"},
}
"""Steps of Xen's that no rule names: they cite Xen's function, or nothing. Nobody is to join them."""


@pytest.mark.parametrize("module", MODELLED)
def test_a_function_with_beats_cites_a_rule(module: str) -> None:
    for fn in ast.walk(tree_of(module)):
        if isinstance(fn, ast.FunctionDef) and has_beats(fn):
            doc = ast.get_docstring(fn) or ""
            assert doc, f"{module}.{fn.name} says nothing"
            assert RULE.search(doc) or fn.name in CITES_NO_RULE.get(module, ()), f"{module}.{fn.name} cites no rule"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_and_what_it_does_not_model(module: str) -> None:
    """The second in the rooms that model something; a patch says what changed and why."""
    doc = " ".join((ast.get_docstring(tree_of(module)) or "").split())
    assert doc, f"{module} says nothing"
    room = module.split("/", maxsplit=1)[0]
    if room in MODELLING and module != "xen/__init__":
        assert re.search(r"\b[Dd]oes not model\b", doc), f"{module} does not say what it does not model"
