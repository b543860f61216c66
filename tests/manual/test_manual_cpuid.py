"""CPUID bits and the processors of the kit."""

import pytest

from avickit.errors import AvicError
from avickit.manual.cpuid import CPU_MODELS, SvmFeatureEcx, SvmFeatureEdx, cpu_model, has

# Linux's cpufeatures.h, word 15 (CPUID Fn8000_000A_EDX), and AMD's names of the rest.
EDX = {
    "NP": 0,
    "LBR_VIRT": 1,
    "SVML": 2,
    "NRIPS": 3,
    "TSC_RATE_MSR": 4,
    "VMCB_CLEAN": 5,
    "FLUSH_BY_ASID": 6,
    "DECODE_ASSISTS": 7,
    "PMC_VIRT": 8,
    "PAUSE_FILTER": 10,
    "PAUSE_FILTER_THRESHOLD": 12,
    "AVIC": 13,
    "VMSAVE_VIRT": 15,
    "VGIF": 16,
    "GMET": 17,
    "X2AVIC": 18,
    "SSS_CHECK": 19,
    "SPEC_CTRL": 20,
    "ROGPT": 21,
    "HOST_MCE_OVERRIDE": 23,
    "TLBI_CTL": 24,
    "VNMI": 25,
    "IBS_VIRT": 26,
    "EXT_LVT_AVIC_ACCESS_CHG": 27,
    "NESTED_VIRT_VMCB_ADDR_CHK": 28,
    "BUS_LOCK_THRESHOLD": 29,
    "IDLE_HLT_INTERCEPT": 30,
}


def test_feature_bits() -> None:
    """H-CPUID-1 H-CPUID-2 H-CPUID-3 H-CPUID-4"""
    assert {name: field.msb for name, field in sorted(SvmFeatureEdx.fields.items(), key=lambda f: f[1].msb)} == EDX
    assert SvmFeatureEcx.X2AVIC_EXT.msb == 6


@pytest.mark.parametrize(
    ("name", "family", "avic", "x2avic", "erratum", "bits"),
    [
        ("fam10h", 0x10, False, False, False, 48),
        ("bulldozer", 0x15, False, False, False, 48),
        ("carrizo", 0x15, True, False, False, 48),
        ("epyc", 0x17, True, False, True, 48),
        ("zen4", 0x19, True, True, False, 52),
    ],
)
def test_who_has_avic(name: str, family: int, avic: bool, x2avic: bool, erratum: bool, bits: int) -> None:
    """H-CPUID-5"""
    cpu = cpu_model(name.upper())
    assert (cpu.name, cpu.family, cpu.erratum_1235, cpu.physical_address_bits) == (name, family, erratum, bits)
    assert (has(cpu, "AVIC"), has(cpu, "x2AVIC"), has(cpu, "x2avic_ext")) == (avic, x2avic, False)
    assert has(name, "NP"), "AVIC needs nested paging, and all of them have it"


def test_carrizo_is_late_family_15h() -> None:
    """H-CPUID-5: models 60h to 6Fh."""
    assert CPU_MODELS["carrizo"].models == range(0x60, 0x70)
    assert 0x01 in CPU_MODELS["bulldozer"].models


# EDX of the named products in public CPUID dumps.
DUMPS = {"fam10h": 0x0000040F, "bulldozer": 0x000014FF, "carrizo": 0x0001BCFF, "epyc": 0x0001BCFF, "zen4": 0x1FBFBCFF}


@pytest.mark.parametrize("name", DUMPS)
def test_features_are_those_of_the_dumps(name: str) -> None:
    """H-CPUID-4 H-CPUID-5: all but bit 11, which no manual names."""
    assert int(cpu_model(name).edx) == DUMPS[name] & ~(1 << 11)
    assert str(SvmFeatureEdx.raw(DUMPS["zen4"])).endswith("NP=1, RESERVED[11]!)")


def test_features_by_any_spelling() -> None:
    assert has("epyc", "VmcbClean")
    assert has("zen4", "ExtLvtAvicAccessChg")
    assert has("zen4", "idle_hlt_intercept") is False


def test_unknown_names_are_told_the_choices() -> None:
    with pytest.raises(AvicError, match=r"cpu: zen9 given, expected one of fam10h, bulldozer, carrizo, epyc, zen4"):
        cpu_model("zen9")
    with pytest.raises(AvicError, match="cpu: 7 given"):
        cpu_model(7)  # type: ignore[arg-type]
    with pytest.raises(AvicError, match=r"SVM feature: AVIK given, expected one of .*AVIC"):
        has("epyc", "AVIK")
