"""The stepper's branches: what if, in Python and as the browser asks for it."""

from typing import Any

import pytest

from avickit.errors import AvicError
from avickit.lab.acts import ACTS
from avickit.show import Compare, Stepper
from avickit.show.branches import AS_IT_WAS, MOST
from avickit.show.live.what_if import LiveStepper, answer
from tests.show.scene import Scene
from tests.show.test_live import replayed


@pytest.fixture
def stepper(ipi: Scene) -> Stepper:
    return Stepper(ipi.m, ipi.a.page, ipi.dom.physical_table, ipi.b.page, first=ipi.start + 1)


@pytest.fixture
def live(stepper: Stepper) -> LiveStepper:
    """Its widget, as if it were shown."""
    stepper._repr_mimebundle_()
    assert isinstance(stepper._live, LiveStepper)
    return stepper._live


def asked(stepper: Stepper, live: LiveStepper, beat: Any, act: Any, given: Any) -> list[Any]:
    """What the kernel sends back."""
    sent: list[Any] = []
    live.send = lambda content, buffers=None: sent.append(content)
    live._handle_custom_msg({"ask": "1-1", "beat": beat, "act": act, "given": given}, [])
    return sent


def test_the_view_follows_the_new_branch_and_the_old_one_stays(ipi: Scene, stepper: Stepper) -> None:
    n = ipi.handed.n
    before = len(ipi.m.trace)
    stepper.beat = n
    old = stepper.text
    branch = stepper.what_if(n, "deschedule", ipi.b, "at once")
    assert branch.name == f"what if at beat {n}: deschedule d1v1, saving it at once"
    assert (stepper.branch, stepper.beat) == (1, n + 1)
    assert "this core shall run another vCPU" in stepper.sentence
    assert [b.name for b in stepper.branches] == [AS_IT_WAS, branch.name]
    assert stepper.text.startswith(f"branches\n  as it was\n>   {branch.name}\n")
    assert f"&gt; {branch.name}" in stepper.html
    stepper.branch = 0
    stepper.beat = n
    assert stepper.text.endswith(old)
    assert len(ipi.m.trace) == before


def test_its_pages_are_those_of_the_branch(ipi: Scene, stepper: Stepper) -> None:
    """H-IPI-5: IRR is set, the entry says that nobody runs; in the original the vector has been taken."""
    branch = stepper.what_if(ipi.handed.n, "deschedule", "d1v1", "at once")
    stepper.beat = branch.story.last
    assert "VALID=1, BACKING_PAGE=0x8, HOST_APIC_ID=(1)" in stepper.text, "no IS_RUNNING"
    assert branch.machine.xen
    assert branch.machine.xen.domains[0].vcpus[1].page.irr == {0x41}
    assert ipi.b.page.irr == set()


def test_a_branch_shows_where_it_differs(ipi: Scene, stepper: Stepper) -> None:
    branch = stepper.what_if(ipi.handed.n, "deschedule", ipi.b, "at once")
    assert isinstance(branch.compared, Compare)
    assert "as it was  beat" in repr(branch)
    assert "reads IsRunning in entry 2: 0" in repr(branch)
    assert branch.html in branch._repr_mimebundle_()["text/html"]
    again = Stepper(ipi.m, *ipi.pages, first=ipi.start + 1).what_if(ipi.handed.n, "deschedule", ipi.b, "at once")
    assert repr(again) == repr(branch)
    assert again.html == branch.html


def test_a_branch_of_a_branch_hangs_below_it(ipi: Scene, stepper: Stepper) -> None:
    stepper.what_if(ipi.handed.n, "deschedule", ipi.b, "at once")
    last = stepper.story.last
    deeper = stepper.what_if(last, "run", ipi.b, 2)
    assert deeper.depth == 2
    assert deeper.parent is stepper.branches[1]
    assert f"\n>     what if at beat {last}: run d1v1 on core 2" in stepper.text
    assert "d1v1 takes 41h" in repr(deeper)


