"""The static forms: the same every time, small, escaped, and made only of what JupyterLab leaves of them."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from random import Random

import pytest

from avickit.lab.explore import explore
from avickit.lab.machine import Machine
from avickit.lab.trace import Beat
from avickit.manual.exits import ExitCode
from avickit.show import Compare, PageView, Stepper, html, look, tally
from avickit.show.as_html import sheet_html
from avickit.show.beats import beat_html, listing_html
from avickit.show.exits import exits_html
from avickit.show.sheets import sheet
from avickit.silicon.parts import Exit
from tests.show.scene import Scene, filled, play

LIMIT = 30_000
TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "code", "mark"}
TAGS |= {"div", "span", "b", "small"}
ATTRIBUTES = {"style", "title", "scope", "colspan", "open"}
PROPERTIES = {"padding", "margin", "border", "border-radius", "border-collapse", "background", "font", "text-align"}
PROPERTIES |= {"display", "flex-wrap", "gap", "overflow", "line-height", "letter-spacing", "white-space", "font-size"}
PROPERTIES |= {"grid-template-columns", "border-left"}
COLOUR = re.compile(r"rgba\(\d+,\d+,\d+,\.\d+\)")
REMOVED = re.compile(r"var\(|calc\(|hsl|light-dark|currentcolor|inherit|url\(|expression", re.IGNORECASE)
HOSTILE = "</td></pre><script>alert(1)</script><img src=x onerror=alert(2)>\"' &amp;"


class Inspector(HTMLParser):
    """Notes everything about a piece of HTML that the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: list[str] = []
        self.heads: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value or "" for name, value in attrs if name == "style"]
        if tag == "th":
            self.heads.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words += data


def forms(scene: Scene) -> Iterator[tuple[str, str]]:
    """Every static form there is, by name."""
    for thing in scene.things:
        yield type(thing).__name__, html(thing)
    for page in scene.pages:
        for n in (scene.handed.n, None):
            yield f"{page!r} at {n}", html(look(page, beat=n))
            yield f"{page!r} raw at {n}", html(look(page, beat=n, raw=True))
    yield "pages", html(look(scene.a.page, scene.dom.physical_table, scene.b.page, beat=scene.handed.n))
    yield "tally", html(tally(one=scene.a.exits, other=scene.b.exits))
    yield "trace", html(look(scene.m.trace, since=scene.start))
    for page in scene.pages:
        yield f"view of {page!r}", PageView(page).html
        yield f"view of {page!r} earlier", PageView(page, beat=scene.handed.n, since=scene.start).html
    yield "comparison", Compare(scene.m, scene.m.fork(scene.handed.n)).html
    yield "comparison without a difference", Compare(scene.m, scene.m.fork()).html
    stepper = Stepper(scene.m, *scene.pages, first=scene.start)
    for n in range(scene.start, len(scene.m.trace) + 1):
        stepper.beat = n
        yield f"stepper at {n}", stepper.html


@pytest.fixture(scope="module")
def found(ipi: Scene) -> dict[str, str]:
    return dict(forms(ipi))


def test_every_form_is_the_same_every_time(found: dict[str, str]) -> None:
    assert dict(forms(play())) == found


def test_every_handle_shows_itself(ipi: Scene) -> None:
    """`_repr_html_`, which a notebook calls, for everything that a machine hands out."""
    beats_and_exits = (Beat, Exit, tuple)
    for thing in ipi.things:
        if not isinstance(thing, beats_and_exits):
            assert thing._repr_html_() == html(thing)


def test_every_form_is_small(found: dict[str, str]) -> None:
    assert max(len(text.encode()) for text in found.values()) <= LIMIT


def test_only_what_jupyterlab_leaves(found: dict[str, str]) -> None:
    for name, text in found.items():
        seen = Inspector(text)
        assert seen.open == [], name
        assert seen.tags <= TAGS, name
        assert seen.attributes <= ATTRIBUTES, name
        for style in seen.styles:
            assert not REMOVED.search(style), style
            for declaration in style.split(";"):
                prop, _, value = declaration.partition(":")
                assert prop in PROPERTIES, style
                assert prop != "background" or COLOUR.fullmatch(value), style


