"""A progress bar for long explorations, on terminals: click's, because the command line has it anyway.

Does not model: how long it will really take; the share of the search tree that is done is an estimate.
"""

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avickit.lab.explore.search import Search

PATIENCE = 2.0
"""Seconds before a bar appears."""
LENGTH = 1000


class Progress:
    """A bar that appears after two seconds, if standard error is a terminal or `always`."""

    def __init__(self, *, always: bool = False) -> None:
        self.wanted = always or sys.stderr.isatty()
        self.start = time.monotonic()
        self.bar: Any = None

    def show(self, search: "Search") -> None:
        """How far the search has come."""
        if not self.wanted or time.monotonic() - self.start < PATIENCE:
            return
        if self.bar is None:
            import click

            self.bar = click.progressbar(length=LENGTH, label="exploring", file=sys.stderr)
        self.bar.label = f"{search.executions:,} orders"
        done = int(LENGTH * share(search))
        self.bar.update(max(0, done - self.bar.pos))

    def close(self) -> None:
        """Leave the line."""
        if self.bar is not None:
            self.bar.render_finish()


def share(search: "Search") -> float:
    """Which part of the tree is done: at each level the branches left behind, of those known so far."""
    part, whole = 0.0, 1.0
    for done, known in search.walk.branches():
        whole /= max(known, 1)
        part += whole * done
    return min(part, 1.0)
