"""For runs that are worked out on paper: prices are 0 but those that a test names, and all counters are told."""

from collections.abc import Callable
from typing import Any

from avickit.workload.prices import PRICES
from avickit.workload.result import Result

LONG = 1 << 40
FREE: dict[str, Any] = dict.fromkeys(PRICES, 0) | {
    "avic": True, "groups": 1, "fds": 1, "vcpus": 1, "tick": LONG, "granularity": LONG, "wakeup_granularity": LONG,
    "sleeper_credit": 0,
}  # fmt: skip
Run = Callable[..., Result]


Place = Callable[..., None]


def told(found: Result, **expected: int) -> None:
    """The counters are these; those not named are 0, or of no interest where they count messages."""
    fixed = dict.fromkeys(("events", "written", "received", "pages_drained", "switches"), -1)
    wanted = dict.fromkeys(found.counters, 0) | fixed | expected
    wrong = {name: (n, wanted[name]) for name, n in found.counters.items() if n != wanted[name] >= 0}
    assert not wrong, f"found and on paper: {wrong}"
