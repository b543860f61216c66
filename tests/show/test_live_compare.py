"""The comparison's data for the browser: its places are the beats of both sides, its pieces the static form's."""

import json
from typing import Any

import pytest

from avickit.show import Compare
from avickit.show.live.data import HOLE
from avickit.show.live.widget import LiveView
from tests.lab.test_aligned import play
from tests.show.scene import Scene
from tests.show.test_live import replayed

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KB = 1000


@pytest.fixture(scope="module")
def view() -> Compare:
    old, new = (play(["send", "eoi"], patches=n, svm_avic=True) for n in (5, 6))
    return Compare(old, new, names=("patches=5", "patches=6"))


def data_of(view: Compare) -> dict[str, Any]:
    form = view.live_form()
    assert form
    assert form.stem == "compare"
    data: dict[str, Any] = json.loads(json.dumps(form.traits["data"]))
    assert data["first"] <= form.traits["beat"] <= data["last"]
    return data


def said(data: dict[str, Any], which: int, place: int) -> str:
    """What a side says at a place, as the browser puts it together."""
    step = sum(start <= place for start in data["steps"]) - 1
    n = data["places"][2 * (place - 1) + which]
    beat = replayed(data["sides"][which], n).partition(data["sides"][which]["beside"][0])[0] if n else data["nothing"]
    around: str = data["around"][step][which]
    return around.replace(HOLE, beat)


def test_at_the_first_difference_it_says_what_the_static_form_says(view: Compare) -> None:
    data = data_of(view)
    both = said(data, 0, data["jump"]["at"]) + said(data, 1, data["jump"]["at"])
    assert both in view.html
    assert "reads IsRunning in entry 2: 0" in both
    assert data["verdict"] in view.html
    assert all(table["html"] in view.html for table in data["tables"])


def test_every_beat_has_one_place_and_steps_follow_each_other(view: Compare) -> None:
    data, c = data_of(view), view.comparison
    assert [n for n in data["places"][::2] if n] == list(range(1, len(c.left) + 1))
    assert [n for n in data["places"][1::2] if n] == list(range(1, len(c.right) + 1))
    assert len(data["same"]) == data["last"] == len(data["places"]) // 2
    assert data["steps"] == sorted(data["steps"])
    assert all(start <= stop for start, stop in zip(data["steps"], data["stops"], strict=True))
    first = data["same"].index(0, data["steps"][7] - 1) + 1
    assert data["jump"]["at"] == first, "where the step that differs begins to differ"


def test_rows_lead_to_their_steps(view: Compare) -> None:
    data = data_of(view)
    main, quiet = (table["rows"] for table in data["tables"])
    assert [number for number, _ in main] == [1, 8, 9]
    assert [number for number, _ in quiet] == [1, 2, 3, 4, 5, 6, 7]
    assert [8, data["jump"]["at"]] in main


def test_the_page_is_open_on_which_they_begin_to_differ(view: Compare) -> None:
    data = data_of(view)
    assert data["titles"] == ["d1v0 vAPIC page", "d1 physical table", "d1v1 vAPIC page"]
    assert data["open"] == [0, 1, 0]


def test_pages_can_be_chosen(ipi: Scene) -> None:
    data = data_of(Compare(ipi.m, ipi.m, pages=[(ipi.b.page, ipi.b.page)], since=7))
    assert data["titles"] == ["d1v1 vAPIC page"]
    assert data["open"] == [1]
    assert data["jump"]["at"] == 0


def test_without_a_difference_the_usual_pages_are_folded(ipi: Scene) -> None:
    assert data_of(Compare(ipi.m, ipi.m))["open"] == [0, 0, 0]


def test_sides_may_have_different_pages() -> None:
    data = data_of(Compare(play(["send"], patches=0, cmdline=""), play(["send"])))
    assert [len(side["sheets"]) for side in data["sides"]] == [2, 3]
    assert data["titles"] == ["d1v0 vAPIC page", "d1 physical table", "d1v1 vAPIC page"]
    assert data["rows"] == [[0, 0], [-1, 1], [1, 2]], "namesakes stand beside each other"


def test_chosen_pairs_stay_pairs(ipi: Scene) -> None:
    a, b = ipi.a.page, ipi.b.page
    data = data_of(Compare(ipi.m, ipi.m, pages=[(a, b), (b, a)], since=7))
    assert data["rows"] == [[0, 0], [1, 1]]
    assert data["titles"] == ["d1v0 vAPIC page | d1v1 vAPIC page", "d1v1 vAPIC page | d1v0 vAPIC page"]


def test_a_bare_trace_has_the_static_form_only(ipi: Scene) -> None:
    view = Compare(ipi.m.trace, ipi.m)
    assert view.live_form() is None
    assert set(view._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_it_is_a_widget_with_both_twins(view: Compare) -> None:
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"] == view.text
    assert bundle["text/html"] == view.html
    assert WIDGET_VIEW in bundle
    assert isinstance(view._live, LiveView)
    view._live.beat = 10**9
    assert view._live.beat == view._live.data["last"], "a browser gets a place that is there"


def test_a_long_program_stays_small() -> None:
    program = ["send", "eoi", "irq", "eoi"] * 60
    data = data_of(Compare(play(program, patches=0, cmdline=""), play(program)))
    assert data["last"] > 10_000
    assert len(json.dumps(data)) < 3000 * KB


def test_a_step_without_beats_has_a_place_too(ipi: Scene) -> None:
    fork = ipi.m.fork()
    assert fork.xen
    fork.xen.deschedule(fork.vcpu(1), sync=True)
    fork.xen.deschedule(fork.vcpu(1), sync=True)
    again = fork.fork()
    data = data_of(Compare(fork, again))
    assert len(data["steps"]) == len(set(data["steps"])) == len(fork.trace.commands)
