"""The figures: what they tell is what the trace has; alt text and twin say it; the picture is the same every time."""

import base64
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from avickit import AvicError, Machine
from avickit.show.figures import Figure, exits_by_cause, ppr_over_time, sequence
from avickit.show.figures.inks import HATCHES, ORDER, ink
from avickit.show.figures.stable import stable
from tests.show.scene import Scene, play
from tests.show.test_forms import ATTRIBUTES, HOSTILE, LIMIT, TAGS, Inspector


@pytest.fixture(scope="module")
def slept() -> Scene:
    return played()


def played() -> Scene:
    """An IPI taken and ended; the target sleeps, is sent another one, and runs again."""
    scene = play()
    scene.b.guest.eoi()
    scene.b.guest.hlt()
    scene.a.guest.write("ICRL", 0x42)
    assert scene.m.xen
    scene.m.xen.run(scene.b, core=1)
    return scene


def drawn(figure: Figure) -> str:
    """The SVG in the figure's HTML."""
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', figure.html)
    assert source
    return base64.b64decode(source[1]).decode()


def figures(scene: Scene) -> list[Figure]:
    m = scene.m
    return [sequence(m, first=scene.start + 1), exits_by_cause(m), ppr_over_time(m, scene.b, first=scene.start + 1)]


class TestSequence:
    def test_an_ipi_is_told_by_its_arrows_in_order(self, slept: Scene) -> None:
        text = sequence(slept.m, first=slept.start + 1, last=slept.handed.n + 20).text
        found = [line.split("  ")[1:] for line in re.sub(r" {2,}", "  ", text).splitlines()[1:]]
        assert [(way, what) for _, way, what, *_ in found] == [
            ("core 0 -> d1v0 page", "ICRH = 2000000h"),
            ("core 0 -> d1v0 page", "ICRL = 41h"),
            ("core 0 -> d1v1 page", "IRR +41h"),
            ("core 0 -> core 1", "doorbell"),
            ("core 1 -> d1v1 page", "IRR -41h"),
            ("core 1 -> d1v1 page", "ISR +41h"),
            ("core 1 -> d1v1 page", "EOI: ISR -41h"),
        ]
        assert [rule for *_, rule in found][2:4] == ["H-IPI-5", "H-BELL-1"]

    def test_exits_and_entries_stay_on_their_line(self, slept: Scene) -> None:
        text = sequence(slept.m, first=slept.handed.n + 20).text
        assert re.search(r"core 0 -> core 0 +#VMEXIT AVIC_INCOMPLETE_IPI", text)
        assert re.search(r"core 1 -> core 1 +VMRUN: guest mode", text)

    def test_every_arrow_is_a_beat_of_the_trace(self, slept: Scene) -> None:
        for line in sequence(slept.m, first=slept.start + 1).text.splitlines()[1:]:
            number, actor = line.split()[0], " ".join(line.split()[1:3]).split(" ->")[0]
            assert slept.m.trace[int(number)].actor == actor

    def test_without_avic_the_same_ipi_has_exits_in_its_way(self) -> None:
        m = Machine(cores=2)
        xen = m.boot("", patches=0)
        a, b = xen.create_domain(vcpus=2).vcpus
        for core, vcpu in enumerate((a, b)):
            xen.run(vcpu, core=core)
            vcpu.guest.write("SVR", 0x1FF)
        a.guest.write("ICRH", b.apic_id << 24)
        a.guest.write("ICRL", 0x41)
        text = sequence(m).text
        assert "#VMEXIT VMEXIT_NPF" in text
        assert "interrupt" in text
        assert "doorbell" not in text

    def test_many_arrows_are_cut_and_it_says_so(self) -> None:
        scene = played()
        for vector in range(0x50, 0x56):
            scene.b.guest.eoi()
            scene.a.guest.write("ICRL", vector)
        figure = sequence(scene.m, first=scene.start)
        assert len(figure.text.splitlines()[1:]) == 20
        assert re.search(r"the first 20 of \d+ arrows", figure.title)
        assert len(figure.html) <= LIMIT

    @pytest.mark.parametrize("reach", [{"first": 0}, {"first": 9, "last": 3}, {"last": 10**6}])
    def test_beats_that_are_not_there_are_refused(self, slept: Scene, reach: dict[str, int]) -> None:
        with pytest.raises(AvicError, match="beats from 1 to"):
            sequence(slept.m, **reach)

    def test_a_stretch_without_arrows_is_refused(self, slept: Scene) -> None:
        with pytest.raises(AvicError, match="ring, exit or enter"):
            sequence(slept.m, first=1, last=1)


class TestExits:
    def test_a_machine_is_counted_by_vcpu(self, slept: Scene) -> None:
        assert [int(n) for n in exits_by_cause(slept.m).text.splitlines()[-1].split()[2:]] == [
            slept.a.exit_count,
            slept.b.exit_count,
        ]
        assert "All exits: d1v0 2, d1v1 2." in exits_by_cause(slept.m).alt

    def test_more_exits_than_a_vcpu_remembers_are_all_counted(self) -> None:
        m = Machine(cores=1)
        xen = m.boot("svm=avic")
        v = xen.create_domain().vcpus[0]
        xen.run(v, core=0)
        for _ in range(300):
            v.guest.write("SVR", 0x1FF)
        assert len(v.exits) == 256
        assert re.search(r"AVIC_NOACCEL +300", exits_by_cause(m).text)

    def test_runs_are_bars_beside_each_other(self, slept: Scene) -> None:
        figure = exits_by_cause(without_AVIC=slept.a.exits * 3, with_AVIC=())
        assert "without AVIC 6, with AVIC 0" in figure.alt
        assert "without AVIC" in drawn(figure)
        assert "no exit at all" in exits_by_cause(nothing=()).alt
        assert drawn(exits_by_cause(nothing=()))

    def test_neither_both_and_too_many_are_refused(self, slept: Scene) -> None:
        with pytest.raises(AvicError, match="a machine, or runs by name"):
            exits_by_cause()
        with pytest.raises(AvicError, match="a machine, or runs by name"):
            exits_by_cause(slept.m, more=())
        with pytest.raises(AvicError, match="runs: 9 given, expected 1 to 8"):
            exits_by_cause(None, **dict.fromkeys([f"r{n}" for n in range(9)], slept.a.exits))
        with pytest.raises(AvicError, match="complete recording"):
            exits_by_cause(Machine(cores=1, record=False))


