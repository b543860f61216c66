"""The views in a browser: a page by bit, zoom, the source of a beat, the live form against the static one, and files
that are opened from disk."""

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from avickit import Machine, PageView, Stepper
from avickit.lab.handles import VcpuHandle
from tests.browser.conftest import SECONDS, START_LIMIT, in_kernel, screenshot
from tests.browser.test_live import SCRUB, shown

NORMAL = """([live, wanted]) => {
    const LISTED = ['tabindex', 'class', 'open', 'data-at', 'data-bits', 'data-bit', 'role', 'aria-label'];
    const said = live.querySelector('.avk-said').innerHTML;
    const html = said + live.querySelector('.avk-code').innerHTML + live.querySelector('.avk-sheets').innerHTML;
    const plain = text => {
        const template = document.createElement('template');
        template.innerHTML = text;
        for (const element of template.content.querySelectorAll('*')) {
            for (const name of LISTED) element.removeAttribute(name);
        }
        for (const span of [...template.content.querySelectorAll('span')]) {
            if (!span.attributes.length && !span.childElementCount) span.replaceWith(...span.childNodes);
        }
        template.content.normalize();
        return template.innerHTML;
    };
    return [plain(html), plain(wanted)];
}"""
"""The live form and the static one without what is listed here: where focus can go, what is chosen, what stands open,
and which place an element shows; a span that has only told its bits is its text."""
BEATS = 20


