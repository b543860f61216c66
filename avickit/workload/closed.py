"""The closed form: accounting, not prediction. T = messages / vCPUs x (work + n x IPI + x for a guest without PV).

Three numbers are fitted to four measured ones, and one of the three, x, has no known mechanism. With x = 0 the form
cannot hold the table: see `fit`. Does not model: anything; it distributes what was measured.
"""

from dataclasses import dataclass

from avickit.errors import AvicError
from avickit.workload.costs import costs
from avickit.workload.counts import Target
from avickit.workload.parameters import CELLS, Parameters

WORK_US, IPIS, UNEXPLAINED_US = 0.467, 0.1856, 1.166
"""Microseconds of work a message, interrupts a message, and microseconds a message that the cells without PV cost more:
what `fit` finds for the table at the frozen prices, 12.1, 0.8 and 3.1 us an interrupt. Accounting."""


@dataclass(frozen=True)
class Account:
    """Where the seconds of a cell go, by the closed form."""

    work: float
    interrupts: float
    unexplained: float

    @property
    def seconds(self) -> float:
        """The sum."""
        return self.work + self.interrupts + self.unexplained


def ipi_us(p: Parameters) -> float:
    """Microseconds of one interrupt to a running vCPU at these prices."""
    return costs(p).ipi[Target.RUNNING].total / p.hertz * 1e6


def closed_form(
    p: Parameters, *, work_us: float = WORK_US, ipis: float = IPIS, unexplained_us: float = UNEXPLAINED_US
) -> Account:
    """A cell's account: the price of an interrupt comes from the counts and prices, the three others are told.

    Raises AvicError for a negative number.
    """
    for name, value in (("work_us", work_us), ("ipis", ipis), ("unexplained_us", unexplained_us)):
        if not value >= 0:
            raise AvicError.of(name, value, "0 or more")
    each = p.messages / p.vcpus * 1e-6
    return Account(each * work_us, each * ipis * ipi_us(p), 0.0 if p.pv else each * unexplained_us)


@dataclass(frozen=True)
class Fit:
    """Least squares for the four measured cells: the fitted numbers, what they make of each cell, the greatest miss."""

    work_us: float
    ipis: float
    unexplained_us: float
    seconds: tuple[float, ...]
    miss: float


def fit(measured: dict[tuple[bool, bool], float], p: Parameters, *, unexplained: bool) -> Fit:
    """Fit work and interrupts a message (and x, if `unexplained`) to seconds by (avic, pv), relative errors squared.

    Raises AvicError unless all four cells are there.
    """
    if sorted(measured) != sorted(CELLS):
        raise AvicError.of("measured cells", sorted(measured), "all four of (avic, pv)")
    import numpy as np

    terms = [(1.0, ipi_us(p.but(avic=avic, pv=pv)), 0.0 if pv else 1.0) for avic, pv in CELLS]
    rows = p.messages / p.vcpus * 1e-6 * np.array(terms)[:, : 3 if unexplained else 2]
    seconds = np.array([measured[cell] for cell in CELLS])
    found, *_ = np.linalg.lstsq(rows / seconds[:, None], np.ones(len(CELLS)), rcond=None)
    made = rows @ found
    work, ipis, more = (float(n) for n in [*found, 0.0][:3])
    return Fit(work, ipis, more, tuple(float(s) for s in made), float(np.abs(made / seconds - 1).max()))
