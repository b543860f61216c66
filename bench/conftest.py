"""A line for each benchmark, in the units that matter, instead of pytest-benchmark's wide table.

`--benchmark-json FILE` has everything: every round, the machine, the versions.
"""

from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session: Any = getattr(config, "_benchmarksession", None)
    for bench in getattr(session, "benchmarks", ()):
        figures = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in bench.extra_info.items())
        terminalreporter.write_line(f"{bench.fullname.partition('bench_')[2]:<110} {figures}")
