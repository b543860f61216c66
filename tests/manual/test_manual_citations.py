"""The room as a whole: what it imports, and that each rule of its sections is cited in it and by a test."""

import ast
import re
import sys
from pathlib import Path

import pytest

import avickit.manual

ROOM = sorted(Path(avickit.manual.__path__[0]).glob("*.py"))
TESTS = sorted(Path(__file__).parent.glob("test_*.py"))
FIRST_OFFSETS = "020 030 080 090 0A0 0B0 0C0 0D0 0E0 0F0 100 180 200 280 300 310 320 380 390 3E0 3F0 400 500 540"
RULES = {
    *(f"H-CPUID-{n}" for n in range(1, 6)),
    *(f"H-VMCB-{n}" for n in range(1, 18)),
    *(f"H-REG-{n}" for n in range(1, 10)),
    *(f"H-TAB-{n}" for n in range(1, 5)),
    *(f"H-EXIT-{n}" for n in range(1, 4)),
    *(f"H-MAP-{offset}" for offset in FIRST_OFFSETS.split()),
    "H-X2-2",
    "H-X2-3",
}
NO_TEST_HERE = {"H-REG-5", "H-TAB-4"}  # behaviour: silicon's tests


def cited(files: list[Path]) -> set[str]:
    return {rule for file in files for rule in re.findall(r"\bH-[A-Z0-9]+-[0-9A-F]+\b", file.read_text("utf-8"))}


def test_each_rule_is_cited() -> None:
    assert not RULES - cited(ROOM)


def test_each_rule_has_a_test() -> None:
    others = [file for file in TESTS if file != Path(__file__)]
    assert not RULES - NO_TEST_HERE - cited(others)


@pytest.mark.parametrize("file", ROOM, ids=lambda f: f.stem)
def test_imports_go_upward_only(file: Path) -> None:
    """Only the standard library, avickit.errors, avickit.bits and this room."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            top = name.split(".")[0]
            allowed = top in sys.stdlib_module_names or name in ("avickit.errors", "avickit.bits")
            assert allowed or name.split(".")[:2] == ["avickit", "manual"], name


@pytest.mark.parametrize("file", ROOM, ids=lambda f: f.stem)
def test_each_module_says_what_it_does_not_model(file: Path) -> None:
    doc = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    assert "Does not model:" in doc
