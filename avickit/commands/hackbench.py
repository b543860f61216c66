"""The command that simulates the series' benchmark, keeps the results, and sets measured times beside them.

Does not model: hackbench (`workload`).
"""

from typing import TYPE_CHECKING

import click

from avickit.commands.common import echo_json, json_option
from avickit.errors import AvicError, in_range

if TYPE_CHECKING:
    from avickit.workload.engine import Engine
    from avickit.workload.parameters import Parameters

CELL_NAMES = {"emulated": (False, False), "avic": (True, False), "pv": (False, True), "pv-avic": (True, True)}
OPTION_OF = {"avic": "--cell", "pv": "--cell", "seed": "--seeds", "loops": "--loops"}
"""Parameters that have an option of their own, which --set would only contradict."""
MOST_SEEDS = 100_000


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
@click.pass_context
def hackbench(
    ctx: click.Context,
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

    --compare alone takes the simulated times from the full-size run that comes along; with --out, or with any option
    that says what to simulate, from that.
    """
    from avickit.commands.hackbench_runs import kept, run_all
    from avickit.commands.hackbench_told import show_comparison, show_parameters
    from avickit.workload.compare import measured as read_measured
    from avickit.workload.pool import MOST_WORKERS
    from avickit.workload.store import Store

    if listing:
        show_parameters(as_json)
        return
    wanted = points(loops, cells, in_range("--seeds", seeds, 1, MOST_SEEDS), changes)
    in_range("--workers", workers, 1, MOST_WORKERS)
    mine = read_measured(measured) if measured is not None else None
    store = Store(out, command(loops, cells, seeds, changes)) if out is not None else None
    asked = any(given(ctx, name) for name in ("loops", "cells", "seeds", "changes", "out"))
    results = run_all(wanted, store, engine, workers) if asked or mine is None else kept()
    if mine is not None:
        show_comparison(mine, results, as_json)
    elif as_json:
        echo_json([r.data() for r in results])


def given(ctx: click.Context, name: str) -> bool:
    """Whether this option stands on the command line."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def points(loops: int, cells: tuple[str, ...], seeds: int, changes: tuple[str, ...]) -> "list[Parameters]":
    """The runs that are asked for: cell by cell, each with all seeds."""
    from avickit.workload.parameters import Parameters

    base = Parameters(loops=loops).but(**dict(map(setting, changes)))
    return [
        base.but(avic=avic, pv=pv, seed=seed)
        for avic, pv in (CELL_NAMES[name] for name in dict.fromkeys(cells or CELL_NAMES))
        for seed in range(1, seeds + 1)
    ]


def setting(text: str) -> tuple[str, int]:
    """`name=value`."""
    name, _, value = text.partition("=")
    if name in OPTION_OF:
        raise AvicError.of("--set", text, f"{OPTION_OF[name]}, which says that")
    try:
        return name, int(value.replace("_", ""))
    except ValueError:
        raise AvicError.of("--set", text, "NAME=VALUE with a whole number, such as mmio_emulation=2500") from None


def command(loops: int, cells: tuple[str, ...], seeds: int, changes: tuple[str, ...]) -> str:
    """The command that makes these results again."""
    options = [*(f"--cell {c}" for c in cells), *(f"--set {c}" for c in changes)]
    return " ".join(["avickit hackbench", f"--loops {loops}", f"--seeds {seeds}", *options])
