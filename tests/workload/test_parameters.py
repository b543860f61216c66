"""Parameters: bad ones are refused, each has a unit; nothing of this wing is loaded by the machine."""

import subprocess
import sys
from typing import Any

import pytest

from avickit import AvicError
from avickit.workload import Parameters, simulate
from avickit.workload.views import Account, count_table


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loops": 0}, "loops: 0 given, expected 1"),
        ({"vcpus": 33}, "vcpus"),
        ({"avic": 1}, "True or False"),
        ({"seed": True}, "seed"),
        ({"groups": 60}, "at most 1024 tasks"),
        ({"write": 0}, "at least 1 cycle"),
        ({"wake": -1}, "wake"),
        ({"wakes": 1}, "parameter: wakes given"),
    ],
)
def test_bad_parameters_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(AvicError, match=said):
        Parameters().but(**change)


def test_each_has_a_unit_and_a_meaning() -> None:
    assert all(unit and meaning for _, unit, _, meaning in Parameters.table())


def test_the_default_is_the_series_benchmark() -> None:
    p = Parameters(loops=100_000)
    assert (p.tasks, p.messages, p.pages * p.records) == (400, 400_000_000, 640)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(AvicError, match="auto, fast, plain"):
        simulate(Parameters(loops=1), "slow")  # type: ignore[arg-type]


def test_the_machine_loads_nothing_of_it() -> None:
    code = "import sys; from avickit import Machine; Machine().boot(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [m for m in loaded if m.startswith(("avickit.workload", "numba", "numpy", "pyarrow", "distributed"))]
    code = "import sys, avickit.workload; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [m for m in loaded if m.startswith(("numba", "numpy", "pyarrow", "distributed", "matplotlib"))]


def test_without_numba_the_plain_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avickit.workload.engine.find_spec", lambda _: None)
    assert simulate(Parameters(loops=1, groups=1, fds=2)).counters["written"] == 4
    monkeypatch.delattr("avickit.workload.kernel", raising=False)
    monkeypatch.setitem(sys.modules, "avickit.workload.kernel", None)
    with pytest.raises(AvicError, match="needs numba"):
        simulate(Parameters(loops=1), "fast")


def test_an_account_slides() -> None:
    """Its sliders change the table; what it says stays the same until then."""
    view = Account("mmio_emulation")
    before = view.text
    box = view.widget()
    sliders = {s.description: s for s in box.children[:-1]}
    sliders["unexplained_us"].value = 0
    sliders["mmio_emulation"].value = 0
    assert "unexplained" in before
    assert view.text != before
    assert box.children[-1].value == view.html
    assert "<table" in view._repr_mimebundle_()["text/html"]


def test_the_counts_as_a_table() -> None:
    lines = [line.split() for line in count_table().text.splitlines()]
    assert ["emulated", "running", "3", "NPF", "1", "INTR,", "1", "NPF", "0", "1", "255"] in lines
