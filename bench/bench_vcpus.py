"""What an interrupt costs as vCPUs grow, 2 to 128, each running on a core of its own; and the memory of 128 of them.

A directed one should cost the same whatever their number, a broadcast in proportion to its targets.
"""

import gc
import tracemalloc
from typing import Any

import pytest

from bench.pair import ALL_BUT_SELF, VECTOR, Pair, measure

VCPUS = pytest.mark.parametrize("vcpus", [2, 8, 32, 128])


@VCPUS
@pytest.mark.parametrize("how", ["generators", "derived", "commands"])
def test_directed(benchmark: Any, vcpus: int, how: str) -> None:
    pair = Pair(vcpus, record=False)
    measure(benchmark, pair, getattr(pair, how), 500)


@VCPUS
@pytest.mark.parametrize("how", ["generators", "derived", "commands"])
def test_broadcast(benchmark: Any, vcpus: int, how: str) -> None:
    """`ns_per_target` is the figure to look at."""
    pair = Pair(vcpus, low=VECTOR | ALL_BUT_SELF, record=False)
    ns = measure(benchmark, pair, getattr(pair, how), 500 // vcpus + 1)
    benchmark.extra_info["ns_per_target"] = round(ns / pair.targets)


def test_memory(benchmark: Any) -> None:
    """A machine of 512 pages (2 MiB of guest and Xen memory, kept as Python integers) and 128 cores and vCPUs."""

    def build() -> None:
        gc.collect()
        tracemalloc.start()
        pair = Pair(128, record=False)
        benchmark.extra_info["MiB"] = round(tracemalloc.get_traced_memory()[0] / 2**20, 1)
        benchmark.extra_info["places"] = len(pair.world.at)
        tracemalloc.stop()

    Pair(2)
    benchmark.pedantic(build, rounds=1)
