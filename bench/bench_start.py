"""How long `import avickit` takes, and everything up to a Machine. Target: 0.15 s for the import."""

import subprocess
import sys
from typing import Any

import pytest

SAY = "import time; begin = time.perf_counter(); {}; print(time.perf_counter() - begin)"


BOOTED = "from avickit import Machine; Machine({}).boot('svm=avic').create_domain(vcpus=2)"
START = {
    "package": "import avickit",
    "machine": "from avickit import Machine",
    "booted": BOOTED.format(""),
    "booted in plain form": BOOTED.format("record=False, fast=True"),
}


@pytest.mark.parametrize("what", START.values(), ids=START)
def test_start(benchmark: Any, what: str) -> None:
    """The interpreter's own start does not count: `seconds` is the time inside it."""
    seconds: list[float] = []

    def start() -> None:
        done = subprocess.run([sys.executable, "-c", SAY.format(what)], capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout))

    benchmark.pedantic(start, rounds=10, warmup_rounds=1)
    benchmark.extra_info["seconds"] = round(min(seconds), 4)