def test_the_colour_of_text_is_left_alone(found: dict[str, str]) -> None:
    assert not any(re.search(r"(^|;)color:", s) for text in found.values() for s in Inspector(text).styles)


def test_every_table_head_has_a_scope(found: dict[str, str]) -> None:
    for text in found.values():
        assert all(head.get("scope") in ("col", "row", "rowgroup", "colgroup") for head in Inspector(text).heads)
        assert text.count("<table") <= text.count("<thead")


def test_a_change_is_told_by_a_character_as_well(ipi: Scene) -> None:
    at_beat = html(look(ipi.b.page, beat=ipi.handed.n))
    words = Inspector(at_beat).words
    assert "* IRR" in words
    assert "41h (+41h)" in words
    assert "<mark><b>1</b></mark>" in at_beat
    assert "* 300" in Inspector(html(look(ipi.a.page))).words.replace("\xa0", " ")
    assert "*" not in Inspector(html(look(ipi.a.page, beat=ipi.handed.n))).words.partition("not shown")[0][90:]


def test_letters_stand_beside_their_hues(ipi: Scene) -> None:
    words = Inspector(html(look(ipi.b.page))).words
    for legend in ("A allow", "X accelerated", "T trap", "F fault"):
        assert legend in words


@pytest.mark.parametrize("what", ["ones", "alternating", "random"])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_fullest_page_is_small_enough(ipi: Scene, what: str, narrow: bool) -> None:
    random = Random(what)
    patterns: dict[str, tuple[Callable[[int], int], Callable[[int], int]]] = {
        "ones": (lambda bits: (1 << bits) - 1, lambda bits: 0),
        "alternating": (lambda bits: int("a" * (bits // 4), 16), lambda bits: int("5" * (bits // 4), 16)),
        "random": (random.getrandbits, random.getrandbits),
    }
    for page in ipi.pages:
        vmcb_or_physical = page in (ipi.a.vmcb, ipi.dom.physical_table)
        widths = [64 if vmcb_or_physical else 256 if i in (0x10, 0x18, 0x20) else 32 for i in range(512)]
        now, before = ([pattern(width) for width in widths] for pattern in patterns[what])
        for raw in (False, True):
            text = sheet_html(sheet(filled(ipi, page.place, now, before), page, raw=raw), narrow=narrow)
            assert len(text.encode()) <= LIMIT
            assert Inspector(text).tags <= TAGS


def test_a_big_machine_is_small_enough() -> None:
    m = Machine(cores=64, pages=1024, record=False)
    dom = m.boot("svm=avic " + "x" * 5000).create_domain(vcpus=64)
    for thing in (m, dom, dom.physical_table):
        assert len(html(thing).encode()) <= LIMIT
        assert "more" in html(thing)


@pytest.mark.parametrize("patches", range(11))
def test_every_patch_level_can_be_looked_at(patches: int) -> None:
    """Before boot, at work, after a crash (patch 4 alone crashes), forked inside an IPI, after the domain is gone."""
    m = Machine(cores=2)
    assert "not booted" in html(m)
    xen = m.boot("svm=avic" if patches >= 9 else "", patches=patches, svm_avic=True if patches >= 4 else None)
    dom = xen.create_domain(vcpus=2)
    a, b = dom.vcpus
    for core, vcpu in enumerate((a, b)):
        xen.run(vcpu, core=core)
    a.guest.write("TPR", 0)
    a.guest.write("ICRL", 2 << 18 | 0x41)
    fork = m.fork(len(m.trace) - 3)
    assert fork.xen
    shown = [m, dom, a, b.page, a.vmcb, m.trace, a.exits, fork, fork.xen.domains[0].vcpus[1].page, Stepper(m)]
    assert dom.crashed == (patches == 4)
    xen.destroy_domain(dom)
    for thing in [*shown, m, dom, a, b.page, a.vmcb]:
        form = thing._repr_mimebundle_()["text/html"] if isinstance(thing, Stepper) else html(thing)
        assert 0 < len(form.encode()) <= LIMIT
        assert Inspector(form).open == []


def test_beyond_the_recording_the_present_is_shown() -> None:
    m = Machine(cores=1, limit=50)
    page = m.boot("svm=avic").create_domain().vcpus[0].page
    assert "now, beyond the recording" in html(page)
    assert "50 of 50" in html(m.trace)


def test_text_from_elsewhere_is_escaped(ipi: Scene) -> None:
    """Names in a trace, a command line, an exit's reason: anybody may have written them."""
    scene = play()
    page = (scene.b.page.place - scene.m.world.first_page) // scene.m.world.page_places
    scene.m.world.page_names[page] = (HOSTILE, "apic")
    other = Machine(cores=1)
    other.boot(HOSTILE)
    beat = Beat(1, 1, HOSTILE, "READ", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    shown = [html(scene.b.page), html(look(scene.b.page, raw=True)), html(other), beat_html(beat), listing_html([beat])]
    shown.append(exits_html([Exit(ExitCode.VMEXIT_INVALID, reason=HOSTILE)]))
    shown.append(html(tally(**{HOSTILE: ipi.a.exits})))
    for text in shown:
        seen = Inspector(text)
        assert seen.tags <= TAGS
        assert seen.attributes <= ATTRIBUTES
        assert "<script" not in text
    assert HOSTILE in Inspector(shown[0]).words


def test_a_form_says_the_same_as_the_text(ipi: Scene) -> None:
    """Each register and each value of the text form is in the HTML form."""
    for page in ipi.pages[:3]:
        words = Inspector(html(look(page))).words
        for line in str(look(page)).splitlines():
            for value in re.findall(r"\b[0-9A-F]{4}(?:_[0-9A-F]{4})+\b", line):
                assert value in words


def answer_of(code: str) -> str:
    """What a new Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_views_is_light() -> None:
    every = "import sys; from avickit.show import *; heavy = {'ipywidgets', 'numpy', 'IPython', 'anywidget'}"
    assert answer_of(f"{every}; Stepper, html, look; print(sorted(heavy & set(sys.modules)))") == "[]"


def test_what_is_imported_alone_has_its_html() -> None:
    runs = "from avickit import explore; found = explore('race-plain-store')"
    assert answer_of(f"{runs}; print('<table' in found._repr_html_())") == "True"
    assert (
        answer_of("from avickit import exhibit; print('<table' in exhibit('X01').wrong.machine._repr_html_())")
        == "True"
    )


def test_a_machine_loads_what_draws_it_when_it_is_shown() -> None:
    runs = "import sys; from avickit import Machine; m = Machine(); m.boot('svm=avic').create_domain(vcpus=2)"
    asleep = "('avickit.show.', 'avickit.museum', 'avickit.lab.explore', 'avickit.lab.scenario')"
    assert answer_of(f"{runs}; print([name for name in sys.modules if name.startswith({asleep})])") == "[]"
    assert answer_of(f"{runs}; print(m._repr_mimebundle_()['text/html'] == m._repr_html_())") == "True"
    assert answer_of("import avickit.show; print({*avickit.show.__all__} - {*dir(avickit.show)})") == "set()"


@pytest.mark.parametrize(
    ("scenario", "says"), [("race-plain-store", "lost wake-up"), ("race-sleep-against-ipi", "pass")]
)
def test_an_exploration_shows_its_verdict_and_its_counterexample(scenario: str, says: str) -> None:
    result = explore(scenario)
    assert html(result) == look(result).html
    seen = Inspector(html(result))
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    words = seen.words
    assert says in words
    assert ("beatsleeper (core 1)sender (core 0)rule" in words) == (not result.ok)
    marked = [int(n) for n in re.findall(r"> (\d+)", words)]
    assert marked == ([] if result.ok else list(result.racing or ())), "the two beats that race"
    assert ("store buffer" in words) == (not result.ok)
