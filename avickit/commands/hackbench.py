"""The command that simulates the series' benchmark, keeps the results, and sets measured times beside them.

Does not model: hackbench (`workload`).
"""

import sys
from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, json_option, paint
from avickit.errors import AvicError

if TYPE_CHECKING:
    from avickit.workload.compare import Band, Cell
    from avickit.workload.engine import Engine
    from avickit.workload.parameters import Parameters
    from avickit.workload.result import Result
    from avickit.workload.store import Store

CELL_NAMES = {"emulated": (False, False), "avic": (True, False), "pv": (False, True), "pv-avic": (True, True)}
KEPT = "hackbench-simulated.csv"


@click.command(epilog="Example: avickit hackbench --loops 20 --cell avic")
@click.option("--loops", type=int, default=3000, show_default=True, help="hackbench -l; the series measured 100000.")
@click.option(
    "--cell", "cells", multiple=True, type=click.Choice(list(CELL_NAMES)), help="Which cells.  [default: all]"
)
@click.option("--seeds", type=int, default=1, show_default=True, metavar="N", help="Run each cell with seeds 1 to N.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Another value for a parameter.")
@click.option("--out", metavar="FILE", help="Keep results in FILE (.csv, .parquet); what it holds is not run again.")
@click.option("--engine", type=click.Choice(["auto", "fast", "plain"]), default="auto", show_default=True)
@click.option("--workers", type=int, default=1, show_default=True, metavar="N", help="Processes that share the work.")
@click.option("--compare", "measured", metavar="FILE", help="Set a CSV's measured times beside the simulated ones.")
@click.option("--parameters", "listing", is_flag=True, help="Only list the parameters with units and defaults.")
@json_option
def hackbench(
    loops: int,
    cells: tuple[str, ...],
    seeds: int,
    changes: tuple[str, ...],
    out: str | None,
    engine: "Engine",
    workers: int,
    measured: str | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Simulate hackbench -p on a guest with 3 vCPUs, in the four cells of the series' table.

    --compare takes the simulated times from --out if it is given, else from the full-size run that comes along.
    """
    from avickit.workload.compare import measured as read_measured
    from avickit.workload.parameters import Parameters
    from avickit.workload.store import Store

    if listing:
        show_parameters(as_json)
        return
    base = Parameters(loops=loops).but(**dict(map(setting, changes)))
    wanted = [
        base.but(avic=avic, pv=pv, seed=seed)
        for avic, pv in (CELL_NAMES[name] for name in cells or CELL_NAMES)
        for seed in range(1, seeds + 1)
    ]
    store = Store(out, command(loops, cells, seeds, changes)) if out else None
    if measured:
        mine = read_measured(measured)
        results = run_all(wanted, store, engine, workers) if store else kept()
        show_comparison(mine, results, as_json)
        return
    results = run_all(wanted, store, engine, workers)
    if as_json:
        echo_json([r.data() for r in results])


def setting(text: str) -> tuple[str, int | bool]:
    """`name=value`."""
    name, _, value = text.partition("=")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    try:
        return name, int(value.replace("_", ""))
    except ValueError:
        raise AvicError.of("--set", text, "NAME=VALUE with a whole number, such as mmio_emulation=2500") from None


def run_all(wanted: "list[Parameters]", store: "Store | None", engine: "Engine", workers: int) -> "list[Result]":
    """The results of all, in their order; those that the file has are taken from there."""
    from avickit.workload.pool import Processes
    from avickit.workload.sweep import sweep

    have = {p: found for p in wanted if store and (found := store.find(p))}
    missing = [p for p in wanted if p not in have]
    for p in wanted:
        if p in have:
            click.echo(line(have[p], "kept"), err=True)
    if workers > 1:
        with Processes(workers) as pool, click.progressbar(length=len(missing), label="runs", file=sys.stderr) as bar:
            for found in sweep(missing, executor=pool, engine=engine):
                have[found.parameters] = keep(found, store)
                bar.update(1)
    else:
        for p in missing:
            have[p] = keep(run_one(p, engine), store)
            click.echo(line(have[p], "run"), err=True)
    return [have[p] for p in wanted]


def run_one(p: "Parameters", engine: "Engine") -> "Result":
    """One run, with a progress bar on a terminal."""
    from avickit.workload.engine import simulate

    with click.progressbar(length=2 * p.messages, label=name(p), file=sys.stderr, update_min_steps=1) as bar:
        return simulate(p, engine, lambda done: bar.update(done - bar.pos))


def keep(found: "Result", store: "Store | None") -> "Result":
    """Into the file, if there is one."""
    if store:
        store.add(found)
    return found


def kept() -> "list[Result]":
    """The full-size run that comes along."""
    from avickit.data import path
    from avickit.workload.store import Store

    return Store(path(KEPT)).results


def name(p: "Parameters") -> str:
    """A run's cell and seed."""
    cell = next(n for n, cell in CELL_NAMES.items() if cell == (p.avic, p.pv))
    return f"{cell} seed {p.seed}"


def line(found: "Result", how: str) -> str:
    """A run in a line."""
    rates = f"{found.ipis_per_message:.3f} IPIs and {found.wakeups_per_message:.3f} wake-ups a message"
    return f"{name(found.parameters):<18} {how:<5} {found.seconds:>10.3f} s, {rates}"


def command(loops: int, cells: tuple[str, ...], seeds: int, changes: tuple[str, ...]) -> str:
    """The command that makes these results again."""
    options = [*(f"--cell {c}" for c in cells), *(f"--set {c}" for c in changes)]
    return " ".join(["avickit hackbench", f"--loops {loops}", f"--seeds {seeds}", *options])


def show_parameters(as_json: bool) -> None:
    """All parameters: unit, default, meaning; for prices what they rest on."""
    from avickit.workload.parameters import Parameters
    from avickit.workload.prices import PRICES

    rows = [
        {"name": n, "unit": unit, "default": default, "meaning": meaning}
        | ({"standing": PRICES[n].standing.value, "source": PRICES[n].source} if n in PRICES else {})
        for n, unit, default, meaning in Parameters.table()
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        rests = f" [{row['standing']}: {row['source']}]" if "standing" in row else ""
        click.echo(f"{row['name']:<20} {row['default']!s:>13} {row['unit']:<9} {row['meaning']}{rests}")


def show_comparison(mine: "dict[Cell, Band]", results: "list[Result]", as_json: bool) -> None:
    """Cell by cell."""
    from avickit.workload.compare import HEAD, NAMES, compare

    lines = compare(mine, results)
    if as_json:
        bands = [(b and b._asdict() for b in (x.measured, x.simulated)) for x in lines]
        keys = ("measured", "simulated")
        echo_json(
            [{"cell": NAMES[x.cell]} | dict(zip(keys, b, strict=True)) for x, b in zip(lines, bands, strict=True)]
        )
        return
    click.echo(paint(HEAD, "cyan", bold=True))
    for found in lines:
        click.echo(str(found))
    click.echo("The simulation is no prediction: most of its prices are assumptions (avickit hackbench --parameters).")
