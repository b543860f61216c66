"""Where each beat comes from: the line of its `yield`, found by a replay, told without a path of this machine."""

import inspect
import linecache
import sys

import pytest

from avickit.errors import AvicError
from avickit.lab.explore import explore
from avickit.lab.machine import Machine
from avickit.lab.scenario import load
from avickit.lab.sources import party, spots, step


@pytest.fixture(scope="module")
def machine() -> Machine:
    return load("ipi-descheduled").run().machine


def test_each_beat_has_a_spot_whose_line_names_its_site(machine: Machine) -> None:
    """The oracle is the recorder: it knows the Site of each beat, and the Site's module gives it a name."""
    found = spots(machine, len(machine.trace))
    assert len(found) == len(machine.trace)
    named = 0
    for (site, *_), spot in zip(machine.trace.raw, found, strict=True):
        file = spot.code.co_filename
        lines = "".join(linecache.getline(file, n) for n in range(spot.line, spot.line + 4))
        assert "yield" in lines
        names = [name for name, value in vars(sys.modules[site.module]).items() if value is site]
        named += any(name in lines for name in names)
    assert named > 0.8 * len(found), "the rest is asked for by sites that were passed on"


def test_a_part_of_a_story_has_the_same_spots(machine: Machine) -> None:
    every = spots(machine, len(machine.trace))
    for last in (0, 1, 17, 320):
        assert spots(machine, last) == every[:last]


def test_a_fork_that_went_on_has_spots(machine: Machine) -> None:
    fork = machine.fork(320)
    fork.step(3)
    fork.finish()
    assert spots(fork, len(fork.trace)) == spots(machine, len(fork.trace))


def test_the_callers_lead_to_the_step(machine: Machine) -> None:
    beat = next(beat.n for beat in machine.trace if beat.say == "reads IsRunning in entry 2: 0")
    spot = spots(machine, beat)[-1]
    assert spot.code.co_qualname == "post_to_all"
    assert [code.co_qualname for code in spot.callers][-2:] == ["write_icrl", "send"]


def test_a_step_tells_its_file_its_party_and_its_lines(machine: Machine) -> None:
    told = {step(spot.code) for spot in spots(machine, len(machine.trace))}
    assert {found.file.split("/")[1] for found in told} >= {"silicon", "xen", "series"}
    assert all(found.file.startswith("avickit/") and found.lines for found in told)
    parties = {found.party for found in told}
    assert "hardware" in parties
    assert "Xen" in parties
    assert "patch 6: x86/SVM: Add vcpu scheduling support for AVIC" in parties
    for found in told:
        assert f"def {found.name.rpartition('.')[2]}(" in "".join(found.lines)


def test_parties() -> None:
    assert party("avickit/series/logical_table.py").startswith("patch 5: ")
    assert party("avickit/silicon/ipi.py") == "hardware"
    assert party("") == "the notebook"


def test_code_without_a_source_has_no_lines() -> None:
    code = compile("def f():\n    yield\n", "<typed>", "exec").co_consts[0]
    found = step(code)
    assert (found.file, found.lines, found.party) == ("", (), "the notebook")
    assert inspect.iscode(code)


def test_an_incomplete_recording_is_refused() -> None:
    m = Machine(cores=1, limit=50)
    m.boot("svm=avic").create_domain()
    with pytest.raises(AvicError, match="complete recording"):
        spots(m, 10)


def test_the_beats_of_a_race_come_from_their_threads() -> None:
    """The counterexample is played by the lab; its steps are the hardware's and Xen's all the same."""
    found = explore("race-sleep-against-ipi", "sc", version="A1")
    machine = found.machine
    told = spots(machine, len(machine.trace))
    assert len(told) == len(machine.trace)
    beat = next(beat.n for beat in machine.trace if beat.n >= found.first and "IRR bit" in beat.say)
    assert told[beat - 1].code.co_qualname == "accept_ipi"
    assert {step(spot.code).party for spot in told[found.first - 1 :]} >= {"hardware", "Xen"}