@pytest.fixture
def alone(chromium: Browser) -> Iterator[Page]:
    """A page without a server: files only; it fails on any other request and on any error."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light")
    fresh = context.new_page()
    trouble: list[str] = []
    context.on(
        "request", lambda r: trouble.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None
    )
    fresh.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
    fresh.on("pageerror", lambda error: trouble.append(str(error)))
    yield fresh
    context.close()
    assert trouble == []


def opened(page: Page, file: Path) -> Locator:
    """The live view of a saved file."""
    page.goto(file.as_uri())
    view = page.locator(".avk")
    expect(view).to_be_visible()
    expect(page.locator("#static")).to_be_hidden()
    return view


def prepared() -> Stepper:
    return Stepper(scenario="ipi-descheduled")


def target(stepper: Stepper) -> VcpuHandle:
    """The vCPU that the IPI goes to."""
    xen = stepper.story.machine.xen
    assert xen is not None
    return xen.domains[0].vcpus[1]


def test_the_live_form_is_the_static_form_at_twenty_beats(page: Page, lab_root: Path) -> None:
    page.set_viewport_size({"width": 1280, "height": 1000})
    view = shown(page, lab_root, 60, "s").first
    first, last = (int(view.get_by_role("slider").get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    numbers = [first + (last - first) * i // (BEATS - 1) for i in range(BEATS)]
    told = in_kernel(
        page, f"import json\nt = []\nfor n in {numbers}:\n    s.beat = n\n    t.append(s.html)\nprint(json.dumps(t))"
    )
    for n, wanted in zip(numbers, json.loads(told), strict=True):
        in_kernel(page, f"s.beat = {n}")
        expect(view.locator(".avk-said")).to_contain_text(f"beat {n} ")
        live, static = view.evaluate(f"(live, wanted) => ({NORMAL})([live, wanted])", wanted)
        assert live == static, f"beat {n}"


def test_a_saved_stepper_works_from_disk(alone: Page, tmp_path: Path) -> None:
    stepper = prepared()
    view = opened(alone, stepper.save(tmp_path / "x.html"))
    for n in (stepper.beat, stepper.beat + 1, stepper.beat - 1):
        stepper.beat = n
        alone.keyboard.press("Home")
        view.get_by_role("button", name="find").click()
        view.get_by_role("textbox", name="a beat's number").fill(str(n))
        alone.keyboard.press("Enter")
        alone.keyboard.press("Escape")
        expect(view.locator(".avk-said")).to_contain_text(f"beat {n} ")
        live, static = view.evaluate(f"(live, wanted) => ({NORMAL})([live, wanted])", stepper.html)
        assert live == static
    screenshot(alone, "saved-stepper")


def test_a_saved_file_without_scripts_shows_the_static_form(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    fresh = context.new_page()
    fresh.goto(prepared().save(tmp_path / "x.html").as_uri())
    expect(fresh.locator("#static")).to_contain_text("reads IsRunning in entry 2: 0")
    context.close()


def test_a_page_is_told_by_keyboard_and_by_pointer(alone: Page, tmp_path: Path) -> None:
    view = opened(alone, PageView(target(prepared()).page).save(tmp_path / "x.html"))
    detail = view.locator(".avk-detail")
    expect(detail).to_contain_text("choose a row")
    view.focus()
    for _ in range(3):
        alone.keyboard.press("ArrowDown")
    expect(detail).to_contain_text("TPR")
    expect(detail).to_contain_text("guest write: accelerated")
    expect(detail).to_contain_text("APM2")
    alone.keyboard.press("]")
    expect(detail).to_contain_text("TPR.")
    expect(detail).to_contain_text("= 0000b")
    chosen = detail.inner_text()
    line = view.locator('tr[data-at="200"] [data-bits]').nth(2)
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box
    alone.mouse.move(box["x"] + box["width"] * 1.5 / 39, box["y"] + box["height"] / 2)
    expect(detail).to_contain_text("IRR, vector 41h (65)")
    alone.mouse.move(5, 5)
    expect(detail).to_have_text(chosen, use_inner_text=True)
    screenshot(alone, "page-view")


def test_changes_since_a_beat_are_marked_and_go_again(alone: Page, tmp_path: Path) -> None:
    stepper = prepared()
    view = opened(alone, stepper.save(tmp_path / "x.html"))
    irr = view.locator('.avk-sheets > div > div:nth-child(3) tr[data-at="200"]')
    view.focus()
    alone.keyboard.press("ArrowLeft")
    alone.keyboard.press("ArrowLeft")
    alone.keyboard.press("s")
    alone.keyboard.press("ArrowRight")
    alone.keyboard.press("ArrowRight")
    alone.keyboard.press("ArrowRight")
    expect(view.get_by_role("button", name=f"since {stepper.beat - 2}")).to_have_attribute("aria-pressed", "true")
    expect(irr.locator("mark")).to_have_text("1")
    expect(irr).to_have_class("avk-since")
    alone.keyboard.press("s")
    expect(irr.locator("mark")).to_have_count(0)
    expect(irr).not_to_have_class("avk-since")


def test_any_offset_can_be_looked_at_raw(alone: Page, tmp_path: Path) -> None:
    stepper = prepared()
    view = opened(alone, stepper.save(tmp_path / "x.html"))
    view.focus()
    alone.keyboard.press("r")
    raw = view.get_by_role("group", name="Raw lines")
    raw.get_by_label("page").select_option(label="d1v1 vAPIC page")
    offset = raw.get_by_label("offset")
    offset.fill("210")
    expect(raw.locator(".avk-dump .avk-chosen")).to_have_text("210  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00")
    offset.press("ArrowDown")
    expect(raw.locator(".avk-dump .avk-chosen")).to_have_text("220  02 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00")
    offset.fill("1000")
    expect(raw.get_by_role("status")).to_have_text("an offset is 000 to FFF")
    offset.press("Escape")
    expect(raw).to_be_hidden()


def test_the_timeline_zooms_pans_and_follows(alone: Page, tmp_path: Path) -> None:
    view = opened(alone, prepared().save(tmp_path / "x.html"))
    numbers = view.locator(".avk-number")
    whole = numbers.all_text_contents()
    view.focus()
    for _ in range(3):
        alone.keyboard.press("+")
    near = [int(n) for n in numbers.all_text_contents()]
    assert near[-1] - near[0] < int(whole[-1]) - int(whole[0])
    expect(view.locator(".avk-thumb")).to_have_count(1)
    alone.keyboard.press(">")
    assert int(numbers.first.text_content() or "") > near[0]
    alone.keyboard.press("End")
    expect(view.locator(".avk-plate-text")).to_have_text("432")
    expect(view.locator(".avk-plate-text")).to_be_visible()
    alone.keyboard.press("0")
    assert numbers.all_text_contents() == whole
    strip = view.get_by_role("slider", name="timeline")
    strip.hover()
    alone.keyboard.down("Control")
    alone.mouse.wheel(0, -200)
    alone.keyboard.up("Control")
    expect(view.locator(".avk-thumb")).to_have_count(1)
    view.get_by_role("button", name="all beats (0)").click()
    expect(view.locator(".avk-thumb")).to_have_count(0)


def test_the_source_of_each_beat_is_shown_with_its_line(alone: Page, tmp_path: Path) -> None:
    view = opened(alone, prepared().save(tmp_path / "x.html"))
    code = view.locator(".avk-code")
    expect(code.locator("summary")).to_have_text("source: avickit/silicon/ipi.py: post_to_all, hardware")
    expect(code.locator("pre mark")).to_contain_text("yield READ_RUNNING(target.entry)")
    expect(code.locator("pre mark")).to_be_in_viewport()
    view.focus()
    alone.keyboard.press("ArrowLeft")
    expect(code.locator("pre mark")).to_contain_text("yield SET_IRR")
    code.locator("summary").focus()
    alone.keyboard.press("Enter")
    expect(code.locator("pre")).to_be_hidden()
    alone.keyboard.press("ArrowLeft")
    expect(code.locator("summary")).to_be_focused()
    expect(code.locator("pre")).to_be_hidden()
    alone.keyboard.press("c")
    expect(code.locator("pre")).to_be_visible()


def test_find_by_name_offset_and_vector(alone: Page, tmp_path: Path) -> None:
    view = opened(alone, prepared().save(tmp_path / "x.html"))
    view.focus()
    alone.keyboard.press("Home")
    alone.keyboard.press("/")
    field = view.get_by_role("textbox", name="a beat's number")
    for words, said in (("ICRL", "ICRL"), ("300h", "ICRL"), ("41h", "41h"), ("isrunning", "IsRunning")):
        field.fill(words)
        alone.keyboard.press("Enter")
        expect(view.get_by_role("search").get_by_role("status")).to_contain_text("found: beat")
        expect(view.locator(".avk-said")).to_contain_text(said)
    field.fill("300h")
    alone.keyboard.press("Enter")
    expect(view.locator(".avk-chosen")).to_contain_text("ICRL")
    field.fill("no such words")
    alone.keyboard.press("Enter")
    expect(view.get_by_role("search").get_by_role("status")).to_have_text("in no beat")


def test_tab_leaves_the_view_and_no_key_is_stolen(alone: Page, tmp_path: Path) -> None:
    view = opened(alone, prepared().save(tmp_path / "x.html"))
    view.focus()
    seen = set()
    for _ in range(60):
        alone.keyboard.press("Tab")
        seen.add(alone.evaluate("document.activeElement.closest('.avk') ? 'in' : 'out'"))
        if "out" in seen:
            break
    assert seen == {"in", "out"}


@pytest.mark.parametrize("forced", ["none", "active"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_projector(chromium: Browser, tmp_path: Path, scheme: str, forced: str) -> None:
    """1280 by 720: timeline, sentence, source and the three pages side by side, nothing to scroll to."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
    fresh = context.new_page()
    view = opened(fresh, prepared().save(tmp_path / "x.html"))
    assert fresh.evaluate(
        "document.documentElement.scrollWidth <= 1280 && document.documentElement.scrollHeight <= 720"
    )
    tops = view.locator(".avk-sheets > div > div").evaluate_all("list => list.map(e => e.getBoundingClientRect().top)")
    assert len(tops) == 3
    assert len(set(tops)) == 1, "side by side"
    screenshot(fresh, f"projector-{scheme}-{forced}")
    context.close()


