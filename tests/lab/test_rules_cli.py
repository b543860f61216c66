"""The list of rules, who cites them, and the command that shows it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from avickit import data
from avickit.cli import main
from avickit.errors import AvicError
from avickit.lab import rules

SIZES = {
    "H-CPUID": 5,
    "H-VMCB": 17,
    "H-REG": 9,
    "H-MAP": 24,
    "H-PRIO": 3,
    "H-EVAL": 3,
    "H-EOI": 3,
    "H-MASK": 1,
    "H-IPI": 14,
    "H-TAB": 4,
    "H-BELL": 3,
    "H-MEM": 3,
    "H-EXIT": 3,
    "H-IOMMU": 4,
    "H-X2": 3,
    "X0": 14,
    "X1": 2,
    "X2": 1,
    "X3": 1,
    "X4": 6,
    "X5": 6,
    "X6": 7,
    "X7": 3,
    "X8": 2,
    "X9": 1,
    "X10": 2,
}
"""How many rules each family has."""
ONE = rules.numbers()[0]


def invoke(*args: str) -> Any:
    return CliRunner().invoke(main, ["rules", *args])


def test_the_list_is_whole() -> None:
    found: dict[str, int] = {}
    for number in rules.numbers():
        family = number.rpartition("-")[0]
        found[family] = found.get(family, 0) + 1
    assert found == SIZES


def test_each_rule_says_something_and_names_its_source() -> None:
    for rule in rules.rules():
        assert rule.says.endswith(".")
        assert 20 < len(rule.says) <= 200
        assert re.match(r"APM[23] |IOMMU specification |Xen before|series patch \d|cover letter", rule.source)
        assert rule.modelled == (not rule.number.startswith(("H-IOMMU", "H-X2")))


def test_a_source_of_a_patch_is_its_patch() -> None:
    for rule in rules.rules():
        if rule.number.startswith("X") and not rule.number.startswith("X0-"):
            assert rule.source == f"series patch {rule.number[1:].partition('-')[0]}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(H-NAME-5, APM2 15.29.6.1)", ["H-NAME-5"]),
        ("H-NAME-3a and H-NAME-3", ["H-NAME-3a", "H-NAME-3"]),
        ("twice: X99-1, X99-1", ["X99-1"]),
        ("H-NAME-0 .. H-NAME-12", []),
        ("H-NAME-1 to H-NAME-6", []),
        ("X99-11 .. 14; X98-2", ["X98-2"]),
        ("H-NAME-12-3 xH-NAME-4 X99-1X X99", []),
        ("H-MAPS-0A0", ["H-MAPS-0A0"]),
    ],
)
def test_mentions(text: str, found: list[str]) -> None:
    assert rules.mentioned(text) == found


SOURCE = '''\
"""A module. (H-NAME-1)"""
SITE = Site(Kind.READ, "H-NAME-2", "words")
# see H-NAME-3
class A:
    """A class."""

    @mark("H-NAME-4")
    def f(self):
        """Does it. (H-NAME-5, H-NAME-6 .. H-NAME-9)"""
        h_name_7 = f"{self} (H-NAME-8)"
'''


def test_citations_of_a_source() -> None:
    found = {number: str(where) for number, where in rules.citations_in(SOURCE, "a.py")}
    assert found == {
        "H-NAME-1": "a.py:1",
        "H-NAME-2": "a.py:2 SITE",
        "H-NAME-3": "a.py:3",
        "H-NAME-4": "a.py:7 f",
        "H-NAME-5": "a.py:9 f",
        "H-NAME-8": "a.py:10 h_name_7",
    }


def test_no_source_cites_a_rule_that_there_is_not() -> None:
    """Prefixes of the kit's rules only; examples in tests use other names."""
    package = Path(rules.__file__).parents[1]
    families = {number.rpartition("-")[0] for number in rules.numbers()}
    for folder in (package, package.parent / "tests"):
        for number, where in rules.cited_in(folder, base=package.parent).items():
            if number.rpartition("-")[0] in families and number not in rules.numbers():
                pytest.fail(f"{number} is no rule: {', '.join(map(str, where))}")


def test_rules_are_cited_in_this_checkout() -> None:
    found, with_tests = rules.standing()
    assert with_tests
    assert [s.rule for s in found] == list(rules.rules())
    ipi = next(s for s in found if s.rule.number == "H-" + "IPI-5")
    assert any(c.file == "avickit/silicon/ipi.py" and c.name == "SET_IRR" for c in ipi.code)
    assert "ipi-running" in ipi.scenarios


def test_the_command_lists_all() -> None:
    result = invoke()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) == len(rules.numbers()) + 1
    assert re.match(r"137 rules: code cite \d+ \(\d+ %\), tests cite \d+ .* 7 more are not modelled yet", lines[-1])
    assert "\x1b" not in result.output


def test_the_command_for_one_rule_says_where() -> None:
    result = invoke(ONE)
    assert result.exit_code == 0
    assert "source: APM2" in result.output
    assert re.search(r"code: avickit/\S+\.py:\d+", result.output)
    assert re.search(r"test: tests/\S+\.py:\d+", result.output)
    assert "scenario: " in result.output


def test_json() -> None:
    found = json.loads(invoke("--json").output)
    assert [rule["number"] for rule in found] == list(rules.numbers())
    assert set(found[0]) == {"number", "says", "source", "modelled", "code", "tests", "scenarios"}
    assert set(found[0]["code"][0]) == {"file", "line", "name"}


def test_missing() -> None:
    """Exit code 1 as long as a rule lacks code or tests; those that are not modelled yet do not count."""
    result = invoke("--missing", "--json")
    lacking = json.loads(result.output)
    assert result.exit_code == (1 if lacking else 0)
    assert all(rule["modelled"] and not (rule["code"] and rule["tests"]) for rule in lacking)


def test_without_the_tests_nobody_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = rules.standing()
    alone = [s._replace(tests=[]) for s in found]
    monkeypatch.setattr(rules, "standing", lambda: (alone, False))
    assert all(rule["tests"] is None for rule in json.loads(invoke("--json").output))
    assert "tests   ?" in invoke(ONE).output
    assert "tests cite" not in invoke().output


def test_no_such_rule() -> None:
    result = invoke("H-NAME-1")
    assert result.exit_code == 2
    assert "H-NAME-1 given" in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[rule]]\nnumber = "H-A-1"\n', "number, says and source"),
        ('[[rule]]\nnumber = "seven"\nsays = ""\nsource = ""\n', "seven given"),
        ('[[rule]]\nnumber = "H-A-1"\nsays = ""\nsource = ""\n' * 2, "a number twice"),
    ],
)
def test_a_list_that_is_not_whole(text: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(text, "utf-8")
    monkeypatch.setattr(data, "folder", lambda: tmp_path)
    with pytest.raises(AvicError, match=words):
        rules.rules.__wrapped__()


def test_a_source_that_is_no_python() -> None:
    with pytest.raises(AvicError, match=r"a\.py: no Python source: .*line 1"):
        list(rules.citations_in("def f(:\n", "a.py"))