def test_what_is_refused_changes_nothing(ipi: Scene, stepper: Stepper) -> None:
    stepper.beat = ipi.handed.n
    shown = stepper.text
    for act in (("write", ipi.a, "TPR", 1), ("ring", 77), ("fly",)):
        with pytest.raises(AvicError):
            stepper.what_if(ipi.handed.n, *act)
    with pytest.raises(AvicError, match="beat: 1 given"):
        stepper.what_if(1, "ring", 1)
    with pytest.raises(AvicError, match=r"branch: 1 given, expected 0\.\.0"):
        stepper.branch = 1
    assert stepper.text == shown
    assert len(stepper.branches) == 1


def test_there_is_an_end_to_branches(ipi: Scene, stepper: Stepper) -> None:
    for _ in range(MOST - 1):
        stepper.branch = 0
        stepper.what_if(ipi.handed.n, "nmi", ipi.b)
    with pytest.raises(AvicError, match=f"branches: {MOST + 1} given"):
        stepper.what_if(ipi.handed.n, "nmi", ipi.b)
    assert len(stepper.html.encode()) < 30_000


def test_the_browser_asks_and_every_branch_is_its_static_form(ipi: Scene, stepper: Stepper, live: LiveStepper) -> None:
    n = ipi.handed.n
    assert asked(stepper, live, n, "ring", ["1"]) == [{"ask": "1-1", "problem": ""}]
    assert (live.branch, live.beat, len(live.others)) == (1, n + 1, 1)
    assert live.branches == [
        {"name": AS_IT_WAS, "depth": 0, "note": ""},
        {"name": f"what if at beat {n}: ring the doorbell of core 1", "depth": 1, "note": ""},
    ]
    for beat in range(stepper.story.first, stepper.story.last + 1):
        stepper.beat = beat
        assert replayed(live.others[0], beat) == stepper.sentence + stepper.panels
    live.branch = 0
    assert stepper.branch == 0
    stepper.branch = 1
    assert live.branch == 1
    live.branch = 99
    assert live.branch == stepper.branch == 1, "a browser gets a branch that is there"


def test_what_a_browser_may_not_is_answered(ipi: Scene, stepper: Stepper, live: LiveStepper) -> None:
    n = ipi.handed.n
    for beat, act, given, said in (
        (n, "ring", ["core 77"], "core: 77 given"),
        (n, "write", ["d1v0", "TPR", "1"], "core 0 is in the middle of d1v0: write 41h to ICRL"),
        (n, "<b>", [], "what if: <b> given"),
        (10**9, "ring", ["1"], "beat: 1000000000 given"),
        ("1", "ring", ["1"], "nothing that can be done"),
        (n, "ring", [{"a": 1}], "core: "),
        (n, "store", ["d1 physical table", "2", {"value": 1}], "field: value given"),
        (n, "store", [["x"], "2", "3"], "page: "),
        (n, "ring", "1", "nothing that can be done"),
    ):
        [reply] = asked(stepper, live, beat, act, given)
        assert said in reply["problem"]
    assert (live.branch, live.others, len(stepper.branches)) == (0, [], 1)
    assert asked(stepper, live, n, "ring", []) != []
    live._handle_custom_msg("nonsense", [])
    assert answer(stepper, {"beat": n}) != ""


def test_the_form_offers_what_there_is(live: LiveStepper) -> None:
    acts = {act["name"]: act for act in live.form["acts"]}
    assert list(acts) == [act.name for act in ACTS]
    assert acts["deschedule"]["inputs"][0]["choices"] == ["d1v0", "d1v1"]
    assert acts["ring"]["inputs"][0]["choices"] == ["0", "1", "2", "3"]
    assert "ICRL" in acts["write"]["inputs"][1]["suggested"]
    assert "d1 physical table" in acts["store"]["inputs"][0]["choices"]


def test_branches_of_a_scenario(ipi: Scene) -> None:
    stepper = Stepper(scenario="ipi-descheduled")
    branch = stepper.what_if(stepper.beat, "run", "d1v1", 2)
    assert "run d1v1 on core 2" in branch.name
    assert branch.compared
    assert branch.compared.first
