"""What is on a sheet is what the page holds: every value, every change, nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from avickit.errors import AvicError
from avickit.manual.apic import MAP, Access, filter_for
from avickit.show import look
from avickit.show.apic import GROUPS, LETTERS, VECTORS
from avickit.show.model import Row
from avickit.show.moment import Moment, moment, past
from avickit.show.sheets import sheet
from avickit.show.writing import digits, vectors
from tests.show.scene import Scene, filled, play


def rows_of(m: Moment, page: Any, *, raw: bool = False) -> dict[str, Row]:
    return {row.name: row for row in sheet(m, page, raw=raw).rows()}


def test_every_register_of_the_map_has_a_group() -> None:
    named = [name for _, names in GROUPS for name in names] + list(VECTORS)
    assert sorted(named) == sorted({row.name for row in MAP})


def test_values_are_those_of_the_page(ipi: Scene) -> None:
    rows = rows_of(moment(ipi.m), ipi.b.page)
    assert rows["SVR"].value == ipi.b.page["SVR"] == 0x1FF
    assert rows["ISR"].value == 1 << 0x41
    assert rows["PPR"].value == 0x40
    assert [(p.name, p.value) for p in rows["PPR"].parts] == [("PRIORITY", 4), ("SUBCLASS", 0)]


def test_letters_are_those_of_the_access_filter(ipi: Scene) -> None:
    rows = rows_of(moment(ipi.m), ipi.b.page)
    for name, letters in {"ID": "A/T", "TPR": "A/X", "APR": "F/F", "EOI": "A/X|T", "ICRH": "A/A", "IRR": "A/F"}.items():
        assert rows[name].access == letters
    for offset in range(0, 0x1000, 0x10):
        assert all(filter_for(offset, write) in LETTERS for write in (False, True))
    assert set(LETTERS) <= set(Access)


def test_only_what_changed_is_marked(ipi: Scene) -> None:
    """Against the places of the World, over every beat of the IPI."""
    for n in range(ipi.start + 1, len(ipi.m.trace) + 1):
        now, before = ipi.m.trace.state(n), ipi.m.trace.state(n - 1)
        for page in (ipi.a.page, ipi.b.page):
            changed = {i for i in range(512) if now[page.place + i] != before[page.place + i]}
            found = {row.offset >> 4 for row in sheet(moment(ipi.m, n), page).rows() if row.changed}
            assert found == changed


def test_a_look_back_equals_a_fork(ipi: Scene) -> None:
    fork = ipi.m.fork(ipi.handed.n)
    assert fork.xen
    theirs = fork.xen.domains[0].vcpus[1]
    seen = sheet(moment(ipi.m, ipi.handed.n), ipi.b.page)
    there = sheet(moment(fork, ipi.handed.n), theirs.page)
    assert seen == there
    assert str(look(ipi.b, beat=ipi.handed.n)) == str(look(theirs))
    assert str(look(ipi.m, beat=ipi.handed.n)) == str(look(fork, beat=ipi.handed.n))


def test_looking_back_leaves_the_machine_alone(ipi: Scene) -> None:
    before = ipi.m.world.at.copy()
    look(ipi.a.page, ipi.b, ipi.m, ipi.dom, beat=ipi.handed.n)
    assert ipi.m.world.at == before
    assert past(moment(ipi.m)) is ipi.m


def test_the_beat_that_only_looks_is_pointed_at(ipi: Scene) -> None:
    looked = next(b for b in ipi.m.trace.where(rule="H-IPI-4") if b.kind == "CHECK")
    [row] = [r for r in sheet(moment(ipi.m, looked.n), ipi.dom.physical_table).rows() if r.mark != " "]
    assert (row.mark, row.name) == (">", "2")


def test_without_a_beat_the_last_command_counts(ipi: Scene) -> None:
    rows = rows_of(moment(ipi.m), ipi.a.page)
    assert rows["ICRL"].changed == 0x41
    assert not rows["ICRH"].changed, "that was the command before"
    assert rows_of(moment(ipi.m, since=ipi.start), ipi.a.page)["ICRH"].changed == 2 << 24


def test_a_machine_without_recording_shows_the_present() -> None:
    from avickit import Machine

    m = Machine(cores=1, record=False)
    xen = m.boot("svm=avic")
    dom = xen.create_domain()
    xen.run(dom.vcpus[0], core=0)
    dom.vcpus[0].guest.write("TPR", 0x20)
    assert "0000_0020" in str(look(dom.vcpus[0].page))
    with pytest.raises(AvicError, match="complete recording"):
        look(dom.vcpus[0].page, beat=1)


def test_an_entry_that_does_not_run_shows_its_left_over_in_brackets() -> None:
    scene = play()
    scene.b.guest.eoi()
    scene.b.guest.hlt()
    text = str(look(scene.dom.physical_table))
    assert "IS_RUNNING=0*" in text
    assert "HOST_APIC_ID=(1)" in text


def test_avic_words_of_a_vmcb_are_always_there(ipi: Scene) -> None:
    from avickit import Machine

    m = Machine(cores=1)
    vmcb = m.boot("").create_domain().vcpus[0].vmcb
    told = {row.name for group in sheet(moment(m), vmcb).groups for row in group.told}
    assert {"VINTR", "APIC_BAR", "BACKING_PAGE", "LOGICAL_TABLE", "PHYSICAL_TABLE", "CLEAN"} <= told
    assert "AVIC_NOACCEL" in str(look(ipi.b.vmcb)), "the exit code by name"


def test_raw_is_the_page_as_memory_holds_it(ipi: Scene) -> None:
    rows = {row.offset: row for row in sheet(moment(ipi.m), ipi.b.page, raw=True).rows()}
    assert rows[0x0F0].value == 0x1FF
    assert rows[0x120].value == 2, "vector 41h is bit 1 of the third word"
    table = {row.offset: row.value for row in sheet(moment(ipi.m), ipi.dom.physical_table, raw=True).rows()}
    assert table[0x10] | table[0x14] << 32 == ipi.dom.physical_table[2]


def test_a_full_page_is_told_in_part_and_says_so(ipi: Scene) -> None:
    full = filled(ipi, ipi.dom.logical_table.place, [1 << 31 | i for i in range(256)], [0] * 256)
    text = str(sheet(full, ipi.dom.logical_table).groups[0].cut)
    assert int(text) > 200
    assert f"{text} more of Entries" in look_text(full, ipi.dom.logical_table)


def look_text(m: Moment, page: Any) -> str:
    from avickit.show.as_text import sheet_text

    return sheet_text(sheet(m, page))


def test_values_are_grouped_by_sixteen_bits() -> None:
    assert digits(0x2000041, 32) == "0200_0041"
    assert digits(0xC000000000008001, 64) == "C000_0000_0000_8001"
    assert digits(0, 16) == "0000"
    assert vectors([]) == ""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: look(), "nothing given"),
        (lambda s: look(17), "17 given"),
        (lambda s: look(s.b.page, beat=10**6), "beat"),
        (lambda s: look(s.b.page, beat=5, since=9), "since: 9 given"),
        (lambda s: look(s.b.page, since=-1), "since: -1 given"),
    ],
)
def test_what_cannot_be_looked_at_is_named(ipi: Scene, call: Callable[[Scene], object], said: str) -> None:
    with pytest.raises(AvicError, match=said):
        call(ipi)
