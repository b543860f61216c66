"""A machine at a glance: cores, vCPUs, hot spots, exits, console; a live form that can follow."""

import json
import re
import sys
from typing import Any

import pytest

from avickit import AvicError, Machine, MachineView
from avickit.show import html, look
from avickit.show.glance import Glance
from avickit.show.live.machine import LiveMachine, after_cell
from avickit.show.live.picture import said
from avickit.show.moment import moment
from avickit.show.states import STATES, chip
from tests.show.scene import Scene, play
from tests.show.test_forms import ATTRIBUTES, HOSTILE, LIMIT, TAGS, Inspector

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def slept() -> Scene:
    """The target has slept and been sent another IPI: it waits, the sender has exited."""
    scene = play()
    scene.b.guest.eoi()
    scene.b.guest.hlt()
    scene.a.guest.write("ICRL", 0x42)
    return scene


def words(view: MachineView) -> str:
    return Inspector(view.html).words


def test_each_core_stands_there_with_what_it_runs(slept: Scene) -> None:
    text = MachineView(slept.m).text
    assert re.search(r"^core 0 +0 +guest mode +d1v0$", text, re.MULTILINE)
    assert re.search(r"^core 1 +1 +idle +-$", text, re.MULTILINE)
    assert "core 0 host APIC ID 0G guest moderuns d1v0" in words(MachineView(slept.m))
    assert "on no cored1v1 R runnable" in words(MachineView(slept.m))


def test_a_state_is_told_by_letter_by_frame_by_filling_and_by_hue() -> None:
    assert all(len({look[i] for look in STATES.values()}) == len(STATES) for i in range(4))
    assert "<b>B</b> blocked" in chip("blocked")
    assert "dotted" in chip("blocked")


def test_hot_spots_are_what_the_last_command_changed_and_what_holds_something(slept: Scene) -> None:
    text = MachineView(slept.m).text
    spots = {
        line.split("  ")[1]: line for line in text.partition("hot spots")[2].splitlines() if line.startswith("  d")
    }
    assert "* ICRL 0000_0042" in spots["d1v0 vAPIC page"]
    assert "* IRR 42h (+42h)" in spots["d1v1 vAPIC page"]
    assert "* EXITCODE 0000_0000_0000_0401" in spots["d1v0 VMCB"]
    assert "*" not in spots["d1 physical table"]
    assert "entry 0; entry 2" in spots["d1 physical table"]
    for line in spots.values():
        for spot in re.findall(r"\* ([^;]*)", line):
            assert f"* {spot.strip()}" in words(MachineView(slept.m))


def test_the_last_exits_are_in_words(slept: Scene) -> None:
    for form in (MachineView(slept.m).text, words(MachineView(slept.m))):
        assert "AVIC_INCOMPLETE_IPI (0x401)" in form
        assert "ID 1 NOT_RUNNING" in form
        assert "HLT: the guest has nothing to do." in form


def test_the_console_shows_its_end_and_folds_the_rest(slept: Scene) -> None:
    assert slept.m.xen
    console = slept.m.xen.console
    before, _, after = MachineView(slept.m).html.partition("</details>")
    assert console[-1] in after
    assert console[0] in before
    assert console[-1] in MachineView(slept.m).text


def test_it_is_what_a_machine_shows_as_the_last_line_of_a_cell(slept: Scene) -> None:
    bundle = slept.m._repr_mimebundle_()
    view = MachineView(slept.m)
    assert bundle["text/plain"] == view.text == repr(view) == str(look(slept.m))
    assert bundle["text/html"] == view.html == html(slept.m)
    assert WIDGET_VIEW in bundle
    assert "data-for" not in view.html


