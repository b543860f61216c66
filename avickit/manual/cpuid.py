"""What CPUID tells about AVIC, and the processors that the kit can be.

Does not model: other CPUID leaves.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from avickit.bits import Bit, Field, Register, Reserved
from avickit.errors import AvicError


class SvmFeatureEdx(Register):
    """SVM features, CPUID Fn8000_000A_EDX. (APM3 E.4.9 p.654; APM2 15.29.7 p.578, H-CPUID-1, H-CPUID-4)"""

    IDLE_HLT_INTERCEPT = Bit(30, "HLT can be intercepted only when no virtual interrupt is pending")
    BUS_LOCK_THRESHOLD = Bit(29, "bus locks can be counted and intercepted")
    NESTED_VIRT_VMCB_ADDR_CHK = Bit(28, "a guest's VMCB address is intercepted before it is checked")
    EXT_LVT_AVIC_ACCESS_CHG = Bit(27, "AVIC lets the guest read the extended LVTs and traps writes (H-MAP-500)")
    IBS_VIRT = Bit(26, "instruction-based sampling for guests")
    VNMI = Bit(25, "virtual NMIs")
    TLBI_CTL = Bit(24, "INVLPGB and TLBSYNC can be granted to a guest")
    HOST_MCE_OVERRIDE = Bit(23, "the host takes machine checks of guests that would not")
    ROGPT = Bit(21, "read-only guest page tables")
    SPEC_CTRL = Bit(20, "SPEC_CTRL of the guest")
    SSS_CHECK = Bit(19, "supervisor shadow stack restrictions")
    X2AVIC = Bit(18, "AVIC for guests in x2APIC mode (H-CPUID-2)")
    GMET = Bit(17, "guest mode execute trap")
    VGIF = Bit(16, "the guest has a global interrupt flag of its own")
    VMSAVE_VIRT = Bit(15, "virtualized VMSAVE and VMLOAD")
    AVIC = Bit(13, "the Advanced Virtual Interrupt Controller (H-CPUID-1)")
    PAUSE_FILTER_THRESHOLD = Bit(12, "PAUSE filter with a threshold")
    PAUSE_FILTER = Bit(10, "PAUSE intercepts can be counted")
    PMC_VIRT = Bit(8, "performance counters for guests")
    DECODE_ASSISTS = Bit(7, "exits come with decoded instructions")
    FLUSH_BY_ASID = Bit(6, "the TLB can be flushed for one guest")
    VMCB_CLEAN = Bit(5, "VMCB clean bits")
    TSC_RATE_MSR = Bit(4, "the guest's time stamp counter can run at another rate")
    NRIPS = Bit(3, "exits save the address of the next instruction")
    SVML = Bit(2, "SVM can be locked")
    LBR_VIRT = Bit(1, "last branch records for guests")
    NP = Bit(0, "nested paging; AVIC needs it")
    RESERVED = Reserved(31, 22, 14, 11, 9)


class SvmFeatureEcx(Register):
    """SVM features, CPUID Fn8000_000A_ECX. (APM3 E.4.9 p.653, H-CPUID-3)"""

    X2AVIC_EXT = Bit(6, "up to 4096 virtual CPUs in x2AVIC mode (H-CPUID-3)")
    RESERVED = Reserved((31, 7), (5, 0))


@dataclass(frozen=True, slots=True)
class CpuModel:
    """A processor: its family and models, and what its CPUID shows. (H-CPUID-5)

    `erratum_1235` says that the part has the erratum (a core may miss that IsRunning was cleared), not that it is
    switched on in a machine.
    """

    name: str
    product: str
    family: int
    models: range
    edx: SvmFeatureEdx
    ecx: SvmFeatureEcx
    physical_address_bits: int
    erratum_1235: bool = False


_NO_ECX: Final = SvmFeatureEcx(0)

# EDX as public CPUID dumps of the named products show it, without bit 11, which is set but not documented. (H-CPUID-5)
CPU_MODELS: Final[dict[str, CpuModel]] = {
    cpu.name: cpu
    for cpu in (
        CpuModel("fam10h", "Opteron 4176 HE", 0x10, range(0x10), SvmFeatureEdx(0x0000_040F), _NO_ECX, 48),
        CpuModel("bulldozer", "FX-8150", 0x15, range(0x10), SvmFeatureEdx(0x0000_14FF), _NO_ECX, 48),
        CpuModel("carrizo", "FX-8800P", 0x15, range(0x60, 0x70), SvmFeatureEdx(0x0001_B4FF), _NO_ECX, 48),
        CpuModel("epyc", "EPYC 7551P", 0x17, range(0x10), SvmFeatureEdx(0x0001_B4FF), _NO_ECX, 48, erratum_1235=True),
        CpuModel("zen4", "EPYC 9124", 0x19, range(0x10, 0x20), SvmFeatureEdx(0x1FBF_B4FF), _NO_ECX, 52),
    )
}


def cpu_model(name: str) -> CpuModel:
    """The processor of that name, in any case. Raises AvicError with the choices. (H-CPUID-5)"""
    found = CPU_MODELS.get(str(name).strip().lower())
    if found is None:
        raise AvicError.of("cpu", name, "one of " + ", ".join(CPU_MODELS))
    return found


_FEATURES: Final[dict[str, tuple[str, Field[Any]]]] = {
    name.replace("_", ""): (register, feature)
    for register, fields in (("edx", SvmFeatureEdx.fields), ("ecx", SvmFeatureEcx.fields))
    for name, feature in fields.items()
}


def has(model: CpuModel | str, feature: str) -> bool:
    """Whether a processor has a feature, by the manual's name in any spelling: "AVIC", "VmcbClean". (H-CPUID-1)

    Raises AvicError naming what was given and what comes near it.
    """
    cpu = cpu_model(model) if isinstance(model, str) else model
    asked = feature.upper().replace("_", "").replace(" ", "")
    if asked not in _FEATURES:
        near = get_close_matches(asked, _FEATURES, n=3, cutoff=0.4)
        raise AvicError.of("SVM feature", feature, f"one of {', '.join(near or _FEATURES)}")
    register, field = _FEATURES[asked]
    return bool(field.of(int(getattr(cpu, register))))
