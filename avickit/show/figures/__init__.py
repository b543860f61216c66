"""Pictures where one says more than a table: who does what in an IPI, exits by cause, PPR over time.

    from avickit.show.figures import exits_by_cause, ppr_over_time, sequence

Each is a `Figure`: a picture with alt text and, folded below it, a table that says the same. matplotlib loads when a
picture is drawn. Does not model: anything; they read the trace.
"""

from avickit.show.figures.exits import exits_by_cause
from avickit.show.figures.figure import Figure
from avickit.show.figures.ppr import ppr_over_time
from avickit.show.figures.sequence import sequence

__all__ = ["Figure", "exits_by_cause", "ppr_over_time", "sequence"]
