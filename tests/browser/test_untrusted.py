"""Words from elsewhere (a trace, a scenario, a console line, a name) stay words in every view: no element, no script.

A hostile view is opened in Chromium, clicked through and looked at: nothing has run, nothing was fetched, and no kind
of element is there that a tame view has not.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from avickit import Machine, MachineView, Stepper, explore
from avickit.lab.trace import load
from avickit.show import html, look
from avickit.show.as_page import page as whole_page
from tests.browser.conftest import Watch
from tests.browser.views import LIVE, VIEWS, Made, made

RUN = "window.owned = (window.owned || 0) + 1"
HOSTILE = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f'<svg onload="{RUN}"><a href="javascript:{RUN}">x</a></svg>',
    f'" onmouseover="{RUN}" autofocus onfocus="{RUN}" x="',
    f"' onclick='{RUN}' y='",
    f"</td></tr></table></pre></details></style></script><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"javascript:{RUN}",
    "&lt;script&gt; &amp;quot; ${7*7} {{7*7}} \\u003cscript\\u003e",
    "]]><!--<script>--><style>*{display:none}</style>",
)
INSIDE = """() => {
    const all = [...document.querySelectorAll('main *')];
    return {
        tags: [...new Set(all.map(e => e.tagName.toLowerCase()))].sort(),
        on: all.flatMap(e => [...e.attributes].filter(a => a.name.startsWith('on')).map(a => a.name)),
        links: all.flatMap(e => [e.getAttribute('href'), e.getAttribute('src')].filter(
            u => u && !/^(#|data:image[/]svg)/.test(u))),
        owned: window.owned ?? 0,
    };
}"""
CLICK_ALL = "() => document.querySelectorAll('main button, main summary, main td, main th').forEach(e => e.click())"


@pytest.fixture
def disk(chromium: Browser, watch: Watch) -> Iterator[Page]:
    """A page for files from disk that notes what it asks for."""
    context = chromium.new_context()
    fresh = context.new_page()
    fresh.on("pageerror", lambda error: watch.errors.append(str(error)))
    context.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else watch.external.append(r.url))
    yield fresh
    context.close()
    watch.assert_quiet()


@pytest.fixture(scope="module")
def tame() -> Made:
    return made()


@pytest.fixture(scope="module")
def hostile() -> Made:
    return made(" ".join(HOSTILE))


def inside(page: Page, file: Path) -> dict[str, object]:
    """What a page has inside, after everything was clicked."""
    page.goto(file.as_uri())
    page.evaluate(CLICK_ALL)
    page.wait_for_timeout(200)
    found: dict[str, object] = page.evaluate(INSIDE)
    return found


@pytest.mark.parametrize("name", LIVE)
def test_a_live_view(name: str, disk: Page, tame: Made, hostile: Made, tmp_path: Path) -> None:
    wanted = inside(disk, VIEWS[name](tame).save(tmp_path / "tame.html"))
    assert (wanted["on"], wanted["links"], wanted["owned"]) == ([], [], 0)
    assert inside(disk, VIEWS[name](hostile).save(tmp_path / "hostile.html")) == wanted
    assert HOSTILE[0] in disk.locator("main").inner_text(), "it is there to be read"


def test_all_static_forms(disk: Page, tame: Made, hostile: Made, tmp_path: Path) -> None:
    files = []
    for name, story in (("tame", tame), ("hostile", hostile)):
        scene = story.scene
        looks = [look(x).html for x in (*scene.pages, scene.b, scene.dom, scene.m.trace, scene.handed, scene.a.exits)]
        forms = "".join([*(view(story).html for view in VIEWS.values()), *looks])
        files.append(tmp_path / f"{name}.html")
        files[-1].write_text(whole_page(story.words, forms, None), encoding="utf-8")
    wanted = inside(disk, files[0])
    assert (wanted["on"], wanted["links"], wanted["owned"]) == ([], [], 0)
    assert inside(disk, files[1]) == wanted
    assert disk.title() == hostile.words


def test_a_trace_from_a_file(disk: Page, tame: Made, hostile: Made, tmp_path: Path) -> None:
    """Beats read from JSON that somebody has edited."""
    text = tame.scene.m.trace.json()
    word = "the guest executes"
    assert word in text
    edited = text.replace(word, "".join(HOSTILE).replace("\\", "\\\\").replace('"', '\\"'))
    pages = []
    for n, source in enumerate((text, edited)):
        pages.append(tmp_path / f"{n}.html")
        pages[-1].write_text(whole_page("x", look(load(source)).html, None), encoding="utf-8")
    assert inside(disk, pages[1]) == inside(disk, pages[0])


def test_a_command_line(disk: Page, tmp_path: Path) -> None:
    """Xen repeats on the console what it does not know of its command line."""
    found = []
    for words in ("an=option", " ".join(HOSTILE)):
        m = Machine(cores=1)
        xen = m.boot(f"svm=avic {words}")
        xen.run(xen.create_domain().vcpus[0], core=0)
        found.append([inside(disk, view.save(tmp_path / "x.html")) for view in (MachineView(m), Stepper(m))])
    assert all((one["on"], one["links"], one["owned"]) == ([], [], 0) for one in found[0])
    assert found[1] == found[0]


SCENARIO = """
format = 1
title = {words}
why = {words}
memory = "tso"
setup = [
  {{ run = "v0", core = 0, say = {words} }}, {{ run = "v1", core = 1 }},
  {{ vcpu = "v1", write = "SVR", value = 0x1FF }},
  {{ vcpu = "v0", write = "ICRH", value = 0x02000000 }}, {{ mark = {words} }},
]
boot = {{ cmdline = "svm=avic", defects = ["X03"] }}
domain = {{ vcpus = 2 }}
race = {{ sleeper = [{{ vcpu = "v1", do = "hlt" }}], sender = [{{ vcpu = "v0", write = "ICRL", value = 0x41 }}] }}
"""


def test_a_scenario_and_what_explore_finds_in_it(disk: Page, tmp_path: Path) -> None:
    """All words of a file that somebody has sent; its own name is one of them."""
    found = []
    for name, words in (("tame", "words"), ("<img src=x onerror=alert(1)>", " ".join(HOSTILE))):
        file = tmp_path / f"{name}.toml"
        file.write_text(SCENARIO.format(words=json.dumps(words)), encoding="utf-8")
        lost = explore(file)
        assert lost.verdict == "lost wake-up"
        shown = [Stepper(scenario=file), Stepper(lost)]
        pages = [inside(disk, view.save(tmp_path / "x.html")) for view in shown]
        (tmp_path / "y.html").write_text(whole_page(words, html(lost), None), encoding="utf-8")
        found.append([*pages, inside(disk, tmp_path / "y.html")])
    assert all((one["on"], one["links"], one["owned"]) == ([], [], 0) for one in found[0])
    assert found[1] == found[0]


def test_the_test_itself_would_notice(disk: Page, tmp_path: Path, watch: Watch) -> None:
    """Without escaping, and without the saved page's policy, each of them but the plain words would have run."""
    file = tmp_path / "x.html"
    file.write_text(f"<!doctype html><main>{HOSTILE[0]}{HOSTILE[1]}</main>", encoding="utf-8")
    found = inside(disk, file)
    assert found["owned"] == 2
    assert found["on"] == ["onerror"]
    watch.errors.clear()
