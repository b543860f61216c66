"""Detection: what CPUID tells, and which processors have AVIC. H-CPUID."""

from dataclasses import replace
from typing import Any

import pytest

from avickit.beat import Beats, Do, World
from avickit.manual import cpuid
from avickit.manual.cpuid import CPU_MODELS, CpuModel, SvmFeatureEcx, SvmFeatureEdx, has
from avickit.silicon import ipi, vmrun
from avickit.silicon.deliver import IRR
from avickit.silicon.guest import read
from tests.proofs.frame import Make, breaks, proves
from tests.proofs.xen_tools import overlay
from tests.silicon.bench import AVIC, INTR_MASKING, X2AVIC, Bench, dirty

NPF, INVALID = 0x400, -1


def other_cpu(b: Bench, **change: Any) -> None:
    """The bench's processor, with something changed."""
    b.w.objects["cpu"] = [replace(b.w.objects["cpu"][0], **change)]


@proves("H-CPUID-1")
def avic_is_bit_13_of_edx(make: Make) -> None:
    """Fn8000_000A_EDX bit 13 = AVIC; without it AVIC Enable enables nothing. (APM2 15.29.7, H-CPUID-1)"""
    for name, cpu in CPU_MODELS.items():
        assert has(name, "AVIC") == bool(int(cpu.edx) >> 13 & 1)
    for edx, served in ((1 << 13 | 1, True), (1, False), (1 << 12 | 1 << 14 - 3 | 1, False)):
        b = Bench(make, 1)
        other_cpu(b, edx=SvmFeatureEdx.raw(edx))
        b.run(0)
        b.do(0, read("ID"))
        assert (b.codes(0) == []) == served
        assert served or b.codes(0) == [NPF]


@breaks("H-CPUID-1", patch=True)
def avic_is_bit_12(patch: pytest.MonkeyPatch) -> None:
    """Software looks at the bit beside it."""
    patch.setitem(cpuid._FEATURES, "AVIC", ("edx", SvmFeatureEdx.PAUSE_FILTER_THRESHOLD))


@proves("H-CPUID-2")
def x2avic_is_bit_18_of_edx(make: Make) -> None:
    """Fn8000_000A_EDX bit 18 = x2AVIC. (APM2 15.29.10, H-CPUID-2)"""
    for name, cpu in CPU_MODELS.items():
        assert has(name, "x2AVIC") == bool(int(cpu.edx) >> 18 & 1)
    assert [n for n in CPU_MODELS if has(n, "x2AVIC")] == ["zen4"]
    assert SvmFeatureEdx(1 << 18).X2AVIC == 1


@breaks("H-CPUID-2", patch=True)
def x2avic_is_bit_13(patch: pytest.MonkeyPatch) -> None:
    """Every CPU with AVIC is taken to have x2AVIC."""
    patch.setitem(cpuid._FEATURES, "X2AVIC", ("edx", SvmFeatureEdx.AVIC))


@proves("H-CPUID-3")
def x2avic_ext_is_bit_6_of_ecx(make: Make) -> None:
    """Fn8000_000A_ECX bit 6 = x2AVIC_EXT: up to 4096 vCPUs in x2AVIC mode, 512 without. (APM3 E.4.9, H-CPUID-3)"""
    assert SvmFeatureEcx(1 << 6).X2AVIC_EXT == 1
    for ecx, most, refused_for_size in ((0, 511, False), (0, 512, True), (1 << 6, 512, False), (1 << 6, 4095, False)):
        b = Bench(make, 1, cpu="zen4")
        other_cpu(b, ecx=SvmFeatureEcx(ecx))
        b.set_vmcb(0, 0x060, AVIC | X2AVIC | INTR_MASKING)
        b.set_max_index(most)
        failed = b.vmrun(0)
        assert failed is not None
        assert ("above" in failed.reason) == refused_for_size, failed.reason


@breaks("H-CPUID-3", patch=True)
def x2avic_ext_is_another_bit(patch: pytest.MonkeyPatch) -> None:
    """The extension is never seen."""
    patch.setitem(cpuid._FEATURES, "X2AVICEXT", ("edx", SvmFeatureEdx.SVML))