def test_reduced_motion_and_print(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1000, "height": 700}, reduced_motion="reduce")
    fresh = context.new_page()
    view = opened(fresh, prepared().save(tmp_path / "x.html"))
    fresh.emulate_media(media="print")
    expect(view.get_by_role("group", name="Steps")).to_be_hidden()
    expect(view.locator(".avk-said")).to_be_visible()
    moving = view.evaluate(
        "e => [...e.querySelectorAll('*')].some(x => parseFloat(getComputedStyle(x).transitionDuration) > 0)"
    )
    assert not moving
    screenshot(fresh, "print")
    context.close()


def timer_and_ipis(beats: int) -> Stepper:
    """A periodic timer on one vCPU, IPIs to another, until there are so many beats; three pages."""
    m = Machine(cores=4)
    dom = m.boot("svm=avic").create_domain(vcpus=2)
    a, b = dom.vcpus
    assert m.xen
    for core, vcpu in enumerate((a, b)):
        m.xen.run(vcpu, core=core)
        vcpu.guest.write("SVR", 0x1FF)
    first = len(m.trace) + 1
    a.guest.write("TDCR", 0b1011)
    a.guest.write("LVT_TIMER", 1 << 17 | 0xE0)
    a.guest.write("TMICT", 100_000)
    a.guest.write("ICRH", b.apic_id << 24)
    while len(m.trace) - first < beats:
        a.guest.write("ICRL", 0x41)
        b.guest.eoi()
        m.advance(1_000_000)
        a.guest.eoi()
    return Stepper(m, a.page, dom.physical_table, b.page, first=first)


