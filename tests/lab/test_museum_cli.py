"""`avickit museum`: the list, one exhibit at length, all of them, JSON, exit codes, bad input."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from avickit.cli import main
from avickit.lab import exhibit as lab
from avickit.lab.exhibit import exhibits
from avickit.museum.catalogue import catalogue


def museum(*args: str) -> Any:
    return CliRunner().invoke(main, ["museum", *args])


def test_the_list() -> None:
    result = museum()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) == len(exhibits()) + 1
    assert any(line.split()[:4] == ["X11", "S", "run", "B2"] for line in lines)
    assert lines[-1].startswith(f"{len(exhibits())} exhibits; avickit museum X11 shows one")
    found = json.loads(museum("--json").output)
    assert [one["id"] for one in found] == [d.id for d in exhibits()]


def test_one_at_length() -> None:
    result = museum("X11")
    assert result.exit_code == 0
    for part in (
        "X11: Inverted test and self-gated note",
        "A defect of the Xen series, patch 5: avic_handle_ldr_update",
        "  In versions:  B2\n",
        "  Not in:       P16 A1 A2 B1\n",
        "  Confidence:   S: follows from the code alone",
        "avickit/museum/logical_notes.py:",
        "Correct code, scenario museum-x11: 5 expectations, all hold.",
        "  differs d1v1 taken: expected none, found 41h once",
    ):
        assert part in result.output


def test_how_sure_it_is_and_whose_it_is() -> None:
    assert "H: the code is certain; the consequence leans on hardware" in museum("X24").output
    assert "The series has it itself; the correct code here is the repair." in museum("X23").output
    assert "KVM's defect on this machine, patch 5" in museum("K07").output
    assert "(sleeper stops after beat 1 of X0-6)" in museum("X02").output


def test_what_only_exploration_shows() -> None:
    result = museum("X03")
    assert result.exit_code == 0
    assert "All orders, sc: pass (" in result.output
    assert "differs all orders, tso: lost wake-up: d1v1 sleeps, and vector 41h waits in its IRR" in result.output
    data = json.loads(museum("K01-shadow", "--json").output)[0]
    assert data["ok"] is True
    assert [one["verdict"] for one in data["explored"]["tso"]] == ["pass", "pass"]


def test_several_and_json() -> None:
    found = json.loads(museum("X06", "X44", "--json").output)
    assert [one["id"] for one in found] == ["X06", "X44"]
    assert all(one["ok"] and one["right"]["ok"] and not one["wrong"]["ok"] for one in found)
    assert found[0]["differs"] == ["d1v2 lost_wakeup: expected False, found True"]
    assert found[0]["confidence"] == "S"


def test_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [d for d in exhibits() if d.id in ("X01", "X18", "P10")]
    monkeypatch.setattr(lab, "exhibits", lambda: few)
    result = museum("--all")
    assert result.exit_code == 0
    assert result.output.count("Correct code, scenario") == 3
    assert "Who notices" not in result.output


def test_what_is_not_here() -> None:
    result = museum("--missing")
    assert result.exit_code == 0
    lacking = [d for d in catalogue().values() if not d.modelled]
    assert len(result.output.splitlines()) == len(lacking)
    assert "X17   Bounds that can never be exceeded: no run can show it" in result.output
    assert len(json.loads(museum("--missing", "--json").output)) == len(lacking)


def test_an_exhibit_that_does_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and a line that says so."""
    monkeypatch.setattr(lab, "tell", lambda found, defects: lab.scenario_of(found).run(defects=()))
    result = museum("X06")
    assert result.exit_code == 1
    assert "  nothing differs" in result.output
    assert result.output.rstrip().endswith("This is not what the catalogue says.")


def test_bad_input() -> None:
    for args, error in (
        (("X99",), "defect: X99 given, expected a number of the catalogue; near it: "),
        (("X17",), "X17 (Bounds that can never be exceeded) has no exhibit: no run can show it"),
        (("X23-fix",), "X23-fix is the repair that the exhibit X23 is told with"),
    ):
        result = museum(*args)
        assert result.exit_code == 2
        assert error in result.output
