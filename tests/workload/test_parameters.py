"""Parameters: bad ones are refused, each has a unit; nothing of this wing is loaded by the machine."""

import subprocess
import sys
from typing import Any

import pytest

import avickit
from avickit import AvicError, Parameters, simulate, workload
from avickit.workload.engine import Engine
from avickit.workload.fast import PORTION
from avickit.workload.parameters import MOST_CYCLES
from avickit.workload.prices import PRICES
from avickit.workload.span import LONGEST, portion
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


HEAVY = ("numba", "numpy", "pyarrow", "distributed", "matplotlib")


@pytest.mark.parametrize(
    ("code", "unloaded"),
    [
        ("import avickit", ("avickit.", *HEAVY)),
        ("from avickit import Machine; Machine().boot()", ("avickit.workload", *HEAVY)),
        ("import avickit.workload", HEAVY),
        ("from avickit import Parameters, closed_form; print(closed_form(Parameters()).seconds)", HEAVY),
        ("from avickit import Parameters, simulate; simulate(Parameters(loops=1, fds=1), 'plain')", HEAVY),
    ],
)
def test_what_is_not_used_is_not_loaded(code: str, unloaded: tuple[str, ...]) -> None:
    """In a new process; `import avickit` alone loads no module of the package, and so takes no time."""
    line = f"import sys; before = {{*sys.modules}}; {code}; print('loaded', *({{*sys.modules}} - before))"
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout
    loaded = said.rpartition("loaded")[2].split()
    assert not [module for module in loaded if module.startswith(unloaded)]


@pytest.mark.parametrize("name", ["Parameters", "closed_form", "simulate", "sweep"])
def test_what_users_want_is_at_the_top(name: str) -> None:
    assert getattr(avickit, name) is getattr(workload, name)
    assert name in avickit.__all__


def test_without_numba_the_plain_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avickit.workload.engine.find_spec", lambda _: None)
    assert simulate(Parameters(loops=1, groups=1, fds=2)).counters["written"] == 4
    monkeypatch.delattr("avickit.workload.kernel", raising=False)
    monkeypatch.setitem(sys.modules, "avickit.workload.kernel", None)
    with pytest.raises(AvicError, match="needs numba"):
        simulate(Parameters(loops=1), "fast")


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_progress_is_told_in_messages(engine: Engine) -> None:
    """Those written and those read: never fewer than before, all of them in the end, for either engine."""
    p, told = Parameters(loops=100, groups=2, pv=True), list[int]()
    simulate(p, engine, told.append)
    assert told == sorted(told)
    assert told[-1] == 2 * p.messages
    assert len(told) > 1 or engine == "fast"


def test_an_account_slides() -> None:
    """Its sliders change the table; what it says stays the same until then."""
    view = Account("mmio_emulation")
    before = view.text
    box = view.widget()
    sliders = {s.description: s for s in box.children[:-1]}
    for slider in sliders.values():
        steps = (slider.value - slider.min) / slider.step
        assert abs(steps - round(steps)) < 1e-6, "a browser would round it, and another sum would stand there"
    sliders["unexplained, us a message"].value = 0
    sliders["mmio_emulation, cycles"].value = 0
    assert "unexplained" in before
    assert view.text != before
    assert box.children[-1].value == view.html
    assert "<table" in view._repr_mimebundle_()["text/html"]


def test_the_counts_as_a_table() -> None:
    lines = [line.split() for line in count_table().text.splitlines()]
    assert ["emulated", "running", "3", "NPF", "1", "INTR,", "1", "NPF", "0", "1", "255"] in lines


DEAREST: dict[str, Any] = dict.fromkeys(PRICES, MOST_CYCLES)
SLOWER: dict[str, dict[str, Any]] = {
    "a dear message": {"write": MOST_CYCLES, "loops": 9000, "groups": 1, "fds": 1},
    "dear stolen time": {"steal_every": 1, "steal": MOST_CYCLES, "loops": 200, "groups": 2, "fds": 3},
    "all dear": DEAREST | {"groups": 2, "fds": 60, "vcpus": 2, "pages": 1, "records": 1, "loops": 2},
    "all dear, emulated, one vCPU's tasks": DEAREST
    | {"groups": 8, "fds": 60, "loops": 1, "sleeper_credit": MOST_CYCLES},
}


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("what", SLOWER)
def test_a_run_past_what_64_bits_hold_is_refused(what: str, engine: Engine) -> None:
    """Not counted wrong, and not going on for ever since a clock has passed the one that means sleep."""
    with pytest.raises(AvicError, match=r"cycles of the run: more than 2\^50 given, expected fewer loops"):
        simulate(Parameters(**SLOWER[what]), engine)


def test_a_run_just_within_is_the_same_on_both_engines() -> None:
    p = Parameters(**DEAREST | {"groups": 1, "fds": 2, "loops": 2, "vcpus": 2, "steal_every": 1, "steal": MOST_CYCLES})
    found = simulate(p, "plain")
    assert simulate(p, "fast") == found
    assert LONGEST // 16 < found.cycles < LONGEST


def test_the_longest_of_usual_runs_is_far_from_that() -> None:
    p = Parameters(loops=10**7)
    assert portion(p, PORTION) == PORTION
    assert 25_000 * p.loops * p.groups * p.fds < LONGEST, "at 500 thousand cycles for each twenty messages"