@proves("H-CPUID-4")
def what_else_the_leaf_tells(make: Make) -> None:
    """EDX 0 NP, 5 VmcbClean, 6 FlushByAsid, 7 DecodeAssists, 16 VGIF, 25 VNMI, 27 ExtLvtAvicAccessChg, 30 IdleHlt.

    Bit 27 changes the access filter, bit 5 gives the clean bits their meaning. (APM3 E.4.9, H-CPUID-4)
    """
    bits = {"NP": 0, "VmcbClean": 5, "FlushByAsid": 6, "DecodeAssists": 7, "VGIF": 16, "VNMI": 25}
    bits |= {"ExtLvtAvicAccessChg": 27, "IdleHltIntercept": 30}
    base = CPU_MODELS["epyc"]
    for name, bit in bits.items():
        assert has(replace(base, edx=SvmFeatureEdx.raw(1 << bit)), name), name
        assert not has(replace(base, edx=SvmFeatureEdx.raw(~(1 << bit))), name), name
    for cpu, old_value in (("fam10h", False), ("bulldozer", True)):
        b = Bench(make, 1, avic=False, cpu=cpu)
        b.run(0)
        b.leave(0)
        b.set_vmcb(0, 0x060, INTR_MASKING | 9, clean=0x1FFF)
        assert b.vmrun(0) is None
        assert b.cr8(0) == (0 if old_value else 9), "without VmcbClean the clean bits mean nothing"
    for cpu, exits in (("epyc", [0x402]), ("zen4", [])):
        b = Bench(make, 1, cpu=cpu)
        b.run(0)
        b.do(0, read(0x500))
        assert b.codes(0) == exits


@breaks("H-CPUID-4", patch=True)
def vgif_and_vnmi_are_mixed_up(patch: pytest.MonkeyPatch) -> None:
    """VGIF is taken from bit 25."""
    patch.setitem(cpuid._FEATURES, "VGIF", ("edx", SvmFeatureEdx.VNMI))


@breaks("H-CPUID-4", patch=True)
def clean_bits_hold_everywhere(patch: pytest.MonkeyPatch) -> None:
    """A CPU without VmcbClean looks at the clean bits all the same."""
    patch.setattr(vmrun, "has", lambda cpu, feature: feature == "VMCB_CLEAN" or has(cpu, feature))


@proves("H-CPUID-5")
def who_has_avic(make: Make) -> None:
    """AVIC from Family 15h models 60h-6Fh and Family 17h on, x2AVIC from Zen 4 on.

    (the series' cover letter, Linux KVM, H-CPUID-5)
    """
    table = {
        "fam10h": (0x10, False, False),
        "bulldozer": (0x15, False, False),
        "carrizo": (0x15, True, False),
        "epyc": (0x17, True, False),
        "zen4": (0x19, True, True),
    }
    assert {n: (c.family, has(n, "AVIC"), has(n, "x2AVIC")) for n, c in CPU_MODELS.items()} == table
    assert CPU_MODELS["carrizo"].models == range(0x60, 0x70)
    assert not set(CPU_MODELS["bulldozer"].models) & set(CPU_MODELS["carrizo"].models)
    for name, (_, avic, _) in table.items():
        b = Bench(make, 1, cpu=name)
        b.run(0)
        b.do(0, read("ID"))
        assert b.codes(0) == ([] if avic else [NPF])


@proves("H-CPUID-5")
def erratum_1235_is_off_unless_asked_for(make: Make) -> None:
    """Family 17h has erratum 1235: an IRR write that is no barrier. An option, off by default.

    (the series' cover letter, Linux KVM, H-CPUID-5)
    """
    assert [n for n, c in CPU_MODELS.items() if c.erratum_1235] == ["epyc"]
    for errata, locked in (((), True), ((1235,), False)):
        b = Bench(make, errata=errata)
        b.run(0)
        b.ipi(0, 1, 0x41)
        kinds = [d.do for d in b.beats if d.place == b.slot(1, "IRR")]
        assert kinds == ([Do.OR] if locked else [Do.LOAD, Do.STORE])
        assert b.irr(1) == {0x41}, "alone, it does no harm"


@breaks("H-CPUID-5", patch=True)
def bulldozer_has_avic(patch: pytest.MonkeyPatch) -> None:
    """All of Family 15h is taken to have AVIC."""
    old: CpuModel = CPU_MODELS["bulldozer"]
    patch.setitem(CPU_MODELS, "bulldozer", replace(old, edx=SvmFeatureEdx(int(old.edx) | 1 << 13)))


@breaks("H-CPUID-5")
def the_erratum_is_always_on(w: World) -> None:
    """The IRR write is a read and a write on every machine."""

    def accept_ipi(w: World, page: int, vector: int) -> Beats[None]:
        yield from dirty(page + IRR, 1 << vector)

    overlay(w, ipi.accept_ipi, accept_ipi)
