"""Proofs of X10-1 and X10-2: the statistics."""

import re
from pathlib import Path

import pytest

from avickit.beat import Beats, World
from avickit.lab.handles import VcpuHandle
from avickit.series import p05_vmexit_handlers as p05
from avickit.series import p07_interrupts as p07
from avickit.series import p10_statistics as p10
from avickit.silicon.parts import Core
from avickit.xen.keys import KEYS
from avickit.xen.parts import Vcpu, xen
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import ALL_BUT_SELF, ipi, lab, overlay, poke, skip

DUMP = Path(__file__).parents[2] / "data" / "avic-stats-epyc.txt"


def counts(*vcpus: VcpuHandle) -> list[tuple[int, ...]]:
    """incomp_ipi, noaccel, post_intr, doorbell of each."""
    return [tuple(v.stats[n] for n in ("incomp_ipi", "noaccel", "post_intr", "doorbell")) for v in vcpus]


@proves("X10-1")
def four_counters_per_vcpu(make: Make) -> None:
    """incomp_ipi and noaccel count on the accessor, post_intr and doorbell on the target. (series.md X10-1)"""
    m, xen_, _, (a, b) = lab(make, enable=False)
    assert counts(a, b) == [(0, 0, 0, 0), (0, 0, 0, 0)]
    ipi(a, 0x40, 0x41)
    assert counts(a, b) == [(1, 0, 0, 0), (0, 0, 0, 0)]
    a.guest.write("SVR", 0x1FF)
    b.guest.write("SVR", 0x1FF)
    b.guest.read("TMCCT")
    assert counts(a, b) == [(1, 1, 0, 0), (0, 2, 0, 0)]
    xen_.set_irq(b, 0x41)
    assert counts(a, b) == [(1, 1, 0, 0), (0, 2, 1, 1)]
    b.guest.cli()
    xen_.set_irq(b, 0x52)
    xen_.set_irq(b, 0x52)
    assert counts(a, b) == [(1, 1, 0, 0), (0, 2, 2, 2)]
    xen_.deschedule(b, sync=True)
    xen_.set_irq(b, 0x63)
    assert counts(a, b) == [(1, 1, 0, 0), (0, 2, 3, 2)]
    ipi(a, 0, ALL_BUT_SELF | 0x41)
    assert counts(a, b) == [(2, 1, 0, 0), (0, 2, 3, 2)]
    cells = m.world.objects["avic_stats"][a.vcpu.guest.index]
    for name in ("incomp_ipi", "noaccel"):
        poke(m, getattr(cells, name), 0xFFFF_FFFF)
    ipi(a, 0x40, 0x41)
    a.guest.write("TDCR", 0)
    assert counts(a) == [(0, 0, 0, 0)]


@proves("X10-1", "X10-2")
def key_i_prints_what_the_real_one_does(make: Make) -> None:
    """Key 'i' prints a header, per domain, per vCPU, the four lines, as a dump from hardware has them. (X10-2)"""
    real = DUMP.read_text().splitlines()
    m, xen_, _, vcpus = lab(make, 2)
    shapes = [re.sub(r"\d+", "N", line) for line in real]
    printed = xen_.key("i")
    first = len(printed) - len(real)
    assert [re.sub(r"\d+", "N", line) for line in printed[first:]] == shapes
    assert not any("incomp_ipi" in line for line in xen_.key("v"))
    cells = [m.world.objects["avic_stats"][v.vcpu.guest.index] for v in vcpus]
    numbers = [int(line.split(" = ")[1]) for line in real if " = " in line]
    for n, number in enumerate(numbers):
        poke(m, getattr(cells[n // 4], ("incomp_ipi", "noaccel", "post_intr", "doorbell")[n % 4]), number)
    assert xen_.key("i")[first:] == real


@proves("X10-2")
def one_counter_covers_all_402h_exits(make: Make) -> None:
    """noaccel covers all 402h exits: traps and faults, timer and not. (series.md X10-2)"""
    _, _, _, (a,) = lab(make, 1)
    assert counts(a) == [(0, 1, 0, 0)]
    for name in ("LVT_TIMER", "LDR", "ESR", "VERSION"):
        a.guest.write(name, 1 << 16)
    a.guest.read("APR")
    assert counts(a) == [(0, 6, 0, 0)]


@breaks("X10-1")
def the_target_counts_the_ipi(w: World) -> None:
    def on_all(w: World, v: Vcpu) -> Beats[None]:
        for other in w.objects["vcpus"]:
            yield from p10.count(w, p10.stats(w, other).incomp_ipi)

    overlay(w, p05.count_incomplete_ipi, on_all)


@breaks("X10-1")
def doorbells_are_not_counted(w: World) -> None:
    skip(w, p07.count_doorbell)


@breaks("X10-1")
def every_post_counts(w: World) -> None:
    def each(w: World, core: Core, v: Vcpu, vector: int) -> Beats[None]:
        if w.at[v.page + p07.IRR] >> vector & 1:
            yield from p10.count(w, p10.stats(w, v).post_intr)
        yield from p07.svm_avic_deliver_posted_intr.fn(w, core, v, vector)

    overlay(w, p07.svm_avic_deliver_posted_intr, each)


@breaks("X10-1", patch=True)
def counters_are_wide(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p10, "COUNTER_MASK", (1 << 64) - 1)


@breaks("X10-2", patch=True)
def the_layout_is_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p10, "HEADER", "*** SVM AVIC Stats ***")


@breaks("X10-2", patch=True)
def blanks_are_left_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p10, "LINES", tuple((name, name) for name, _ in p10.LINES))


@breaks("X10-2")
def only_the_timer_counts(w: World) -> None:
    def timer(w: World, v: Vcpu) -> Beats[None]:
        if w.see[v.guest.exits][-1].info1 & 0xFF0 in (0x320, 0x380, 0x3E0):
            yield from p10.count(w, p10.stats(w, v).noaccel)

    overlay(w, p05.count_no_acceleration, timer)


@breaks("X10-1", patch=True)
def key_v_prints_them(patch: pytest.MonkeyPatch) -> None:
    what, dump = KEYS["i"]

    def both(w: World) -> Beats[None]:
        yield from KEYS["v"][1](w)
        yield from p10.avic_dump(w)

    apply = p10.apply

    def on_v(w: World) -> None:
        apply(w)
        xen(w).keys.update(i=(what, dump), v=("dump VMCBs", both))

    patch.setattr(p10, "apply", on_v)