def test_without_widgets_the_static_forms_are_left(slept: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "avickit.show.live.machine", None)
    assert set(slept.m._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_it_stays_as_it_was_seen_until_it_is_refreshed(slept: Scene) -> None:
    view = MachineView(slept.m)
    seen = view.text
    assert slept.m.xen
    slept.m.xen.run(slept.b, core=2)
    assert view.text == seen
    view.refresh()
    assert re.search(r"^core 2 +2 +guest mode +d1v1$", view.text, re.MULTILINE)


def test_a_beat_is_the_machine_as_it_was_with_what_the_beat_changed(ipi: Scene) -> None:
    text = MachineView(ipi.m, beat=ipi.handed.n).text
    assert "* IRR 41h (+41h)" in text
    assert text.count("*") == 2, "one in the note, one for the beat's change"
    with pytest.raises(AvicError, match="1000000"):
        MachineView(ipi.m, beat=10**6)
    with pytest.raises(AvicError, match="none where the view follows"):
        MachineView(ipi.m, beat=3, follow=True)


def test_the_forms_are_lawful_small_and_the_same_every_time(slept: Scene) -> None:
    seen = Inspector(MachineView(slept.m).html)
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    again = play()
    again.b.guest.eoi()
    again.b.guest.hlt()
    again.a.guest.write("ICRL", 0x42)
    assert MachineView(again.m).html == MachineView(slept.m).html


def test_many_cores_and_vcpus_are_cut_short_and_those_at_work_are_kept() -> None:
    m = Machine(cores=64, pages=1024)
    xen = m.boot("svm=avic")
    dom = xen.create_domain(vcpus=64)
    for n, vcpu in enumerate(dom.vcpus[:20]):
        xen.run(vcpu, core=40 + n)
        vcpu.guest.write("SVR", 0x1FF)
    view = MachineView(m)
    assert len(view.html.encode()) <= LIMIT
    assert "core 40" in view.text
    assert "core 0 " not in view.text
    assert view.text.count("more") >= 4
    assert "and 48 more cores" in words(view)


def test_before_boot_there_are_only_cores() -> None:
    view = MachineView(Machine(cores=2))
    assert view.text.splitlines()[0].startswith("2 cores, epyc, not booted")
    assert "vCPU" not in view.text
    assert "hot spots" not in view.html


def test_the_live_form_has_a_detail_for_each_name_it_marks(slept: Scene) -> None:
    view = MachineView(slept.m)
    view._repr_mimebundle_()
    assert isinstance(view._live, LiveMachine)
    shown = json.loads(json.dumps(view._live.shown))
    names = set(re.findall(r'data-for="([^"]*)"', shown["html"]))
    assert names == set(shown["details"]) == {"d1v0", "d1v1"}
    assert re.sub(r' data-for="[^"]*"', "", shown["html"]) == view.html
    assert "IRR" in shown["details"]["d1v1"]
    assert "VINTR" in shown["details"]["d1v1"]
    assert "HLT" in shown["details"]["d1v1"]
    assert len(json.dumps(shown)) < 100_000


def test_a_view_is_told_how_far_it_is_behind_and_one_that_follows_goes_along(slept: Scene) -> None:
    still, going = MachineView(slept.m), MachineView(slept.m, follow=True)
    for view in (still, going):
        view._repr_mimebundle_()
    at = slept.m.clock
    assert slept.m.xen
    slept.m.xen.run(slept.b, core=2)
    after_cell()
    assert (still._live.behind, going._live.behind) == (slept.m.clock - at, 0)
    assert "d1v1: runnable, now guest mode" in going._live.shown["said"]
    assert still._live.shown["said"] == ""
    still._live.asked += 1
    assert still._live.behind == 0
    assert still.html == going.html == html(slept.m)
    still._live.follow = True
    slept.b.guest.eoi()
    after_cell()
    assert still.html == going.html == html(slept.m)


def test_it_listens_to_a_notebook_once(slept: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, Any]] = []

    class Events:
        def register(self, name: str, hear: Any) -> None:
            heard.append((name, hear))

    class Shell:
        events = Events()

    class IPython:
        shell = Shell()

        @staticmethod
        def get_ipython() -> Shell:
            return IPython.shell

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    from avickit.show.live.machine import listen

    for _ in range(2):
        listen()
    assert heard == [("post_run_cell", after_cell)]


def test_what_is_said_is_what_is_different(slept: Scene) -> None:
    before = Glance(moment(slept.m))
    assert "No vCPU has changed its state" in said(before, Glance(moment(slept.m)))
    slept.a.guest.write("ICRL", 0x43)
    assert "d1v0: 1 more exits" in said(before, Glance(moment(slept.m)))


def test_text_from_elsewhere_is_escaped() -> None:
    m = Machine(cores=1)
    dom = m.boot(f"svm=avic {HOSTILE}").create_domain(vcpus=1)
    m.world.page_names.update({page: (HOSTILE, kind) for page, (_, kind) in m.world.page_names.items()})
    view = MachineView(m)
    assert dom.vcpus
    view._repr_mimebundle_()
    for form in (view.html, view._live.shown["html"], *view._live.shown["details"].values()):
        seen = Inspector(form)
        assert seen.tags <= TAGS
        assert seen.attributes <= ATTRIBUTES | {"data-for"}
        assert "<script" not in form
        assert "<img" not in form
