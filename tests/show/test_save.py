"""What leaves the notebook: one HTML file without addresses, a picture as SVG and PNG; the same every time."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from avickit.errors import AvicError
from avickit.show import PageView, Stepper
from avickit.show.drawing import reach, wide, wrapped
from tests.show.scene import Scene, play
from tests.show.test_forms import HOSTILE

PNG = b"\x89PNG\r\n\x1a\n"
KB = 1000


@pytest.fixture
def stepper(ipi: Scene) -> Stepper:
    return Stepper(ipi.m, ipi.a.page, ipi.dom.physical_table, ipi.b.page, first=ipi.start + 1, beat=ipi.handed.n)


@pytest.mark.parametrize("ending", [".html", ".svg", ".png"])
def test_saved_twice_it_is_the_same_file(stepper: Stepper, tmp_path: Path, ending: str) -> None:
    one, other = (stepper.save(tmp_path / f"{name}{ending}") for name in ("one", "other"))
    again = play()
    third = Stepper(again.m, again.a.page, again.dom.physical_table, again.b.page, first=again.start + 1)
    third.beat = again.handed.n
    assert one.read_bytes() == other.read_bytes() == third.save(tmp_path / f"third{ending}").read_bytes()


def test_the_page_asks_for_nothing_and_holds_the_static_form(stepper: Stepper, tmp_path: Path) -> None:
    text = stepper.save(tmp_path / "x.html").read_text("utf-8")
    assert stepper.html in text
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|<iframe|<img|src=|@import|url\((?!#)", text.replace(HOSTILE, ""))
    assert "default-src 'none'" in text
    assert str(Path.cwd()) not in text


def test_the_picture_is_a_picture(stepper: Stepper, tmp_path: Path) -> None:
    tree = ElementTree.fromstring(stepper.save(tmp_path / "x.svg").read_text("utf-8"))
    words = " ".join(tree.itertext())
    assert "IRR" in words
    assert stepper.story.frame(stepper.beat).beat.rule in words
    content = stepper.save(tmp_path / "x.png").read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 10 * KB


def test_without_matplotlib_a_png_is_refused_clearly(
    stepper: Stepper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(AvicError, match=r"a \.png needs matplotlib"):
        stepper.save(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("name", ["x", "x.gif", "x.htm", "html"])
def test_other_endings_are_refused(stepper: Stepper, tmp_path: Path, name: str) -> None:
    with pytest.raises(AvicError, match=r"file: .* given, expected a name that ends in \.html, \.svg, \.png"):
        stepper.save(tmp_path / name)


def test_a_place_that_cannot_be_written_is_named(stepper: Stepper, tmp_path: Path) -> None:
    with pytest.raises(AvicError, match="No such file"):
        stepper.save(tmp_path / "nowhere" / "x.html")


def test_words_of_strangers_stay_text(tmp_path: Path) -> None:
    scene = play()
    pages = scene.m.world.page_names
    pages.update({page: (f"</script>{HOSTILE}", kind) for page, (_, kind) in pages.items()})
    view = Stepper(scene.m, scene.b.page)
    view.title = f"</title></script>{HOSTILE}"
    text = view.save(tmp_path / "x.html").read_text("utf-8")
    assert text.count("</script>") == 2, "the data and the module end once each"
    assert "<img src=x" not in text
    assert ElementTree.fromstring(view.save(tmp_path / "x.svg").read_text("utf-8")) is not None
    assert view.save(tmp_path / "x.png").read_bytes().startswith(PNG), "no formula is tried"


def test_every_kind_of_page_and_any_view_is_a_picture(ipi: Scene, tmp_path: Path) -> None:
    for page in ipi.pages:
        view = PageView(page)
        words = " ".join(ElementTree.fromstring(view.save(tmp_path / "x.svg").read_text("utf-8")).itertext())
        for group in view.sheet.groups:
            for row in group.told:
                assert row.name in words, f"{view.title}: {row.name}"


def test_the_picture_of_a_stepper_has_its_lanes(stepper: Stepper, tmp_path: Path) -> None:
    words = " ".join(ElementTree.fromstring(stepper.save(tmp_path / "x.svg").read_text("utf-8")).itertext())
    for said in ("core 0", "core 1", "d1v0", "d1v1", "guest mode", "doorbell", str(stepper.beat)):
        assert said in words


def test_all_that_is_drawn_lies_within_the_picture(stepper: Stepper, ipi: Scene) -> None:
    for drawing in (stepper.drawing(), *(PageView(page).drawing() for page in ipi.pages)):
        for item in drawing.items:
            right, bottom = reach(item)
            assert 0 <= right <= drawing.width + 1
            assert 0 <= bottom <= drawing.height + 1


def test_text_is_wrapped_at_blanks_and_nothing_is_lost() -> None:
    text = "one two three " + "x" * 50
    lines = wrapped(text, 100, 12)
    assert all(wide(line, 12) <= 100 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
