"""Beats, exits and registers in words."""

import pytest

from avickit.data import path
from avickit.errors import AvicError
from avickit.lab import stats
from avickit.manual.exits import ExitCode
from avickit.manual.icr import ICRL
from avickit.manual.vectors import Vectors
from avickit.show import html, look, tally, text
from avickit.show.beats import MOST_BEATS, change_text
from avickit.silicon.parts import Exit
from tests.show.scene import Scene


def test_a_beat_tells_all_it_knows(ipi: Scene) -> None:
    told = text(ipi.handed)
    for part in (f"beat {ipi.handed.n}", "core 0", "UPDATE", "d1v1 vAPIC page IRR", "no vector -> 41h", "H-IPI-5"):
        assert part in told
    assert ipi.handed.say in told
    assert ipi.handed.cite in told
    assert str(look(ipi.handed)) == told


def test_a_read_shows_one_value(ipi: Scene) -> None:
    read = next(b for b in ipi.m.trace.where(rule="H-IPI-1") if b.place.endswith("ICRH"))
    assert change_text(read) == "2000000h"


def test_a_state_that_is_no_number_is_not_spelled_out(ipi: Scene) -> None:
    noted = ipi.m.trace.where(place="d1v0 exits")[0]
    assert change_text(noted) == "0 -> set"
    assert change_text(noted._replace(old=())) == "nothing -> set"


def test_a_listing_has_a_line_for_each_beat(ipi: Scene) -> None:
    lines = str(look(ipi.m.trace, since=ipi.start)).splitlines()
    assert lines[0] == f"beats {ipi.start + 1} to {len(ipi.m.trace)} of {len(ipi.m.trace)}"
    assert len(lines) == 1 + len(ipi.m.trace) - ipi.start
    assert str(ipi.handed.n) in lines[ipi.handed.n - ipi.start]


def test_a_long_listing_says_what_it_leaves_out(ipi: Scene) -> None:
    lines = str(look(ipi.m.trace, since=0)).splitlines()
    assert len(lines) == MOST_BEATS + 2
    assert f"... {len(ipi.m.trace) - MOST_BEATS} beats not shown ..." in lines[1 + MOST_BEATS // 2]
    assert len(str(look(ipi.m.trace)).splitlines()) == MOST_BEATS + 1, "by itself a trace shows its end"


def test_an_empty_stretch_says_so(ipi: Scene) -> None:
    assert str(look(ipi.m.trace, since=len(ipi.m.trace))) == "no beat"


def test_a_list_of_beats_is_a_listing(ipi: Scene) -> None:
    signals = ipi.m.trace.where(kind="SIGNAL")
    assert str(look(signals)).count("SIGNAL") == len(signals)


def test_exits_are_read_aloud(ipi: Scene) -> None:
    told = str(look(ipi.a.exits))
    assert "AVIC_NOACCEL" in told
    assert "The guest wrote SVR" in told
    assert str(look(())) == "no exit"


def test_a_refused_entry_gives_its_reason() -> None:
    refused = Exit(ExitCode.VMEXIT_INVALID, reason="MAX_INDEX 300 above 255")
    assert "MAX_INDEX 300 above 255." in str(look(refused))
    assert "MAX_INDEX 300 above 255." in html(refused)


def test_exits_side_by_side() -> None:
    npf, intr = Exit(ExitCode.VMEXIT_NPF), Exit(ExitCode.VMEXIT_INTR)
    lines = str(tally(without_AVIC=[npf, npf, intr], with_AVIC=[])).splitlines()
    assert lines[0].split() == ["without", "AVIC", "with", "AVIC"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["VMEXIT_INTR", "1", "0"],
        ["VMEXIT_NPF", "2", "0"],
        ["all", "exits", "3"],
    ]


def test_a_register_shows_each_field_with_its_meaning() -> None:
    shown = html(ICRL(0x41))
    for name, field in ICRL.fields.items():
        assert name in shown
        assert field.where in shown
    assert text(ICRL(0x41)) == "0x00000041 (VECTOR=0x41)"


def test_a_set_of_vectors_lists_them() -> None:
    assert "41h, 52h" in html(Vectors.of(0x52, 0x41))


def test_reserved_bits_are_shown() -> None:
    assert "RESERVED" in html(ICRL.raw(1 << 31))


def test_statistics_are_summed(ipi: Scene) -> None:
    dump = stats.parse(path("avic-stats-epyc.txt").read_text())
    told = str(look(dump))
    assert "d1v1               2,565     233,061     115,765         771" in told
    assert told.splitlines()[-1].split() == ["all", "5,675", "469,536", "231,941", "1,486"]
    for number in ("5,675", "469,536"):
        assert number in html(dump)
    many = {1: {v: stats.Counters(1, 2, 3, 4) for v in range(40)}}
    assert "... 24 more" in html(many)
    assert str(look(many)).splitlines()[-1].split() == ["all", "40", "80", "120", "160"]
    assert "noaccel" in text(ipi.dom), "a domain shows its own, from patch 10 on"


def test_the_form_of_a_look_is_the_look(ipi: Scene) -> None:
    seen = look(ipi.b.page)
    assert html(seen) == seen.html
    assert text(seen) == repr(seen)
    with pytest.raises(AvicError, match="a page, table, VMCB"):
        html("a page")
