"""The live stepper's data: replayed, it is the static HTML of every beat; it is small; words of strangers stay text."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.show import MachineView, Stepper
from avickit.show.live.data import HOLE, live_data
from avickit.show.live.widget import LiveView
from avickit.show.story import Story
from avickit.show.tags import plain
from tests.show.scene import Scene, play

KB = 1000


def replayed(data: dict[str, Any], n: int) -> str:
    """What a browser shows at a beat: the whole of a player in a few lines."""
    text = data["text"]
    said = (text[column if isinstance(column, int) else column[n - data["first"]]] for column in data["said"])
    html: str = "".join(said).replace(HOLE, str(n), 1) + data["beside"][0]
    for sheet in data["sheets"]:
        shown = [
            text[[piece for beat, piece in zip(slot[::2], slot[1::2], strict=True) if beat <= n][-1]]
            for slot in sheet["slots"]
        ]
        html += "".join(text[gap] + piece for gap, piece in zip(sheet["gaps"], [*shown, ""], strict=True))
    return plain(f"{html}{data['beside'][1]}")


def long_run(beats: int) -> Story:
    """IPIs to a vCPU that also sleeps now and then."""
    m = Machine(cores=4)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(vcpus=2)
    a, b = dom.vcpus
    for core, vcpu in enumerate((a, b)):
        xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    start = len(m.trace)
    a.guest.write("ICRH", b.apic_id << 24)
    while len(m.trace) - start < beats:
        for vector in (0x41, 0x52, 0x63):
            a.guest.write("ICRL", vector)
            b.guest.eoi()
        b.guest.hlt()
        a.guest.write("ICRL", 0x42)
        xen.run(b, core=1)
        b.guest.eoi()
    return Story(m, [a.page, dom.physical_table, b.page], start + 1)


@pytest.fixture(scope="module")
def long() -> Story:
    return long_run(10_000)


def assert_replays(stepper: Stepper, beats: range | list[int]) -> None:
    data = json.loads(json.dumps(live_data(stepper.story)))
    for n in beats:
        stepper.beat = n
        assert replayed(data, n) == stepper.sentence + stepper.panels, f"beat {n}"


def test_each_beat_of_an_ipi_is_the_static_form(ipi: Scene) -> None:
    stepper = Stepper(ipi.m, ipi.a.page, ipi.dom.physical_table, ipi.b.page, first=ipi.start - 10)
    assert len(stepper.story) >= 20
    assert_replays(stepper, range(stepper.story.first, stepper.story.last + 1))


def test_from_the_first_beat_on_all_kinds_of_pages(ipi: Scene) -> None:
    stepper = Stepper(ipi.m, *ipi.pages, first=1)
    assert_replays(stepper, random.Random(1).sample(range(1, stepper.story.last + 1), 40))


def test_twenty_beats_of_ten_thousand(long: Story) -> None:
    stepper = Stepper(long.machine, *long.pages, first=long.first, last=long.last)
    assert_replays(stepper, random.Random(3).sample(range(long.first, long.last + 1), 20))


def test_ten_thousand_beats_are_small(long: Story) -> None:
    size = len(json.dumps(live_data(long)))
    assert len(long) >= 10_000
    assert size < 2000 * KB


def test_an_ipi_is_smaller_still(ipi: Scene) -> None:
    story = Story(ipi.m, [ipi.a.page, ipi.dom.physical_table, ipi.b.page], ipi.start + 1)
    data = live_data(story)
    drawn = {key: data[key] for key in data if key not in ("memory", "sources")}
    assert len(json.dumps(drawn)) < 30 * KB
    assert len(json.dumps(data)) < 100 * KB, "with the source and what the declarations say"
    assert not any(sheet["whole"] for sheet in data["sheets"]), "rows change, not sheets"


def test_lanes_cover_all_beats_with_states_that_letters_tell_apart(long: Story) -> None:
    data = live_data(long)
    assert [lane["name"] for lane in data["lanes"]] == ["core 0", "core 1", "d1v0", "d1v1"]
    for told in ("letter", "word", "pattern", "hue"):
        assert len({look[told] for look in data["looks"]}) == len(data["looks"])
    for lane in data["lanes"]:
        starts = lane["spans"][::3]
        assert starts[0] == long.first
        assert starts == sorted(set(starts))
    seen = {data["looks"][look]["word"] for look in data["lanes"][3]["spans"][1::3]}
    assert {"guest mode", "blocked", "host mode", "runnable"} <= seen
    assert {data["looks"][look]["word"] for look in data["lanes"][1]["spans"][1::3]} >= {"idle", "guest mode"}


def test_lanes_end_as_the_vcpus_are_now(ipi: Scene) -> None:
    data = live_data(Story(ipi.m, [ipi.b.page], 1))
    last = {lane["name"]: data["looks"][lane["spans"][-2]]["word"] for lane in data["lanes"]}
    assert all(last[v.name] == v.state for v in ipi.dom.vcpus)


def test_a_destroyed_domain_can_be_looked_at(tmp_path: Path) -> None:
    scene = play()
    page = scene.b.page
    assert scene.m.xen
    scene.m.xen.destroy_domain(scene.dom)
    data = live_data(Story(scene.m, [page], 1))
    last = {lane["name"]: data["looks"][lane["spans"][-2]]["word"] for lane in data["lanes"]}
    assert last["d1v0"] == last["d1v1"] == "destroyed"
    assert ">Z" in Stepper(scene.m, page, first=len(scene.m.trace) - 20).save(tmp_path / "gone.svg").read_text()
    assert "destroyed" not in MachineView(scene.m).text, "no domain is left to show"


def test_exits_doorbells_and_instructions_are_where_the_trace_has_them(long: Story) -> None:
    data, trace = live_data(long), long.machine.trace
    assert data["marks"]
    for n, lane, _ in data["marks"]:
        assert trace[n].kind == "EXIT"
        assert trace[n].actor == data["lanes"][lane]["name"]
    assert {title for *_, title in data["arrows"]} == {"doorbell", "interrupt"} or data["arrows"]
    for start, source, end, target, title in data["arrows"]:
        assert trace[start].kind == "SIGNAL"
        assert title in ("doorbell", "interrupt")
        assert (trace[start].actor, trace[end].actor) == tuple(data["lanes"][i]["name"] for i in (source, target))
        assert trace[start].place == trace[end].place
    assert [stop["name"] for stop in data["stops"]] == ["beat", "instruction", "exit"]
    assert all("executes" in trace[n].say for n in data["stops"][1]["at"])


def test_words_of_strangers_stay_text() -> None:
    """A name that is markup comes escaped in every piece; what is not escaped is set as text by the browser."""
    m = Machine(cores=1)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(vcpus=1)
    xen.run(dom.vcpus[0], core=0)
    dom.vcpus[0].guest.write("SVR", 0x1FF)
    evil = "<img src=x onerror=alert(1)>"
    pages = m.world.page_names
    pages.update({page: (evil, kind) for page, (_, kind) in pages.items()})
    data = live_data(Story(m, [dom.vcpus[0].page], 1))
    assert any("&lt;img" in piece for piece in data["text"])
    assert not any("<img" in piece for piece in data["text"])


def test_the_widget_and_python_follow_each_other(ipi: Scene) -> None:
    stepper = Stepper(ipi.m, ipi.b.page, first=ipi.start + 1)
    stepper._repr_mimebundle_()
    view = stepper._live
    assert isinstance(view, LiveView)
    stepper.beat = ipi.handed.n
    assert view.beat == ipi.handed.n
    view.beat = ipi.handed.n + 1
    assert stepper.beat == ipi.handed.n + 1
    view.beat = 10**9
    assert view.beat == stepper.beat == len(ipi.m.trace), "a browser gets a beat that is there"
    with pytest.raises(AvicError, match="beat"):
        stepper.beat = 10**9
    assert view.beat == len(ipi.m.trace)
