"""Where a run begins: which task lives on which vCPU, how far each is in its virtual time. Drawn from the seed.

Does not model: fork, exec, and the time before hackbench says go.
"""

from random import Random
from typing import NamedTuple

from avickit.workload.parameters import Parameters


class Setup(NamedTuple):
    """`home[task]`, `vruntime[task]` in cycles, and the first number of the engines' own generator (31 bits)."""

    home: list[int]
    vruntime: list[int]
    dice: int


def setup(p: Parameters) -> Setup:
    """The same for the same parameters, on any machine: only `Random.random()` is used, which Python promises to keep.

    Senders and receivers are dealt separately, so that each vCPU has as many of either as can be.
    """
    random = Random(p.seed)
    home = [0] * p.tasks
    for receivers in (False, True):
        tasks = [t for t in range(p.tasks) if is_receiver(p, t) == receivers]
        first = int(random.random() * p.vcpus)
        for n, task in enumerate(sorted(tasks, key=lambda _: random.random())):
            home[task] = (first + n) % p.vcpus
    vruntime = [int(random.random() * (p.sleeper_credit + 1)) for _ in range(p.tasks)]
    return Setup(home, vruntime, int(random.random() * (1 << 31)))


def is_receiver(p: Parameters, task: int) -> bool:
    """The first `fds` tasks of a group send, the others receive."""
    return task % (2 * p.fds) >= p.fds
