"""Results in files, measured times beside them, and the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from avickit import AvicError, data
from avickit.cli import main
from avickit.workload import CELLS, Parameters, simulate
from avickit.workload.closed import IPIS, UNEXPLAINED_US, WORK_US, closed_form, fit, ipi_us
from avickit.workload.compare import compare, measured
from avickit.workload.result import Result
from avickit.workload.store import Store

SMALL = Parameters(loops=2, groups=1, fds=3)
TINY = ("--loops", "2", "--set", "groups=1", "--set", "fds=3", "--engine", "plain")


def run(*args: str) -> Any:
    return CliRunner().invoke(main, ["hackbench", *args])


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return [simulate(SMALL.but(avic=avic, pv=pv), "plain") for avic, pv in CELLS]


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_what_was_kept_is_read_back(name: str, results: list[Result], tmp_path: Path) -> None:
    store = Store(tmp_path / name, "the command")
    for n, found in enumerate(results, 1):
        store.add(found)
        assert Store(tmp_path / name).results == results[:n]
    assert Store(tmp_path / name).find(results[2].parameters) == results[2]
    assert Store(tmp_path / name).find(SMALL.but(seed=9)) is None
    assert [f.name for f in tmp_path.iterdir()] == [name]
    assert b"the command" in (tmp_path / name).read_bytes()


def test_a_file_of_another_kind_or_with_a_bad_row_is_told(results: list[Result], tmp_path: Path) -> None:
    with pytest.raises(AvicError, match=r"ends in \.csv or \.parquet"):
        Store(tmp_path / "results.txt")
    store = Store(tmp_path / "r.csv")
    store.add(results[0])
    good = store.path.read_text()
    store.path.write_text(good.replace("false,false,2,", "false,perhaps,2,"))
    with pytest.raises(AvicError, match=r"r\.csv, line 2: .*perhaps.*true or false"):
        Store(store.path)
    store.path.write_text(good.replace("written", "wrote"))
    with pytest.raises(AvicError, match="written"):
        Store(store.path)
    (tmp_path / "r.parquet").write_bytes(b"no parquet")
    with pytest.raises(AvicError, match="cannot be read as Parquet"):
        Store(tmp_path / "r.parquet")


def test_the_table_of_the_series() -> None:
    assert {cell: band.mean for cell, band in measured(data.path("hackbench.csv")).items()} == {
        (False, False): 517, (True, False): 238, (False, True): 141, (True, True): 135,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [("true,maybe,10", "true or false"), ("true,true,fast", "fast"), ("true,true,0", "more than 0"), ("", "no row")],
)
def test_a_bad_measured_file_names_the_line(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(f"# mine\navic,xen_nopv,seconds\n{row}\n")
    with pytest.raises(AvicError, match=said):
        measured(tmp_path / "mine.csv")


def test_measured_runs_of_another_length_are_scaled(results: list[Result], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("avic,xen_nopv,seconds,loops\ntrue,true,2,1000\ntrue,true,4,1000\n")
    [*_, line] = [x for x in compare(measured(tmp_path / "mine.csv"), results) if x.measured]
    assert line.cell == (True, False)
    assert line.measured is not None
    assert tuple(line.measured) == (200, 300, 400, 2)
    assert "300.0 s (200.0..400.0, 2 runs)" in str(line)


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


def test_workers_give_the_same(tmp_path: Path) -> None:
    both = [str(tmp_path / "one.csv"), str(tmp_path / "two.csv")]
    for out, workers in zip(both, ("1", "2"), strict=True):
        assert run(*TINY, "--out", out, "--workers", workers).exit_code == 0
    one, two = ({r.parameters: r for r in Store(out).results} for out in both)
    assert one == two


def test_compare_takes_the_run_that_comes_along() -> None:
    found = run("--compare", str(data.path("hackbench.csv")))
    assert found.exit_code == 0
    assert "no AVIC, xen_nopv  517.0 s  " in found.output
    assert "1 run" not in found.output, "each number of the series is a mean of ten"
    assert "3 runs" in found.output
    assert "no prediction" in found.output
    assert len(json.loads(run("--compare", str(data.path("hackbench.csv")), "--json").output)) == 4


@pytest.mark.parametrize(
    ("args", "said"),
    [(("--set", "nothing=1"), "nothing"), (("--set", "wake"), "NAME=VALUE"), (("--loops", "0"), "loops: 0 given")],
)
def test_bad_input_is_one_sentence(args: tuple[str, ...], said: str) -> None:
    found = run(*args)
    assert found.exit_code == 2
    assert said in found.output


def test_parameters_are_listed_with_their_standing() -> None:
    assert "literature" in run("--parameters").output
    assert {"unit", "standing"} <= json.loads(run("--parameters", "--json").output)[-1].keys()


def test_the_full_run_is_the_full_run() -> None:
    """All four cells, three seeds, 400 million messages each, at the frozen prices."""
    found = Store(data.path("hackbench-simulated.csv")).results
    defaults = [Parameters(avic=a, pv=v, loops=100_000, seed=s) for a, v in CELLS for s in (1, 2, 3)]
    assert [r.parameters for r in found] == defaults
    assert all(r.counters["written"] == r.counters["received"] == 400_000_000 for r in found)


def test_the_closed_form_holds_only_with_what_has_no_mechanism() -> None:
    cells = {cell: band.mean for cell, band in measured(data.path("hackbench.csv")).items()}
    p = Parameters(loops=100_000)
    with_x, without = fit(cells, p, unexplained=True), fit(cells, p, unexplained=False)
    assert with_x.miss < 0.05
    assert without.miss > 0.5
    assert (with_x.work_us, with_x.ipis, with_x.unexplained_us) == pytest.approx(
        (WORK_US, IPIS, UNEXPLAINED_US), rel=0.002
    )
    for avic, pv in CELLS:
        assert closed_form(p.but(avic=avic, pv=pv)).seconds == pytest.approx(cells[avic, pv], rel=0.03)
        assert closed_form(p.but(avic=avic, pv=pv), unexplained_us=0).unexplained == 0
    assert ipi_us(p) > 10 * ipi_us(p.but(avic=True))
    with pytest.raises(AvicError, match="ipis"):
        closed_form(p, ipis=-1)
    with pytest.raises(AvicError, match="all four"):
        fit({(False, False): 1.0}, p, unexplained=True)
