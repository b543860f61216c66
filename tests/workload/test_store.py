"""Results in files, measured times beside them, what comes along, the closed form."""

from pathlib import Path
from typing import Any

import pytest

from avickit import AvicError, data
from avickit.workload import CELLS, Parameters, simulate
from avickit.workload.closed import IPIS, UNEXPLAINED_US, WORK_US, closed_form, fit, ipi_us
from avickit.workload.compare import compare, measured
from avickit.workload.result import Result
from avickit.workload.store import Store

SMALL = Parameters(loops=2, groups=1, fds=3)


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


def test_two_who_write_one_file_keep_each_others_rows(results: list[Result], tmp_path: Path) -> None:
    one, two = Store(tmp_path / "r.csv", "one"), Store(tmp_path / "r.csv", "two")
    for n, found in enumerate(results):
        (one, two)[n % 2].add(found)
    assert Store(tmp_path / "r.csv").results == results
    assert Store(tmp_path / "r.csv").commands == ["one", "two"]


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name, said in (("results.txt", r"ends in \.csv or \.parquet"), ("folder.csv", "not a folder")):
        with pytest.raises(AvicError, match=said):
            Store(tmp_path / name)
    (tmp_path / "r.parquet").write_bytes(b"no parquet")
    with pytest.raises(AvicError, match="cannot be read as Parquet"):
        Store(tmp_path / "r.parquet")
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "r.csv", tmp_path / f"{'r' * 300}.csv"):
        with pytest.raises(AvicError, match=r"r\.csv cannot be read"):
            Store(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("false,false,2,", "false,perhaps,2,", "line 3: .*perhaps.*true or false"),
        ("false,false,2,", "false,false,-2,", "line 3: loops: -2 given"),
        ("false,false,2,", "false,false,3,", "line 3: .*not those of its parameters"),
        ("2200000000", "2300000000", "line 3: .*not those of its parameters"),
        ("written", "wrote", "columns: .*written"),
        ("avic,pv,", "avic;pv,", "columns: avic;pv"),
        ("false,false,2,", "false,false,2,7,", "line 3: more or fewer values than"),
        ("false,false,2,", '"false,false,2,', "cannot be read"),
        ("false,false,2,1,3,3,", "false,false,2,1,3,3.0,", "line 3: .*3.0"),
    ],
)
def test_a_changed_row_is_told_by_line(old: str, new: str, said: str, results: list[Result], tmp_path: Path) -> None:
    store = Store(tmp_path / "r.csv", "the command")
    store.add(results[0])
    store.path.write_text(store.path.read_text().replace(old, new, 1))
    with pytest.raises(AvicError, match=rf"r\.csv.*{said}"):
        Store(store.path)


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_wherever_a_file_is_cut_off_it_is_told_or_whole(name: str, results: list[Result], tmp_path: Path) -> None:
    """At any of many places: never is a part of a row taken for a row."""
    store = Store(tmp_path / name, "the command")
    for found in results[:2]:
        store.add(found)
    whole, told = store.path.read_bytes(), set()
    for end in {*range(1, len(whole), 97), *range(len(whole) - 40, len(whole))}:
        store.path.write_bytes(whole[:end])
        try:
            kept = Store(store.path).results
        except AvicError as error:
            told.add(str(error))
        else:
            assert kept == results[: len(kept)]
    assert told
    assert all(name in said for said in told)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seconds", "nan"), ("seconds", "inf"), ("cycles", "1" + "0" * 400), ("sleeps", "-5"), ("digest", "5")],
)
def test_a_number_that_cannot_be_is_told(name: str, value: str, results: list[Result], tmp_path: Path) -> None:
    store = Store(tmp_path / "r.csv")
    store.add(results[0])
    head, row = store.path.read_text().splitlines()
    values = dict(zip(head.split(","), row.split(","), strict=True)) | {name: value}
    store.path.write_text(f"{head}\n{','.join(values.values())}\n")
    with pytest.raises(AvicError, match=r"r\.csv, line 2: "):
        Store(store.path)


@pytest.mark.parametrize(("value", "right"), [(2.0, True), (2.5, False), (float("inf"), False), (True, False)])
def test_a_table_may_keep_whole_numbers_as_floats(
    value: Any, right: bool, results: list[Result], tmp_path: Path
) -> None:
    """As other programs do that write Parquet; but no fraction is cut off."""
    import pyarrow as arrow
    from pyarrow import parquet

    parquet.write_table(arrow.Table.from_pylist([results[0].data() | {"loops": value}]), tmp_path / "r.parquet")
    if right:
        assert Store(tmp_path / "r.parquet").results == results[:1]
    else:
        with pytest.raises(AvicError, match=r"r\.parquet, row 1: "):
            Store(tmp_path / "r.parquet")


