"""Choosing an engine: the compiled one where numba is installed, else the plain one. The results are the same.

Does not model: anything.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

from avickit.errors import AvicError
from avickit.workload.parameters import Parameters
from avickit.workload.plain import Plain
from avickit.workload.result import Result

Engine = Literal["auto", "fast", "plain"]
ENGINES: tuple[Engine, ...] = ("auto", "fast", "plain")


def simulate(p: Parameters, engine: Engine = "auto", progress: Callable[[int], None] | None = None) -> Result:
    """Run hackbench as these parameters say. `progress` is told now and then how many messages were written and read.

    Raises AvicError for an engine that is not one, or that needs numba where there is none.
    """
    if engine not in ENGINES:
        raise AvicError.of("engine", engine, ", ".join(ENGINES))
    if engine == "fast" or (engine == "auto" and find_spec("numba")):
        from avickit.workload.fast import Fast

        run: Fast | Plain = Fast(p)
    else:
        run = Plain(p)
    for done in run.steps():
        if progress is not None:
            progress(done)
    return run.result()
