"""Where each APIC register lies, and every name by which people call it.

Does not model: who may touch it (`manual.apic`).
"""

from difflib import get_close_matches
from typing import Final

from avickit.errors import AvicError


class Offset:
    """Offsets in the vAPIC backing page, which are those of the APIC page itself. (APM2 Table 15-22 p.566, H-REG-1)

    A register is the first four bytes of its 16-byte slot; accesses to the other twelve are undefined. (H-REG-5)
    """

    ID: Final = 0x020
    VERSION: Final = 0x030
    TPR: Final = 0x080
    APR: Final = 0x090
    PPR: Final = 0x0A0
    EOI: Final = 0x0B0
    RRR: Final = 0x0C0
    LDR: Final = 0x0D0
    DFR: Final = 0x0E0
    SVR: Final = 0x0F0
    ISR: Final = 0x100
    TMR: Final = 0x180
    IRR: Final = 0x200
    ESR: Final = 0x280
    ICRL: Final = 0x300
    ICRH: Final = 0x310
    LVT_TIMER: Final = 0x320
    LVT_THERMAL: Final = 0x330
    LVT_PERF: Final = 0x340
    LVT_LINT0: Final = 0x350
    LVT_LINT1: Final = 0x360
    LVT_ERROR: Final = 0x370
    TMICT: Final = 0x380
    TMCCT: Final = 0x390
    TDCR: Final = 0x3E0
    SELF_IPI: Final = 0x3F0
    EXT_FEATURE: Final = 0x400
    EXT_CONTROL: Final = 0x410
    SEOI: Final = 0x420
    IER: Final = 0x480
    EXT_LVT: Final = 0x500


BANKS: Final = {"ISR": 8, "TMR": 8, "IRR": 8, "IER": 8, "EXT_LVT": 4}  # registers of several words, 10h apart (H-REG-7)
NAMES: Final[dict[str, int]] = {n: v for n, v in vars(Offset).items() if n.isupper()}  # the name of each offset
_BANK_WORDS: Final = {f"{n}{i}": NAMES[n] + 0x10 * i for n, count in BANKS.items() for i in range(count)}
_ELSEWHERE: Final = {  # what Xen and Linux call them, without their prefix APIC_, and short forms
    "LVR": Offset.VERSION,
    "TASKPRI": Offset.TPR,
    "ARBPRI": Offset.APR,
    "PROCPRI": Offset.PPR,
    "SPIV": Offset.SVR,
    "ICR": Offset.ICRL,
    "ICR2": Offset.ICRH,
    "LVTT": Offset.LVT_TIMER,
    "LVTTHMR": Offset.LVT_THERMAL,
    "LVTPC": Offset.LVT_PERF,
    "LVT0": Offset.LVT_LINT0,
    "LVT1": Offset.LVT_LINT1,
    "LINT0": Offset.LVT_LINT0,
    "LINT1": Offset.LVT_LINT1,
    "LVTERR": Offset.LVT_ERROR,
    "EFEAT": Offset.EXT_FEATURE,
    "ECTRL": Offset.EXT_CONTROL,
} | {f"EILVT{i}": Offset.EXT_LVT + 0x10 * i for i in range(4)}
_CALLED: Final = NAMES | _BANK_WORDS | _ELSEWHERE
_AT: Final = {v: n for n, v in (_BANK_WORDS | NAMES).items()}


def offset_of(register: str | int) -> int:
    """The offset of a register, by any of its names or as a number: "ICRL", "apic_icr", "IRR2", "0x300", "300h", 0x300.

    Raises AvicError naming what was given and what comes near it. (H-REG-1)
    """
    if isinstance(register, int) and not isinstance(register, bool):
        offset = register
    elif isinstance(register, str):
        name = register.strip().upper().replace("-", "_").replace(" ", "_")
        if (known := _CALLED.get(name.removeprefix("APIC_"))) is not None:
            return known
        try:
            offset = int(name[:-1] if name.endswith("H") else name, 16) if name[:1].isdigit() else -1
        except ValueError:
            offset = -1
        if offset < 0 or not (name.startswith("0X") or name.endswith("H")):
            near = get_close_matches(name.removeprefix("APIC_"), _CALLED, n=3, cutoff=0.5)
            hint = f"; near it: {', '.join(near)}" if near else ""
            raise AvicError.of("APIC register", register, f'a name such as ICRL, or an offset such as "0x300"{hint}')
    else:
        raise AvicError.of("APIC register", register, "a name or an offset")
    if not 0 <= offset <= 0xFFF:
        raise AvicError.of("offset in the APIC page", f"{offset:#x}", "0..0xfff")
    return offset


def name_of(offset: int) -> str:
    """The name of the register at an offset: "ICRL", "IRR2" for 220h, or the offset itself where there is none."""
    return _AT.get(offset, f"{offset:#05x}")


X2APIC_MSRS: Final = range(0x800, 0x900)  # the MSRs of the x2APIC interface (H-REG-8)
SELF_IPI_MSR: Final = 0x83F  # (H-REG-8)
NO_MSR: Final = {Offset.DFR: "DFR", Offset.RRR: "Remote Read"}  # registers that x2APIC mode does not have (H-REG-8)


def msr_of(register: str | int) -> int:
    """The x2APIC MSR of a register: 800h + (offset >> 4); both halves of the ICR are MSR 830h.

    Raises AvicError for DFR and Remote Read, which have none. (APM2 16.11.1 p.657, H-REG-8)
    """
    offset = offset_of(register) & ~0xF
    if offset in NO_MSR:
        raise AvicError.of("x2APIC MSR", NO_MSR[offset], "a register that x2APIC mode has")
    return 0x830 if offset == Offset.ICRH else 0x800 + (offset >> 4)


def offset_of_msr(msr: int) -> int:
    """The offset in the page that an x2APIC MSR stands for; 830h gives ICRL, whose high half is ICRH. (H-REG-8)

    Raises AvicError outside 800h..8FFh and for the numbers of DFR, Remote Read and ICRH, which are no MSRs.
    """
    offset = (msr - 0x800) << 4
    if msr not in X2APIC_MSRS or offset in NO_MSR or offset == Offset.ICRH:
        raise AvicError.of("x2APIC MSR", f"{msr:#x}", "0x800..0x8ff without 0x80c, 0x80e and 0x831")
    return offset
