"""Two machines side by side, aligned by the steps of their programs: before and after, with AVIC and without.

    Compare(m5, m6, names=("patches=5", "patches=6"))

Does not model: why they differ; it says where, and with which beat it begins.
"""

from collections.abc import Sequence
from typing import Any

from avickit.errors import AvicError, in_range
from avickit.lab.aligned import Pair, align
from avickit.lab.machine import Machine
from avickit.lab.trace import Trace
from avickit.show.compare_html import compare_html
from avickit.show.compare_text import compare_text
from avickit.show.comparison import MEASURES, Comparison
from avickit.show.stepper import Stepper

Side = Machine | Stepper | Trace


class Compare:
    """Two machines (or steppers, or traces of machines) that ran the same program, as they are now.

    `since` is the number of the first step that counts: 1 is the boot. Raises AvicError for what is no machine, for
    names that do not tell the sides apart, and where a recording is not complete.
    """

    def __init__(self, left: Side, right: Side, names: Sequence[str] = ("left", "right"), *, since: int = 1) -> None:
        traces = trace_of(left), trace_of(right)
        if len(names) != 2 or names[0] == names[1] or not all(names):
            raise AvicError.of("names", names, "two different names, of the left and the right side")
        aligned = align(*traces)
        in_range("since", since, 1, max(len(aligned), 1))
        self.comparison = Comparison(*traces, (str(names[0]), str(names[1])), aligned, since)

    @property
    def first(self) -> Pair | None:
        """The first step that differs in what guests notice, exits or outcome; else in anything; else None."""
        return self.comparison.first

    @property
    def first_beats(self) -> tuple[int | None, int | None]:
        """The beats with which that difference begins; None where a side has no further beat in this step."""
        return self.comparison.first_beats

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Exits, doorbells and beats of both sides."""
        return dict(zip(MEASURES, self.comparison.total().counts, strict=True))

    @property
    def text(self) -> str:
        """The comparison as text."""
        return compare_text(self.comparison)

    @property
    def html(self) -> str:
        """The comparison as static HTML."""
        return compare_html(self.comparison)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.text, "text/html": self.html}


def trace_of(side: Side) -> Trace:
    """The trace of a machine, a stepper, or itself."""
    machine = side.story.machine if isinstance(side, Stepper) else side
    trace = machine.trace if isinstance(machine, Machine) else machine
    if not isinstance(trace, Trace):
        raise AvicError.of("side of a comparison", side, "a Machine, a Stepper or the trace of a machine")
    return trace
