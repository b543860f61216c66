"""Running what `avickit hackbench` was asked for: what the file has is taken from there, the rest is run and kept.

Does not model: hackbench (`workload`).
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from avickit.commands.hackbench import CELL_NAMES

if TYPE_CHECKING:
    from avickit.workload.engine import Engine
    from avickit.workload.parameters import Parameters
    from avickit.workload.result import Result
    from avickit.workload.store import Store

KEPT = "hackbench-simulated.csv"


def run_all(wanted: "list[Parameters]", store: "Store | None", engine: "Engine", workers: int) -> "list[Result]":
    """The results of all, in their order; those that the file has are taken from there."""
    have = {p: found for p in wanted if store and (found := store.find(p))}
    for found in have.values():
        click.echo(line(found, "kept"), err=True)
    missing = [p for p in wanted if p not in have]
    if store and missing:
        store.claim()
    for found in run_together(missing, engine, workers) if workers > 1 else (run_one(p, engine) for p in missing):
        click.echo(line(found, "run"), err=True)
        have[found.parameters] = found
        if store:
            store.add(found)
    return [have[p] for p in wanted]


def run_one(p: "Parameters", engine: "Engine") -> "Result":
    """One run, with a progress bar on a terminal."""
    from avickit.workload.engine import simulate

    with click.progressbar(length=2 * p.messages, label=name(p), file=sys.stderr, update_min_steps=1) as bar:
        return simulate(p, engine, lambda done: bar.update(done - bar.pos))


def run_together(missing: "list[Parameters]", engine: "Engine", workers: int) -> Iterator["Result"]:
    """All of them on some processes, in the order in which they end; who dies is told, and that run begun again."""
    from avickit.workload.pool import Processes
    from avickit.workload.sweep import sweep

    def again(p: "Parameters", why: BaseException) -> None:
        click.echo(f"{name(p):<18} again: {type(why).__name__}", err=True)

    with Processes(min(workers, max(len(missing), 1))) as pool:
        yield from sweep(missing, executor=pool, engine=engine, on_retry=again)


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
