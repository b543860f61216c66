"""Complete edge IPIs per second, on one core of the host: from the generators, recorded, in the plain form; by command.

Targets: 60,000 from the generators, 30,000 recorded, 150,000 in the plain form.
"""

from typing import Any

import pytest

from bench.pair import Pair, measure


def test_generators(benchmark: Any) -> None:
    pair = Pair(record=False)
    measure(benchmark, pair, pair.generators)


def test_generators_recorded(benchmark: Any) -> None:
    pair = Pair()
    measure(benchmark, pair, pair.recorded)


def test_derived(benchmark: Any) -> None:
    pair = Pair(record=False)
    measure(benchmark, pair, pair.derived)


@pytest.mark.parametrize("how", ["plain", "derived", "recorded"])
def test_commands(benchmark: Any, how: str) -> None:
    """What `a.guest.write("ICRL", 0x41)` costs, the machine's settling included."""
    pair = Pair(record=how == "recorded", fast=how == "derived")
    measure(benchmark, pair, pair.commands)
