"""The stepper: what it shows at each beat, and its static twins. No browser is needed for this."""

import sys
from pathlib import Path
from typing import Any

import pytest

from avickit.data import scenario
from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show import Stepper
from avickit.show.story import Story
from tests.show.scene import Scene

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def stepper(ipi: Scene) -> Stepper:
    return Stepper(ipi.m, ipi.a.page, ipi.dom.physical_table, ipi.b.page, first=ipi.start + 1)


def test_it_starts_at_the_first_beat_and_goes_where_it_is_sent(ipi: Scene, stepper: Stepper) -> None:
    assert stepper.beat == ipi.start + 1
    stepper.beat = ipi.handed.n
    assert ipi.handed.say in stepper.sentence.replace("&#x27;", "'")
    assert "+41h" in stepper.text


def test_the_twins_are_in_the_bundle(ipi: Scene, stepper: Stepper) -> None:
    stepper.beat = ipi.handed.n
    bundle = stepper._repr_mimebundle_()
    assert bundle["text/plain"] == repr(stepper)
    assert bundle["text/html"] == stepper.html == stepper.sentence + stepper.source + stepper.panels
    assert WIDGET_VIEW in bundle
    assert stepper._repr_mimebundle_()[WIDGET_VIEW] == bundle[WIDGET_VIEW], "shown twice it is one model"


def test_without_widgets_the_static_form_is_left(stepper: Stepper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules, "avickit.show.live.widget", None
    )  # what Python does for a module that is not there
    assert set(stepper._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_pages_keep_their_rows_from_beat_to_beat(ipi: Scene) -> None:
    """Nothing jumps while one steps."""
    story = Story(ipi.m, [ipi.a.page, ipi.dom.physical_table, ipi.b.page], ipi.start + 1)
    shapes = {
        tuple(row.place for sheet in story.frame(n).sheets for group in sheet.groups for row in group.told)
        for n in range(story.first, story.last + 1)
    }
    assert len(shapes) == 1
    assert len(story) == story.last - story.first + 1


def test_without_pages_it_takes_those_between_which_an_ipi_goes(ipi: Scene) -> None:
    assert [sheet.title for sheet in Story(ipi.m).frame(len(ipi.m.trace)).sheets] == [
        "d1v0 vAPIC page",
        "d1 physical table",
        "d1v1 vAPIC page",
    ]
    plain = Machine(cores=2)
    xen = plain.boot("", patches=0)
    xen.run(xen.create_domain(vcpus=2).vcpus[0], core=0)
    assert len(Story(plain).pages) == 2, "without AVIC there is no table"


def test_the_last_command_is_what_it_steps_through(ipi: Scene) -> None:
    assert Story(ipi.m).first == ipi.m.trace.commands[-1].first + 1


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        ({"first": 0}, "beats: 0 to"),
        ({"first": 9, "last": 3}, "beats: 9 to 3"),
        ({"last": 10**6}, "beats from 1 to"),
        ({"first": 5, "last": 9, "beat": 10}, "beat: 10 given, expected 5 to 9"),
    ],
)
def test_beats_that_are_not_there_are_refused(ipi: Scene, reach: dict[str, Any], said: str) -> None:
    with pytest.raises(AvicError, match=said):
        Stepper(ipi.m, ipi.b.page, **reach)


def test_a_machine_without_a_domain_has_nothing_to_step_on() -> None:
    m = Machine(cores=1)
    m.boot("")
    with pytest.raises(AvicError, match="no domain yet"):
        Stepper(m)


def test_a_scenario_opens_where_its_file_says() -> None:
    stepper = Stepper(scenario="ipi-descheduled")
    frame = stepper.story.frame(stepper.beat)
    assert frame.beat.rule == "H-IPI-5"
    assert frame.beat.say == "reads IsRunning in entry 2: 0"
    assert stepper.story.first > 1, "the boot is left out"
    assert stepper.title == "Exit ID 1: the target has no core, but its IRR bit is set already"


def test_a_scenario_opens_at_any_beat_also_in_its_boot() -> None:
    assert Stepper(scenario="ipi-descheduled", beat=17).beat == 17
    last = len(Stepper(scenario="ipi-descheduled").story.machine.trace)
    assert Stepper(scenario="ipi-descheduled", beat=last).beat == last
    with pytest.raises(AvicError, match="beat: 1000000 given"):
        Stepper(scenario="ipi-descheduled", beat=10**6)


def test_a_scenario_is_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(scenario("ipi-descheduled").read_text("utf-8").replace("Exit ID 1", "Mine"), "utf-8")
    assert Stepper(scenario=file).title.startswith("Mine: the target")
    assert Stepper(scenario=str(file)).beat == Stepper(scenario="ipi-descheduled").beat
    xen = Stepper(scenario=file, patches=6).story.machine.xen
    assert xen is not None
    assert xen.patches == 6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "stepper: neither given, expected a machine or a scenario"),
        ({"scenario": "ipi-descheduld"}, "near it: ipi-descheduled"),
        ({"scenario": "nowhere/x.toml"}, "nowhere/x.toml: No such file"),
        ({"scenario": "ipi-descheduled", "patches": 11}, "patches: 11 given"),
    ],
)
def test_what_is_no_scenario_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AvicError, match=said):
        Stepper(**given)


def test_patches_are_for_scenarios(ipi: Scene) -> None:
    with pytest.raises(AvicError, match="booted already"):
        Stepper(ipi.m, patches=3)
    with pytest.raises(AvicError, match="both given"):
        Stepper(ipi.m, scenario="ipi-descheduled")
