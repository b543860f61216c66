"""The compiled loop: what `plain` does, on one flat array of 64-bit integers. Needs numba.

Step for step the same as `plain`, which says what each means; the tests hold both equal. Reading order: layout, queues,
waking, seldom, loop. Does not model: see `plain`.
"""

import hashlib
from pathlib import Path
from typing import Any

from numba import njit

from avickit.workload.kernel.compiled import OPTIONS
from avickit.workload.kernel.layout import *  # noqa: F403  (`fast` lays a run out by these names)
from avickit.workload.kernel.loop import loop


def kept(stamp: int) -> Any:
    """The loop, compiled, kept by numba from process to process under this number.

    By itself numba looks only at the file of the function that it keeps, and would go on with a loop whose parts, in
    other files, have changed. What a function has from the function around it counts too: hence the stamp.
    """

    def run(m: Any, limit: int) -> None:
        if stamp:
            loop(m, limit)

    return njit(run, cache=True, **OPTIONS)


def stamp(folder: Path = Path(__file__).parent) -> int:
    """A number that is another when any file of the loop is another."""
    sources = (f.name.encode() + b"\0" + f.read_bytes() for f in sorted(folder.glob("*.py")))
    return int.from_bytes(hashlib.sha256(b"\0".join(sources)).digest()[:6]) | 1


run = kept(stamp())
"""Go on for at most so many events, or to the end. All state is in the array: another call goes on from there."""
