"""`avickit explore`: verdict, diagram, JSON, exit codes; and `avickit check`, which proves verdicts."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from avickit import data
from avickit.cli import main
from avickit.lab.scenario import ScenarioError, load

IPI = "race-sleep-against-ipi"
TEXT = data.scenario(IPI).read_text("utf-8")
LOSING = f"{TEXT}\n[machine]\nerrata = [1235]\n"


def avickit(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, args, input=stdin)


def test_nothing_found_is_exit_code_0() -> None:
    result = avickit("explore", IPI, "--memory", "sc")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{IPI}, sc: pass; ")
    assert len(result.stdout.splitlines()) == 1


def test_a_finding_is_exit_code_1_with_its_diagram(tmp_path: Path) -> None:
    file = tmp_path / "losing.toml"
    file.write_text(LOSING, encoding="utf-8")
    result = avickit("explore", str(file))
    assert result.exit_code == 1
    assert "losing, tso: lost wake-up; " in result.stdout
    assert "d1v1 sleeps, and vector 41h waits in its IRR" in result.stdout
    assert "sleeper (core 1)" in result.stdout
    assert avickit("explore", str(file), "--memory", "sc").exit_code == 0


def test_json_has_figures_and_the_counterexample() -> None:
    result = avickit("explore", "-", "--json", stdin=LOSING)
    (found,) = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["verdict"], found["ok"], found["memory"]) == ("lost wake-up", False, "tso")
    assert set(found["bad"]) == {"lost wake-up"}
    beats = found["counterexample"]["beats"]
    assert all("races with beat" in b["say"] for b in beats if b["n"] in found["counterexample"]["racing"])
    (fine,) = json.loads(avickit("explore", IPI, "--json").stdout)
    assert (fine["verdict"], fine["complete"], fine["counterexample"]) == ("pass", True, None)


def test_bounds() -> None:
    (few,) = json.loads(avickit("explore", IPI, "--preemptions", "1", "--json").stdout)
    assert (few["preemptions"], few["reduced"]) == (1, False)
    (some,) = json.loads(avickit("explore", IPI, "--executions", "3", "--json").stdout)
    assert (some["executions"], some["complete"], some["verdict"]) == (3, False, "unfinished")


def test_bad_input_is_exit_code_2() -> None:
    assert avickit("explore", "ipi-running").exit_code == 2
    assert "there is no [race] to explore" in avickit("explore", "ipi-running").stderr
    assert avickit("explore", IPI, "--memory", "pso").exit_code == 2
    assert avickit("explore", "no-such-race").exit_code == 2


def test_help_has_an_example() -> None:
    assert "Example: avickit explore race-sleep-against-ipi --memory tso" in avickit("explore", "-h").stdout


# ---- verdicts in scenario files ----


def test_check_proves_a_verdict() -> None:
    result = avickit("check", "-v", "-", stdin=LOSING.replace('{ sc = "pass", tso = "pass" }', '"lost wake-up"'))
    assert result.exit_code == 0
    assert "orders, tso: lost wake-up" in result.stdout


def test_a_wrong_verdict_says_what_was_found_and_where() -> None:
    result = avickit("check", "-", stdin=LOSING)
    line = next(n for n, text in enumerate(LOSING.splitlines(), 1) if text.startswith("verdict"))
    assert result.exit_code == 1
    assert f"orders, tso (line {line}): lost wake-up: d1v1 sleeps, and vector 41h waits in its IRR" in result.stdout
    assert ", sc" not in result.stdout


def test_without_a_race_memory_models_do_not_differ() -> None:
    text = TEXT[: TEXT.index("[race]")] + '[expect]\nverdict = { sc = "pass" }\n'
    with pytest.raises(ScenarioError, match=r"there is no \[race\]"):
        load(text)


@pytest.mark.parametrize("verdict", ['"fine"', '{ pso = "pass" }', '{ sc = "lost" }', "{}"])
def test_a_verdict_that_cannot_be_is_refused(verdict: str) -> None:
    with pytest.raises(ScenarioError, match="verdict"):
        load(TEXT.replace('{ sc = "pass", tso = "pass" }', verdict))