def test_ten_thousand_beats_of_timer_and_ipis(alone: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stepper = timer_and_ipis(10_000)
    assert any(
        "timer" in stepper.story.machine.trace[n].say for n in range(stepper.story.first, stepper.story.first + 2000)
    )
    file = stepper.save(tmp_path / "x.html")
    view = opened(alone, file)
    frames, paints = view.evaluate(SCRUB)
    session = alone.context.new_cdp_session(alone)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(session)
    steps = view.evaluate(STEPS)
    worked = (busy(session) - before) * SECONDS / 200
    for _ in range(6):
        view.get_by_role("button", name="zoom in").click()
    near, _ = view.evaluate(SCRUB)
    size = file.stat().st_size / 1e6
    with capsys.disabled():
        print(
            f"\n{len(stepper.story)} beats of timer and IPIs, three pages, {size:.1f} MB: p95 between frames while "
            f"scrubbing {frames:.1f} ms, to paint {paints:.1f} ms; a key's step to paint {steps:.1f} ms; zoomed in, "
            f"between frames {near:.1f} ms; the page itself works {worked:.1f} ms a step"
        )
    expect(view.locator(".avk-thumb")).to_have_count(1)
    expect(view.locator(".avk-count")).to_contain_text(f"/ {stepper.story.last}")


def busy(session: CDPSession) -> float:
    """The seconds that the page's main thread has worked, whatever else this machine has to do."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


STEPS = """async root => {
    root.focus();
    const times = [];
    for (let i = 0; i < 200; i += 1) {
        const asked = performance.now();
        root.dispatchEvent(new KeyboardEvent('keydown', { key: i % 3 ? 'ArrowRight' : 'PageDown', bubbles: true }));
        await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
        times.push(performance.now() - asked);
    }
    return times.sort((a, b) => a - b)[190];
}"""
"""The 95th percentile of the times from a key to the paint of its step, in ms."""


def test_a_page_that_is_loaded_again_has_its_view_again(page: Page, lab_root: Path) -> None:
    """The notebook is saved, with the static form beside the widget; the kernel still knows the widget and its beat."""
    view = shown(page, lab_root, 60, "s").first
    count = view.locator(".avk-count")
    _, first, *_ = count.inner_text().split()
    view.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(count).to_contain_text(f"beat {int(first) + 3} ")
    said = view.locator(".avk-said").inner_text()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1000)
    stored = nbformat.read(lab_root / "live.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert "vAPIC page" in stored.cells[-1].outputs[0].data["text/html"]
    page.reload()
    page.wait_for_selector(".jp-Notebook", timeout=START_LIMIT * SECONDS)
    again = page.locator(".jp-OutputArea-output .avk .avk-said")
    expect(again).to_have_text(said, use_inner_text=True, timeout=START_LIMIT * SECONDS)
    page.locator(".avk").first.focus()
    page.keyboard.press("ArrowRight")
    expect(again).not_to_have_text(said, use_inner_text=True)
