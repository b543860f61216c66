"""Who is meant by an interrupt command: shorthand, physical ID, logical ID; and who of several is the least busy.

The emulation asks the registers of each *target*, where the hardware asks its tables (H-IPI-12).
Does not model: focus processors.
"""

from avickit.beat import LOAD, STORE, Beats, Kind, Op, Site, World
from avickit.bits import Bits, Register
from avickit.manual.apic import ApicId, Dfr, Ldr, Offset
from avickit.manual.icr import ICRH, ICRL, X2ICRH, DestinationMode, Shorthand
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, printk, vcpus_of
from avickit.xen.vlapic_state import READ_BASE, ApicBase, at, vlapic_enabled, vlapic_get_ppr

X2_MODE = ApicBase.EXTD.mask
FLAT, CLUSTER = Dfr.MODEL.mask | Dfr.ONES.mask, Dfr.ONES.mask
"""The two values of DFR that Xen knows, all 32 bits of them. (X0-5)"""


class LogicalId(Register, width=8):
    """A logical ID, and a logical destination, in cluster model. (APM2 16.6.1 p.647, X0-5)"""

    CLUSTER = Bits(7, 4, "which cluster")
    MEMBERS = Bits(3, 0, "a bit for each of its members")


class X2LogicalId(Register):
    """A logical ID, and a logical destination, in x2APIC mode. (APM2 15.29.10 p.583, H-X2-2)"""

    CLUSTER = Bits(31, 16, "which cluster")
    MEMBERS = Bits(15, 0, "a bit for each of its members")


READ_ID = Site(Kind.CHECK, LOAD, "X0-5", "Xen vlapic_match_dest", "is it the target's ID? {place} is {old}")
READ_LDR = Site(Kind.CHECK, LOAD, "X0-5a", "Xen vlapic_match_logical_addr", "reads the target's LDR: {old}")
READ_DFR = Site(Kind.CHECK, LOAD, "X0-5a", "Xen vlapic_match_logical_addr", "flat or cluster? its DFR is {old}")
READ_LAST = Site(Kind.READ, LOAD, "X0-5", "Xen vlapic_lowest_prio", "which vCPU took the last one? {old}")
SET_LAST = Site(Kind.UPDATE, STORE, "X0-5", "Xen vlapic_lowest_prio", "vCPU {new} takes it, and is last next time")


@Op
def vlapic_destination(w: World, core: Core, v: Vcpu, icrh: int) -> Beats[int]:
    """The destination in ICRH, by the mode of the *sender*: bits 31:24, all 32 in x2APIC mode. (X0-5, H-REG-8)"""
    x2apic = (yield READ_BASE(v.cells.apic_base)) & X2_MODE
    return X2ICRH.DESTINATION.of(icrh) if x2apic else ICRH.DESTINATION.of(icrh)


@Op
def matches(w: World, target: Vcpu, source: Vcpu, icrl: int, dest: int) -> Beats[bool]:
    """Whether the ICR's shorthand, or its destination in its mode, means this target. (X0-5)"""
    low = ICRL.raw(icrl)
    logical = low.DESTINATION_MODE == DestinationMode.LOGICAL
    return (yield from vlapic_match_dest(w, target, source, low.DESTINATION_SHORTHAND, dest, logical))


@Op
def vlapic_match_dest(w: World, target: Vcpu, source: Vcpu, shorthand: int, dest: int, logical: bool) -> Beats[bool]:
    """Whether an interrupt from `source` is meant for `target`; `shorthand` is the number in ICRL 19:18. (X0-5)"""
    itself = target.guest.index == source.guest.index
    if shorthand == Shorthand.NONE:
        match = vlapic_match_logical_addr if logical else vlapic_match_physical_id
        return (yield from match(w, target, dest))
    return shorthand == Shorthand.ALL or itself == (shorthand == Shorthand.SELF)


@Op
def vlapic_match_physical_id(w: World, target: Vcpu, dest: int) -> Beats[bool]:
    """The target's ID register, or the broadcast ID of the target's mode: FFh, FFFF_FFFFh in x2APIC mode. (X0-5)"""
    x2apic = (yield READ_BASE(target.cells.apic_base)) & X2_MODE
    apic_id = yield READ_ID(at(target, Offset.ID))
    if x2apic:
        return dest in (X2ICRH.DESTINATION.max, apic_id)
    return dest in (ICRH.DESTINATION.max, ApicId.ID.of(apic_id))


@Op
def vlapic_match_logical_addr(w: World, target: Vcpu, dest: int) -> Beats[bool]:
    """The target's LDR, read by the target's DFR; FFh is no broadcast here. (X0-5, X0-5a, X44)"""
    x2apic = (yield READ_BASE(target.cells.apic_base)) & X2_MODE
    ldr = yield READ_LDR(at(target, Offset.LDR))
    if x2apic:
        return in_cluster(X2LogicalId.raw(ldr), X2LogicalId.raw(dest))
    own, dest = Ldr.LOGICAL_ID.of(ldr), LogicalId.raw(dest).value
    dfr = yield READ_DFR(at(target, Offset.DFR))
    if dfr == FLAT:
        return bool(own & dest)
    if dfr == CLUSTER:
        return in_cluster(LogicalId(own), LogicalId(dest))
    yield from printk(w, f"(XEN) {target.name}: DFR {dfr:08x} is neither flat nor cluster")
    return False


def in_cluster(own: LogicalId | X2LogicalId, dest: LogicalId | X2LogicalId) -> bool:
    """The same cluster, and a member's bit in common. (X0-5, H-X2-2)"""
    return own.CLUSTER == dest.CLUSTER and bool(own.MEMBERS & dest.MEMBERS)


@Op
def vlapic_lowest_prio(
    w: World, core: Core, source: Vcpu, shorthand: int, dest: int, logical: bool
) -> Beats[Vcpu | None]:
    """Of the matching, enabled vCPUs the one with the lowest PPR; on a tie the first after the last one. (X0-5)"""
    vcpus, cell = vcpus_of(w, source.domain), source.domain.cells.last_lowest
    start = (yield READ_LAST(cell)) + 1
    found, lowest = None, 0
    for v in vcpus[start:] + vcpus[:start]:
        if not (yield from vlapic_match_dest(w, v, source, shorthand, dest, logical)):
            continue
        if not (yield from vlapic_enabled(w, core, v)):
            continue
        ppr = yield from vlapic_get_ppr(w, core, v)
        if found is None or ppr < lowest:
            found, lowest = v, ppr
    if found is not None:
        yield SET_LAST(cell, found.vcpu_id)
    return found
