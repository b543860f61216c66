"""`avickit hackbench`: what it runs and keeps, how it goes on after a kill, what it says to bad input."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from avickit import data
from avickit.cli import main
from avickit.workload import CELLS, Parameters, Result, simulate
from avickit.workload.store import Store

TINY = ("--loops", "2", "--set", "groups=1", "--set", "fds=3", "--engine", "plain")
ENTRY = [sys.executable, "-c", "from avickit.cli import main; main()", "hackbench"]


def run(*args: str) -> Any:
    return CliRunner().invoke(main, ["hackbench", *args])


def test_the_command_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    out = str(tmp_path / "r.csv")
    first = run(*TINY, "--out", out, "--cell", "emulated")
    assert first.exit_code == 0
    assert "emulated seed 1    run" in first.output
    again = run(*TINY, "--out", out, "--seeds", "2")
    assert "emulated seed 1    kept" in again.output
    assert "emulated seed 2    run" in again.output
    rows = Store(out).results
    assert len(rows) == 8
    assert all(r == simulate(r.parameters, "plain") for r in rows)


def test_a_file_with_other_parameters_inside_is_another_run(tmp_path: Path) -> None:
    """Rows at another price stay, and are not taken for these."""
    out = ("--out", str(tmp_path / "r.parquet"), "--cell", "avic")
    dear, usual = ("--set", "icrl_write=6000"), ()
    for change, how in ((dear, "run"), (usual, "run"), (dear, "kept"), (usual, "kept")):
        assert f"avic seed 1        {how}" in run(*TINY, *out, *change).output
    store = Store(tmp_path / "r.parquet")
    assert [r.parameters.icrl_write for r in store.results] == [6000, Parameters().icrl_write]
    assert ["icrl_write=6000" in command for command in store.commands] == [True, False]


def test_workers_give_the_same(tmp_path: Path) -> None:
    both = [str(tmp_path / "one.csv"), str(tmp_path / "two.csv")]
    for out, workers in zip(both, ("1", "2"), strict=True):
        assert run(*TINY, "--out", out, "--workers", workers).exit_code == 0
    one, two = ({r.parameters: r for r in Store(out).results} for out in both)
    assert one == two


def test_a_run_that_is_begun_again_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def flaky(wanted: list[Parameters], *, on_retry: Callable[..., None], **_: Any) -> Iterator[Result]:
        for p in wanted:
            on_retry(p, BrokenProcessPool())
            yield simulate(p, "plain")

    monkeypatch.setattr(sys.modules["avickit.workload.sweep"], "sweep", flaky)
    found = run(*TINY, "--workers", "2", "--cell", "pv")
    assert [line[:29].rstrip() for line in found.output.splitlines()] == [
        "pv seed 1          again: Bro",
        "pv seed 1          run",
    ]


def test_compare_takes_the_run_that_comes_along() -> None:
    found = run("--compare", str(data.path("hackbench.csv")))
    assert found.exit_code == 0
    assert "no AVIC, xen_nopv  517.0 s  " in found.output
    assert "1 run" not in found.output, "each number of the series is a mean of ten"
    assert "3 runs" in found.output
    assert "no prediction" in found.output
    assert len(json.loads(run("--compare", str(data.path("hackbench.csv")), "--json").output)) == 4


def test_compare_takes_what_was_asked_for() -> None:
    """Any option that says what to simulate: else it would be passed over without a word."""
    found = run("--compare", str(data.path("hackbench.csv")), *TINY, "--cell", "pv")
    assert found.exit_code == 0
    assert "pv seed 1          run" in found.output
    assert "3 runs" not in found.output


MINE = "avic,xen_nopv,seconds\n"
BAD_INPUT = {
    "an unknown parameter": (("--set", "nothing=1"), "parameter: nothing given"),
    "a parameter without a value": (("--set", "wake"), "--set: wake given, expected NAME=VALUE"),
    "half a cycle": (("--set", "wake=0.5"), "whole number"),
    "out of range": (("--set", "vcpus=33"), "vcpus: 33 given, expected 1..32"),
    "a seed beside the seeds": (("--set", "seed=5"), "--set: seed=5 given, expected --seeds"),
    "a cell beside the cells": (("--set", "avic=true"), "--set: avic=true given, expected --cell"),
    "no loops": (("--loops", "0"), "loops: 0 given"),
    "no seeds": (("--seeds", "0"), "--seeds: 0 given, expected 1.."),
    "no workers": (("--workers", "0"), "--workers: 0 given, expected 1.."),
    "no folder": (("--out", "nowhere/r.csv"), "nowhere/r.csv cannot be written: No such file"),
    "a folder": (("--out", "folder.csv"), "expected a file, not a folder"),
    "no name, as of a variable that is not set": (("--out", ""), "expected a name that ends in .csv or .parquet"),
    "no name to compare": (("--compare", ""), "cannot be read"),
    "another kind": (("--out", "r.txt"), "expected a name that ends in .csv or .parquet"),
    "somebody else's table": (("--out", "mine.csv"), "mine.csv: columns: avic, xen_nopv, seconds given"),
    "no Parquet": (("--out", "mine.parquet"), "mine.parquet cannot be read as Parquet"),
    "no measured file": (("--compare", "nowhere.csv"), "nowhere.csv cannot be read"),
    "a measured folder": (("--compare", "folder.csv"), "folder.csv cannot be read"),
    "no measured row": (("--compare", "mine.csv"), "expected at least one measured cell"),
}


@pytest.mark.parametrize("what", BAD_INPUT)
def test_bad_input_is_one_line_before_anything_runs(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    for name in ("mine.csv", "mine.parquet"):
        Path(name).write_text(MINE)
    args, said = BAD_INPUT[what]
    found = run("--engine", "plain", *args)
    assert found.exit_code == 2
    assert said in found.output
    assert len(found.output.splitlines()) == 1
    assert sorted(f.name for f in tmp_path.iterdir()) == ["folder.csv", "mine.csv", "mine.parquet"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_gets_too_long_is_told_without_a_trace(workers: str, tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    found = run("--set", "write=1099511627776", "--cell", "pv", "--workers", workers, "--out", str(out))
    assert found.exit_code == 2
    assert "cycles of the run: more than 2^50 given" in found.output.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_killed_between_cells_it_goes_on_with_the_next(tmp_path: Path) -> None:
    """A real SIGKILL once the first row is in the file: that is kept as it was, the rest is run, nothing twice."""
    out = tmp_path / "r.csv"
    args = ("--loops", "300", "--set", "groups=2", "--set", "fds=6", "--engine", "plain", "--out", str(out))
    process = subprocess.Popen([*ENTRY, *args], stderr=subprocess.DEVNULL)
    while not out.exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = Store(out).results
    again = run(*args)
    assert again.exit_code == 0
    assert 1 <= len(before) < len(CELLS)
    assert again.output.count(" kept ") == len(before)
    assert again.output.count(" run ") == len(CELLS) - len(before)
    after = Store(out).results
    assert after[: len(before)] == before
    assert [(r.parameters.avic, r.parameters.pv) for r in after] == list(CELLS)
    assert not [f for f in tmp_path.iterdir() if f != out and os.fspath(f).endswith(".csv")]


def test_a_terminal_sees_how_far_a_run_is() -> None:
    """In messages written and read, from 0 % to 100 %."""
    master, slave = pytest.importorskip("pty").openpty()
    args = ("--loops", "60", "--set", "groups=4", "--cell", "avic", "--engine", "plain")
    process = subprocess.Popen([*ENTRY, *args], stderr=slave)
    os.close(slave)
    seen = b""
    while select.select([master], [], [], 60)[0]:
        try:
            seen += os.read(master, 4096)
        except OSError:  # nobody holds the other end any more
            break
    os.close(master)
    assert process.wait() == 0
    percents = [int(n) for n in re.findall(rb"(\d+)%", seen)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len({*percents}) > 3
    assert b"avic seed 1        run" in seen


def test_parameters_are_listed_with_their_standing() -> None:
    assert "literature" in run("--parameters").output
    assert {"unit", "standing"} <= json.loads(run("--parameters", "--json").output)[-1].keys()
