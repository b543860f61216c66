"""Proofs of X1-1, X1-2, X2-1 and X3-1: the names that the first three patches bring."""

from dataclasses import replace
from inspect import signature
from typing import Any

import pytest

from avickit.beat import World
from avickit.manual import vmcb_map, vmcb_xen
from avickit.manual.vmcb import AVIC_IGNORES, CleanBits, VIntr
from avickit.series import p01_vmcb_fields as p01
from avickit.series import p02_rename_accessor as p02
from avickit.series import p03_non_static as p03
from avickit.silicon import run
from avickit.xen.parts import link, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import lab, overlay, poke, refused

WORDS = {
    "avic_vapic_bar": 0x98,
    "avic_bk_pg_pa": 0xE0,
    "avic_logical_id_table_pa": 0xF0,
    "avic_physical_id_table_pa": 0xF8,
}
BITS = {"vintr.avic_enable": (0x60, 31), "cleanbits.avic": (0xC0, 11)}


def names(make: Make, patches: int) -> set[str]:
    """The names that struct vmcb_struct has after so many patches."""
    return set(xen(make(patches=patches).world).vmcb_names)


@proves("X1-1")
def patch_1_names_the_avic_fields(make: Make) -> None:
    """Bar 098h, backing page 0E0h, logical 0F0h, physical 0F8h; vintr bit 31; clean bit 11. (series.md X1-1)"""
    before, after = names(make, 0), names(make, 1)
    assert after - before == {*WORDS, *BITS}
    assert not any("avic" in name for name in before)
    for name, offset in WORDS.items():
        assert (vmcb_xen.XEN_NAMES[name].offset, vmcb_xen.XEN_NAMES[name].field) == (offset, None)
    fields: dict[int, Any] = {0x60: VIntr, 0xC0: CleanBits}
    for name, (offset, bit) in BITS.items():
        found = vmcb_xen.XEN_NAMES[name]
        assert (found.offset, fields[offset].fields[found.field].mask) == (offset, 1 << bit)


@breaks("X1-1", patch=True)
def patch_1_forgets_the_clean_bit(patch: pytest.MonkeyPatch) -> None:
    def without(w: World) -> None:
        xen(w).vmcb_names.update({*WORDS, "vintr.avic_enable"})

    patch.setattr(p01, "apply", without)


@breaks("X1-1", patch=True)
def the_tables_change_places(patch: pytest.MonkeyPatch) -> None:
    logical, physical = "avic_logical_id_table_pa", "avic_physical_id_table_pa"
    was = vmcb_xen.XEN_NAMES[logical], vmcb_xen.XEN_NAMES[physical]
    patch.setitem(vmcb_xen.XEN_NAMES, logical, was[1])
    patch.setitem(vmcb_xen.XEN_NAMES, physical, was[0])


@proves("X1-2")
def four_fields_are_marked_as_ignored(make: Make) -> None:
    """The four V_INTR fields that AVIC ignores are marked so, and are ignored. (series.md X1-2, H-VMCB-2)"""
    assert set(vmcb_map.AVIC_IGNORES) == set(AVIC_IGNORES) == {"V_IRQ", "V_INTR_PRIO", "V_IGN_TPR", "V_INTR_VECTOR"}
    for name in AVIC_IGNORES:
        assert "ignored under AVIC" in VIntr.fields[name].doc
    m, _, _, (a,) = lab(make, 1)
    core = m.world.objects["cores"][0]
    marked = VIntr(V_IRQ=1, V_INTR_PRIO=15, V_IGN_TPR=1, V_INTR_VECTOR=0x77)
    poke(m, core.vintr, m.world.at[core.vintr] | marked.value)
    a.guest.nop()
    assert a.guest.taken == {}


@breaks("X1-2", patch=True)
def one_field_is_not_marked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(vmcb_map, "AVIC_IGNORES", AVIC_IGNORES[:-1])


@breaks("X1-2")
def the_core_takes_them_seriously(w: World) -> None:
    def heeded(w: World, core: Any, guest: Any) -> Any:
        latch = w.see[core.latch]
        yield run.SET_IF(core.latch, latch._replace(enabled=False))
        answer = yield from run.virtual_interrupt.fn(w, core, guest)
        yield run.SET_IF(core.latch, latch)
        return answer

    overlay(w, run.virtual_interrupt, heeded)


@proves("X2-1")
def the_reader_gets_the_writers_convention(make: Make) -> None:
    """vlapic_read_aligned(vlapic, offset) becomes vlapic_reg_read(vcpu, offset). (series.md X2-1)"""
    old, new = make(patches=1).world, make(patches=2).world
    assert link(old, "vlapic_read_aligned", "vlapic.c") is link(new, "vlapic_reg_read", "vlapic.c")
    for w, name in ((old, "vlapic_reg_read"), (new, "vlapic_read_aligned")):
        assert "no such function" in refused(link, w, name, "vlapic.c")
    reader, writer = (signature(link(new, f"vlapic_reg_{verb}", "vlapic.c")) for verb in ("read", "write"))
    assert list(reader.parameters) == list(writer.parameters)[:-1]
    assert [str(p) for p in reader.parameters.values()] == [str(p) for p in writer.parameters.values()][:-1]


@breaks("X2-1", patch=True)
def both_names_stay(patch: pytest.MonkeyPatch) -> None:
    def added(w: World) -> None:
        xen(w).symbols["vlapic_reg_read"] = xen(w).symbols["vlapic_read_aligned"]

    patch.setattr(p02, "apply", added)


@breaks("X2-1", patch=True)
def the_writer_comes_instead(patch: pytest.MonkeyPatch) -> None:
    def wrong(w: World) -> None:
        symbols = xen(w).symbols
        symbols.pop("vlapic_read_aligned")
        symbols["vlapic_reg_read"] = symbols["vlapic_reg_write"]

    patch.setattr(p02, "apply", wrong)


@proves("X3-1")
def both_become_visible(make: Make) -> None:
    """Both become visible outside vlapic.c; the handlers of patch 5 call them. (series.md X3-1)"""
    before, after = make(patches=2).world, make(patches=3).world
    for name in ("vlapic_reg_read", "vlapic_reg_write"):
        assert "static in vlapic.c" in refused(link, before, name, "avic.c")
        assert refused(link, after, name, "avic.c") == ""
    make(patches=5)


@breaks("X3-1", patch=True)
def one_of_them_stays_static(patch: pytest.MonkeyPatch) -> None:
    def half(w: World) -> None:
        p03_symbol = xen(w).symbols["vlapic_reg_read"]
        xen(w).symbols["vlapic_reg_read"] = replace(p03_symbol, static=False)

    patch.setattr(p03, "apply", half)
