"""Going to any beat of a trace of 10,000 beats: by replay (`fork`), and by undoing writes (`state`). Target: 50 ms."""

import time
from typing import Any

import pytest

from avickit import Machine
from bench.pair import Pair

BEATS = 10_000


@pytest.fixture(scope="module")
def recorded() -> Machine:
    pair = Pair()
    while len(pair.m.trace) < BEATS:
        pair.vcpus[0].guest.write("ICRL", 0x41)
    return pair.m


@pytest.mark.parametrize("beat", [0, BEATS // 2, BEATS])
def test_fork(benchmark: Any, recorded: Machine, beat: int) -> None:
    """The later the beat, the more there is to replay."""
    benchmark._timer = time.process_time
    benchmark.pedantic(recorded.fork, args=(beat,), rounds=20, warmup_rounds=1)
    benchmark.extra_info["ms"] = round(benchmark.stats.stats.min * 1e3, 1)


@pytest.mark.parametrize("beat", [0, BEATS // 2, BEATS])
def test_state(benchmark: Any, recorded: Machine, beat: int) -> None:
    """The earlier the beat, the more there is to undo."""
    benchmark._timer = time.process_time
    benchmark.pedantic(recorded.trace.state, args=(beat,), rounds=20, warmup_rounds=1)
    benchmark.extra_info["ms"] = round(benchmark.stats.stats.min * 1e3, 2)
