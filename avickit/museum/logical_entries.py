"""Defects of what stands in the logical APIC ID table: which entries an LDR names, whose they are. (defects.md 1b, 1e)

Does not model: the published types and return codes.
"""

from avickit.beat import Beats, World
from avickit.museum.registry import brings
from avickit.series import logical_table as lt
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu

MEMBERS = 0xF


@brings("X15")
def ldr_0_is_an_error(w: World) -> None:
    """avic_handle_ldr_update fails for LDR 0. (X5-6)"""
    w.replace(lt.no_logical_id, cannot_handle, "X15")


def cannot_handle(w: World, core: Core, v: Vcpu) -> Beats[bool]:
    """A legal write is reported as unhandleable. (X5-6; X15)"""
    return False
    yield


def publish_entries(w: World, by: str) -> None:
    """An entry is what the last writer made of it."""
    w.replace(lt.claim_entry, overwrite_entry, by)
    w.replace(lt.release_entry, empty_entry, by)


@brings("X16")
def one_bit_one_owner(w: World) -> None:
    """ffs: only the lowest bit is entered; equal LDRs overwrite one entry. (X5-6)"""
    w.replace(lt.named, lowest_bit, "X16")
    publish_entries(w, "X16")


def lowest_bit(w: World, ldr: int, cluster: int) -> Beats[tuple[int, ...]]:
    """The first of the entries that the LDR names. (X5-6, H-TAB-3; X16)"""
    return lt.entries((yield from lt.looked_up(w, ldr, cluster)), cluster)[:1]


def overwrite_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """The later claim wins. (X5-6; X16)"""
    yield lt.WRITE_ENTRY(table + index, lt.entry_for(v))


def empty_entry(w: World, v: Vcpu, table: int, index: int) -> Beats[None]:
    """Invalid, whoever else wants it. (X5-6; X16)"""
    yield lt.WRITE_ENTRY(table + index, 0)


@brings("X20")
def no_hook_on_init(w: World) -> None:
    """INIT and restore tell the tables nothing. (X5-6)"""
    w.replace(lt.avic_vlapic_reset, init_unnoticed, "X20")


def init_unnoticed(w: World, core: Core, v: Vcpu) -> Beats[None]:
    """LDR in the page is 0, the entry stays valid. (X5-6; X20)"""
    return
    yield


@brings("P1")
def every_cluster_is_cluster_0(w: World) -> None:
    """(mda & 0xf0) >> 8 is always 0. (H-TAB-3)"""
    w.replace(lt.looked_up, cluster_0, "P1")


def cluster_0(w: World, ldr: int, cluster: int) -> Beats[int]:
    """The cluster's number is lost: all share the first entries. (X5-6, H-TAB-3; P1)"""
    return ldr & MEMBERS if cluster else ldr
    yield
