"""The headline result, to be taken apart: what an interrupt costs, counted and priced, and what hackbench makes of it.

    from avickit.workload import Parameters, simulate, sweep
    simulate(Parameters(loops=3000, avic=True)).seconds

Reading order: paths, scenes, counts, prices, parameters, costs, span, setup, parts, scheduling and plain (the
specification), kernel and fast (the same, compiled), sweep, store, compare, closed. Nothing here is imported by the
machine. Does not model: see `plain`.
"""

from avickit.workload.closed import closed_form
from avickit.workload.counts import Path, Target, counts, ticks
from avickit.workload.engine import simulate
from avickit.workload.parameters import CELLS, Parameters
from avickit.workload.pool import Processes
from avickit.workload.prices import PRICES
from avickit.workload.result import Result
from avickit.workload.sweep import sweep

__all__ = [
    "CELLS",
    "PRICES",
    "Parameters",
    "Path",
    "Processes",
    "Result",
    "Target",
    "closed_form",
    "counts",
    "simulate",
    "sweep",
    "ticks",
]