def test_a_table_of_something_else_is_no_result(tmp_path: Path) -> None:
    import pyarrow as arrow
    from pyarrow import parquet

    parquet.write_table(arrow.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(AvicError, match=r"other\.parquet: columns: a given, expected avic, pv"):
        Store(tmp_path / "other.parquet")


def test_what_cannot_be_written_is_told(results: list[Result], tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere" / "r.csv", Path("/dev/null/r.parquet")):
        with pytest.raises(AvicError, match="cannot be written: N"):
            Store(place).claim()
        with pytest.raises(AvicError, match="cannot be written: "):
            Store(place).add(results[0])
    Store(tmp_path / "r.csv").claim()
    assert not list(tmp_path.iterdir())


def test_the_table_of_the_series() -> None:
    assert {cell: band.mean for cell, band in measured(data.path("hackbench.csv")).items()} == {
        (False, False): 517, (True, False): 238, (False, True): 141, (True, True): 135,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("true,maybe,10", "line 3: .*true or false"),
        ("true,true,fast", "line 3: .*fast"),
        ("true,true,0", "line 3: .*more than 0"),
        ("true,true,1e307", "line 3: .*more than 0"),
        ("true,true,nan", "line 3: .*more than 0"),
        ("true,true", "line 3: more or fewer values than the 3 columns"),
        ("true,true,5,6", "line 3: more or fewer values than the"),
        ("", "no row"),
    ],
)
def test_a_bad_measured_file_names_the_line(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(f"# mine\navic,xen_nopv,seconds\n{row}\n")
    with pytest.raises(AvicError, match=said):
        measured(tmp_path / "mine.csv")


@pytest.mark.parametrize("loops", ["0", "-1", "1" + "0" * 400])
def test_bad_loops_of_a_measured_file_too(loops: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(f"avic,xen_nopv,seconds,loops\ntrue,true,5,{loops}\n")
    with pytest.raises(AvicError, match=r"mine\.csv, line 2: "):
        measured(tmp_path / "mine.csv")


def test_a_spreadsheets_mark_in_front_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("\ufeffavic,xen_nopv,seconds\nTRUE,FALSE,10\n", encoding="utf-8")
    assert measured(tmp_path / "mine.csv")[True, True].mean == 10


def test_measured_runs_of_another_length_are_scaled(results: list[Result], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("avic,xen_nopv,seconds,loops\ntrue,true,2,1000\ntrue,true,4,1000\n")
    [*_, line] = [x for x in compare(measured(tmp_path / "mine.csv"), results) if x.measured]
    assert line.cell == (True, False)
    assert line.measured is not None
    assert tuple(line.measured) == (200, 300, 400, 2)
    assert "300.0 s (200.0..400.0, 2 runs)" in str(line)


def test_the_full_run_is_the_full_run() -> None:
    """All four cells, three seeds, 400 million messages each, at the frozen prices."""
    found = Store(data.path("hackbench-simulated.csv")).results
    defaults = [Parameters(avic=a, pv=v, loops=100_000, seed=s) for a, v in CELLS for s in (1, 2, 3)]
    assert [r.parameters for r in found] == defaults
    assert all(r.counters["written"] == r.counters["received"] == 400_000_000 for r in found)


@pytest.mark.parametrize(
    ("cell", "digest"),
    [
        ((False, False), "8ce8bd2a373fa2c5"),
        ((True, False), "f6653439c4882f1c"),
        ((False, True), "355980d2e5796d4e"),
        ((True, True), "355980d2e5796d4e"),
    ],
)
def test_the_model_is_the_one_that_made_what_was_kept(cell: tuple[bool, bool], digest: str) -> None:
    """Prices, counts and steps as when the full size was run: who changes one of them has to run that again."""
    assert simulate(Parameters(avic=cell[0], pv=cell[1], loops=20)).digest == digest


@pytest.mark.parametrize("n", [0, 8, 17])
def test_what_was_kept_comes_out_again(n: int) -> None:
    """Bit for bit, of the rows that take a second; the full size takes half a minute and is the same code."""
    found = Store(data.path("hackbench-switch.csv")).results[n]
    assert simulate(found.parameters) == found


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
