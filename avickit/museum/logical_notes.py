"""Defects of how the last LDR is remembered: X11, its partial repairs, and what older versions had. (defects.md 1b, 1e)

The published code writes an entry, then looks at the result, then notes the LDR or cleans up. Does not model: the
published types and return codes.
"""

from dataclasses import dataclass

from avickit.beat import LOAD, STORE, Beats, Kind, Site, World
from avickit.museum.logical_entries import publish_entries
from avickit.museum.registry import brings
from avickit.series import logical_table as lt
from avickit.xen.parts import Vcpu, xen

READ_LDR = Site(Kind.READ, LOAD, "X5-6", "Xen d->ldr_reg", "the domain's last LDR, whoever wrote it: {old}")
KEEP_LDR = Site(Kind.UPDATE, STORE, "X5-6", "Xen d->ldr_reg", "the domain's last LDR is {new}")


@dataclass(frozen=True)
class DomainLdr:
    """Per domain: the last LDR that any vCPU wrote. (X41)"""

    last_ldr: int


@brings("X11")
def inverted_and_gated(w: World) -> None:
    """`if (!ret)` clean up, `else if (last)` note: the last LDR is 0 for ever. (X5-6)"""
    w.replace(lt.rewrite, clean_up_on_success, "X11")


def claim(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[bool]:
    """avic_ldr_write(valid): the entries of the LDR; false if it names none. (X5-6)"""
    indices = yield from lt.named(w, ldr, cluster)
    for index in indices:
        yield from lt.claim_entry(w, v, table, index)
    return bool(indices)


def release(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """avic_ldr_write(invalid): the entries of the LDR go; none for LDR 0. (X5-6)"""
    for index in (yield from lt.named(w, ldr, cluster)):
        yield from lt.release_entry(w, v, table, index)


def note_model(w: World, v: Vcpu, cluster: int) -> Beats[int]:
    """The model is noted in any case, as the page's DFR holds it; answers with the last LDR. (X5-6)"""
    last, _ = yield from lt.remembered(w, v)
    yield from lt.remember(w, v, last, cluster)
    return last


def clean_up_on_success(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """Success runs the clean-up of LDR 0, which is nothing; failure would be noted, were the note not 0. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    elif last:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-polarity")
def polarity_only(w: World) -> None:
    """The test is put right, the note is still kept only if there is one: there never is. (X5-6)"""
    w.replace(lt.rewrite, gated_note, "X11-polarity")


def gated_note(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """`if (ret)` clean up, `else if (last)` note. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if not (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    elif last:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-gating")
def gating_only(w: World) -> None:
    """The note is kept without a condition, but in the branch of the failure. (X5-6)"""
    w.replace(lt.rewrite, note_of_the_rejected, "X11-gating")


def note_of_the_rejected(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """`if (!ret)` clean up, `else` note: what is noted was refused. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if (yield from claim(w, v, table, ldr, cluster)):
        yield from release(w, v, table, last, cluster)
    else:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-b1")
def noted_but_not_invalidated(w: World) -> None:
    """`if (ret && last)` clean up, `else` note: the form of A2 and B1. (X5-6)"""
    w.replace(lt.rewrite, note_without_release, "X11-b1")


def note_without_release(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The LDR is noted, also a refused one if none was before; the old entry stays. (X5-6; X11)"""
    last = yield from note_model(w, v, cluster)
    if not (yield from claim(w, v, table, ldr, cluster)) and last:
        yield from release(w, v, table, last, cluster)
    else:
        yield from lt.remember(w, v, ldr, cluster)


@brings("X11-early")
def noted_too_early(w: World) -> None:
    """The note is made before the clean-up that success runs. (X5-6)"""
    w.replace(lt.rewrite, note_then_clean_up, "X11-early")
    publish_entries(w, "X11-early")


def note_then_clean_up(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The clean-up takes the fresh note for the old one, and the fresh entry goes. (X5-6; X11)"""
    done = yield from claim(w, v, table, ldr, cluster)
    yield from lt.remember(w, v, ldr, cluster)
    if done:
        yield from release(w, v, table, ldr, cluster)


@brings("X41")
def ldr_of_the_domain(w: World) -> None:
    """A1 kept the last LDR per domain: a refused LDR of one takes another's entry. (X5-6)"""
    xen(w).domain_fields["domain_ldr"] = DomainLdr
    w.replace(lt.remembered, last_of_anybody, "X41")
    w.replace(lt.remember, note_for_everybody, "X41")
    w.replace(lt.rewrite, note_without_release, "X41")
    publish_entries(w, "X41")


def last_of_anybody(w: World, v: Vcpu) -> Beats[tuple[int, int]]:
    """The domain's last LDR, with this vCPU's model. (X5-6; X41)"""
    ldr = yield READ_LDR(w.objects["domain_ldr"][v.domain.index].last_ldr)
    return ldr, (yield lt.READ_LAST(lt.avic_vcpu(w, v).last_cluster))


def note_for_everybody(w: World, v: Vcpu, ldr: int, cluster: int) -> Beats[None]:
    """The domain's note. (X5-6; X41)"""
    yield KEEP_LDR(w.objects["domain_ldr"][v.domain.index].last_ldr, ldr)
    yield lt.KEEP_LAST(lt.avic_vcpu(w, v).last_cluster, cluster)


@brings("P9")
def never_invalidated(w: World) -> None:
    """The prototypes only ever add entries. (X5-6)"""
    w.replace(lt.rewrite, add_only, "P9")


def add_only(w: World, v: Vcpu, table: int, ldr: int, cluster: int) -> Beats[None]:
    """The old entry stays valid. (X5-6; P9)"""
    yield from claim(w, v, table, ldr, cluster)
    yield from lt.remember(w, v, ldr, cluster)
