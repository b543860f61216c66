"""The view of one page: every kind, at any beat, since any beat; its data replayed is its static form."""

import json
from typing import Any

import pytest

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.manual.apic import MAP
from avickit.manual.tables import PhysicalEntry
from avickit.show import PageView
from avickit.show.about import about
from avickit.show.live.page import changes
from avickit.show.palette import SHAPE
from avickit.show.sheets import sheet
from avickit.show.tags import plain
from tests.show.scene import Scene
from tests.show.test_live import replayed

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def data_of(view: PageView) -> dict[str, Any]:
    form = view.live_form()
    assert form is not None
    return dict(json.loads(json.dumps(form.traits["data"])))


def test_all_kinds_of_pages_have_one(ipi: Scene) -> None:
    kinds = {sheet(PageView(page).moment, page).kind for page in ipi.pages}
    assert kinds == {"apic", "table", "vmcb"}
    for page in ipi.pages:
        bundle = PageView(page)._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html", WIDGET_VIEW}
        assert "raw, 16 bytes a line" in bundle["text/html"]


def test_it_steps_through_its_changes_and_each_is_the_static_form(ipi: Scene) -> None:
    for page in ipi.pages:
        view = PageView(page)
        data = data_of(view)
        assert not data["sheets"][0]["whole"], "rows change in place: focus stays"
        assert view.story is not None
        assert data["stops"][0] == {"name": "change", "at": changes(view.story)}
        for n in [1, ipi.start, ipi.handed.n - 1, ipi.handed.n, ipi.handed.n + 1, len(ipi.m.trace)]:
            earlier = PageView(page, beat=n)
            assert earlier.panel in replayed(data, n), f"{view.title} at {n}"


def test_changes_since_a_beat_are_marked(ipi: Scene) -> None:
    page = ipi.b.page
    since = PageView(page, since=ipi.start)
    assert "* IRR" in since.text or "* 200 IRR" in since.text or "* 100 ISR" in since.text
    assert data_of(since)["since"] == ipi.start
    at = PageView(page, beat=ipi.handed.n, since=ipi.start)
    assert "+41h" in at.text
    assert data_of(PageView(page, beat=ipi.handed.n))["since"] is None, "a beat's own changes"
    assert data_of(PageView(page))["since"] == ipi.m.trace.commands[-1].first, "what the last command changed"


def test_the_words_of_a_page_are_what_the_states_hold(ipi: Scene) -> None:
    """The oracle is the trace's own undoing."""
    for page in ipi.pages:
        (memory,) = data_of(PageView(page))["memory"]
        for n in (1, ipi.handed.n, len(ipi.m.trace)):
            state = ipi.m.trace.state(n)
            for row in memory["rows"].values():
                told = [
                    [v for beat, v in zip(w[::2], w[1::2], strict=True) if beat <= n][-1:] or [0]
                    for w in (memory["words"].get(str(offset), [0, 0]) for offset in row["words"])
                ]
                value = sum(word[0] << 32 * i for i, word in enumerate(told))
                shift = {256: 4, 32: 4, 64: 3}[row["width"]] if "entry" not in row["name"] else row["width"] // 32 + 1
                assert value == state[page.place + (row["words"][0] >> shift)], (row["name"], n)


def test_every_register_of_the_map_says_what_it_is(ipi: Scene) -> None:
    shown = {row.name: row for group in sheet(PageView(ipi.b.page).moment, ipi.b.page).groups for row in group.rows}
    for line in MAP:
        if line.register is None:
            continue
        name = next(n for n in shown if n == line.name or n.startswith(line.name))
        told = about("apic", shown[name])
        assert told["meaning"] == line.meaning
        assert told["rules"][0].startswith(f"{line.rule}: ")
        assert "guest read: " in told["who"]
        assert line.write.value in told["who"]
        assert "p." in told["section"]
    entry = about("table", next(iter(sheet(PageView(ipi.dom.physical_table).moment, ipi.dom.physical_table).rows())))
    assert [field[0] for field in entry["fields"]] == list(PhysicalEntry.fields)
    assert "H-TAB-1: " in entry["rules"][0]


def test_an_access_has_letter_shape_and_hue(ipi: Scene) -> None:
    html = PageView(ipi.b.page).html
    assert len(set(SHAPE.values())) == len(SHAPE) == 4
    for letters, letter in (("A/T", "T"), ("A/X", "X"), ("A/F", "F"), ("A/A", "A")):
        assert f'<span style="padding:0 2px;{SHAPE[letter]};background:rgba(' in html
        assert f">{letters}</span>" in html


def test_folded_rows_are_there_with_their_meaning(ipi: Scene) -> None:
    html = PageView(ipi.b.page).html
    folded = html.partition("<details>")[2].partition("</details>")[0]
    assert "folded: " in folded
    assert "extended APIC: feature" in folded
    assert plain(folded) == folded


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"beat": 10**6}, "beat: 1000000 given"),
        ({"since": 10**6}, "since: 1000000 given"),
        ({"beat": 5, "since": 9}, "since: 9 given"),
        ({"at": 4096}, "offset: 4096 given, expected 0..4095"),
    ],
)
def test_bad_places_are_refused(ipi: Scene, given: dict[str, int], said: str) -> None:
    with pytest.raises(AvicError, match=said):
        PageView(ipi.b.page, **given)


def test_what_is_no_page_is_refused(ipi: Scene) -> None:
    with pytest.raises(AvicError, match=r"page: .* given, expected a vCPU's page"):
        PageView(ipi.b)  # type: ignore[arg-type]


def test_without_a_recording_the_present_is_shown_and_nothing_lives() -> None:
    m = Machine(cores=1, record=False)
    page = m.boot("svm=avic").create_domain().vcpus[0].page
    view = PageView(page)
    assert view.live_form() is None
    assert "now, beyond the recording" in view.text
    assert set(view._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_python_and_browser_follow_each_other(ipi: Scene) -> None:
    view = PageView(ipi.b.page)
    view._repr_mimebundle_()
    view._live.beat = ipi.handed.n
    assert view.beat == ipi.handed.n
    assert "+41h" in view.text
    view.beat = ipi.handed.n - 1
    assert view._live.beat == ipi.handed.n - 1
