"""How long `import avickit` takes, and everything up to a Machine. Target: 0.15 s for the import.

Not the very first start: the warm-up compiles the modules, in a folder of its own, so that nobody's
PYTHONDONTWRITEBYTECODE makes each round compile them again (which more than doubles the time).
"""

import os
import subprocess
import sys
from pathlib import Path
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
def test_start(benchmark: Any, what: str, tmp_path: Path) -> None:
    """The interpreter's own start does not count: `seconds` is the time inside it."""
    seconds: list[float] = []
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path)

    def start() -> None:
        command = [sys.executable, "-c", SAY.format(what)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        seconds.append(float(done.stdout))

    benchmark.pedantic(start, rounds=10, warmup_rounds=1)
    benchmark.extra_info["seconds"] = round(min(seconds), 4)