class TestPpr:
    def test_the_steps_are_those_of_the_page(self, slept: Scene) -> None:
        lines = ppr_over_time(slept.m, slept.b, first=slept.start + 1).text.splitlines()[2:]
        assert [line.split()[2] for line in lines] == ["00h", "40h", "00h", "40h"]
        for line in lines[1:]:
            beat = slept.m.trace[int(line.split()[0])]
            assert (beat.place, beat.time) == ("d1v1 vAPIC page PPR", int(line.split()[1]))
            assert f"{beat.new:02X}h" == line.split()[2]

    def test_it_says_which_vectors_can_interrupt(self, slept: Scene) -> None:
        text = ppr_over_time(slept.m, slept.b, first=slept.start + 1).text
        assert "vectors from 50h can interrupt" in text

    def test_strangers_are_refused(self, slept: Scene, ipi: Scene) -> None:
        with pytest.raises(AvicError, match="vCPU: d1v1 given, expected one of this machine's"):
            ppr_over_time(slept.m, ipi.b)
        with pytest.raises(AvicError, match="beats from 1 to"):
            ppr_over_time(slept.m, slept.b, first=0)


class TestForm:
    def test_each_has_alt_text_a_twin_and_a_picture(self, slept: Scene) -> None:
        for figure in figures(slept):
            seen = Inspector(figure.table)
            assert seen.tags <= TAGS
            assert seen.attributes <= ATTRIBUTES
            assert figure.html.count("<img ") == 1
            assert f'alt="{figure.alt}"' in figure.html.replace("&#x27;", "'")
            assert "<details>" in figure.html
            assert len(figure.alt) > 40
            assert len(figure.html) <= LIMIT
            ElementTree.fromstring(drawn(figure))
            assert set(figure._repr_mimebundle_()) == {"text/plain", "text/html"}

    def test_the_twin_says_what_the_text_says(self, slept: Scene) -> None:
        for figure in figures(slept):
            words = Inspector(figure.table).words
            for line in figure.text.splitlines()[2:]:
                for word in re.split(r" {2,}| *-> *", line.strip()):
                    assert word in words

    def test_it_is_the_same_every_time(self, slept: Scene) -> None:
        code = "from tests.show.test_figures import *; print([f.html for f in figures(played())])"
        runs = [
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
            ).stdout
            for seed in ("1", "2")
        ]
        assert runs[0] == runs[1] == f"{[figure.html for figure in figures(slept)]}\n"

    def test_what_versions_of_matplotlib_do_differently_is_made_the_same(self) -> None:
        older = '<g id="PolyCollection_1"><text style="font: 700 9px \'DejaVu Sans\'" x="72" y="190.998437" '
        newer = '<g id="Fill_1"><text style="font-weight: 700; font-size: 9px; font-family: \'DejaVu Sans\'" x="72" '
        newer += 'y="190.997656" '
        turned = 'transform="rotate(-0 72 190.997656)">7.5%</text></g>'
        assert stable(f"<!-- a -->{older}{turned}") == stable(f"{newer}{turned}")
        assert '"191"' in stable(newer)
        one, other = (f'<path id="{i}"/><use xlink:href="#{i}" fill="url(#{i})"/>' for i in ("mab12", "mff"))
        assert stable(one) == stable(other) == '<path id="i0"/><use xlink:href="#i0" fill="url(#i0)"/>'

    def test_it_saves_itself(self, slept: Scene, tmp_path: Path) -> None:
        figure = ppr_over_time(slept.m, slept.b)
        assert figure.save(tmp_path / "x.svg").read_text(encoding="utf-8") == figure.svg
        assert figure.save(tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
        assert figure.html in figure.save(tmp_path / "x.html").read_text(encoding="utf-8")
        with pytest.raises(AvicError, match="a name that ends in"):
            figure.save(tmp_path / "x.jpg")
        with pytest.raises(AvicError, match="No such file"):
            figure.save(tmp_path / "missing" / "x.svg")

    def test_without_matplotlib_the_twin_is_left(self, slept: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        figure = exits_by_cause(slept.m)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert figure.table in figure.html
        assert "<img" not in figure.html
        with pytest.raises(AvicError, match="needs matplotlib"):
            _ = figure.figure

    def test_importing_them_is_light(self) -> None:
        code = "import sys, avickit.show.figures; print({'matplotlib', 'numpy'} & set(sys.modules))"
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
        )

    def test_no_hue_comes_twice_nor_a_pattern(self) -> None:
        assert len({ink(i) for i in range(len(ORDER))}) == len(ORDER) == len(set(HATCHES)) == len(HATCHES)

    def test_text_from_elsewhere_is_escaped(self, slept: Scene) -> None:
        figure = exits_by_cause(None, **{HOSTILE: slept.a.exits})
        assert "<script" not in figure.html
        assert "<script" not in drawn(figure)
        assert figure.html.count("<img ") == 1
        ElementTree.fromstring(drawn(figure))
