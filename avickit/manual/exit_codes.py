"""#VMEXIT codes: why the guest stopped.

Does not model: when an exit happens (`silicon`), how it is handled (`xen`), or exits of encrypted guests.
"""

from avickit.manual.words import Word


class ExitCode(Word):
    """Why the guest stopped: VMCB offset 070h. (APM2 appendix C; 15.29.9 p.580, H-EXIT-1, H-EXIT-2, H-EXIT-3)"""

    VMEXIT_INVALID_PMC = -4, "VMRUN refused the performance counter state"
    VMEXIT_IDLE_REQUIRED = -3, "VMRUN refused: the sibling thread must be idle first"
    VMEXIT_BUSY = -2, "VMRUN refused: the encrypted guest's state is in use"
    VMEXIT_INVALID = -1, "VMRUN refused the VMCB: its contents are not a legal guest state"
    VMEXIT_CR0_READ = 0x00, "the guest reads CR0"
    VMEXIT_CR3_READ = 0x03, "the guest reads CR3"
    VMEXIT_CR4_READ = 0x04, "the guest reads CR4"
    VMEXIT_CR8_READ = 0x08, "the guest reads CR8, the task priority"
    VMEXIT_CR0_WRITE = 0x10, "the guest writes CR0"
    VMEXIT_CR3_WRITE = 0x13, "the guest writes CR3"
    VMEXIT_CR4_WRITE = 0x14, "the guest writes CR4"
    VMEXIT_CR8_WRITE = 0x18, "the guest writes CR8, the task priority"
    VMEXIT_INTR = 0x60, "a physical interrupt for the host arrived"
    VMEXIT_NMI = 0x61, "a physical NMI arrived"
    VMEXIT_SMI = 0x62, "a physical system management interrupt arrived"
    VMEXIT_INIT = 0x63, "a physical INIT arrived"
    VMEXIT_VINTR = 0x64, "the guest could now take a virtual interrupt: the interrupt window is open"
    VMEXIT_CR0_SEL_WRITE = 0x65, "the guest changes CR0 bits other than TS and MP"
    VMEXIT_IDTR_READ = 0x66, "SIDT"
    VMEXIT_GDTR_READ = 0x67, "SGDT"
    VMEXIT_LDTR_READ = 0x68, "SLDT"
    VMEXIT_TR_READ = 0x69, "STR"
    VMEXIT_IDTR_WRITE = 0x6A, "LIDT"
    VMEXIT_GDTR_WRITE = 0x6B, "LGDT"
    VMEXIT_LDTR_WRITE = 0x6C, "LLDT"
    VMEXIT_TR_WRITE = 0x6D, "LTR"
    VMEXIT_RDTSC = 0x6E, "RDTSC"
    VMEXIT_RDPMC = 0x6F, "RDPMC"
    VMEXIT_PUSHF = 0x70, "PUSHF"
    VMEXIT_POPF = 0x71, "POPF"
    VMEXIT_CPUID = 0x72, "CPUID"
    VMEXIT_RSM = 0x73, "RSM"
    VMEXIT_IRET = 0x74, "IRET"
    VMEXIT_SWINT = 0x75, "a software interrupt, INTn"
    VMEXIT_INVD = 0x76, "INVD"
    VMEXIT_PAUSE = 0x77, "PAUSE: the guest spins"
    VMEXIT_HLT = 0x78, "HLT: the guest has nothing to do"
    VMEXIT_INVLPG = 0x79, "INVLPG"
    VMEXIT_INVLPGA = 0x7A, "INVLPGA"
    VMEXIT_IOIO = 0x7B, "access to an I/O port"
    VMEXIT_MSR = 0x7C, "RDMSR (EXITINFO1 = 0) or WRMSR (EXITINFO1 = 1) of a protected MSR"
    VMEXIT_TASK_SWITCH = 0x7D, "a task switch"
    VMEXIT_FERR_FREEZE = 0x7E, "the FPU waits for a legacy floating-point interrupt"
    VMEXIT_SHUTDOWN = 0x7F, "the guest triple-faulted"
    VMEXIT_VMRUN = 0x80, "the guest itself executes VMRUN"
    VMEXIT_VMMCALL = 0x81, "VMMCALL: a call to the hypervisor"
    VMEXIT_VMLOAD = 0x82, "VMLOAD"
    VMEXIT_VMSAVE = 0x83, "VMSAVE"
    VMEXIT_STGI = 0x84, "STGI"
    VMEXIT_CLGI = 0x85, "CLGI"
    VMEXIT_SKINIT = 0x86, "SKINIT"
    VMEXIT_RDTSCP = 0x87, "RDTSCP"
    VMEXIT_ICEBP = 0x88, "ICEBP"
    VMEXIT_WBINVD = 0x89, "WBINVD or WBNOINVD"
    VMEXIT_MONITOR = 0x8A, "MONITOR"
    VMEXIT_MWAIT = 0x8B, "MWAIT"
    VMEXIT_MWAIT_CONDITIONAL = 0x8C, "MWAIT with the monitor armed"
    VMEXIT_XSETBV = 0x8D, "XSETBV"
    VMEXIT_RDPRU = 0x8E, "RDPRU"
    VMEXIT_INVPCID = 0xA2, "INVPCID"
    VMEXIT_BUSLOCK = 0xA5, "too many bus locks"
    VMEXIT_IDLE_HLT = 0xA6, "HLT with no virtual interrupt pending"
    VMEXIT_NPF = 0x400, "nested page fault: EXITINFO1 is the error code, EXITINFO2 the guest physical address"
    AVIC_INCOMPLETE_IPI = 0x401, "hardware could not deliver an interrupt to every target"
    AVIC_NOACCEL = 0x402, "the guest touched an APIC register that hardware does not serve alone"
    VMEXIT_VMGEXIT = 0x403, "an encrypted guest calls the hypervisor"


def exit_code(raw: int) -> int:
    """An EXITCODE as number: an ExitCode where it has a name, else an int; the 64-bit value is signed. (H-VMCB-7)

    -1 is also taken as tools print it, FFFF_FFFFh (32 bits) or with all 64 bits set; so are -2 to -4.
    """
    code = raw & 0xFFFF_FFFF_FFFF_FFFF
    if code >> 63:
        code -= 1 << 64
    elif 0xFFFF_FFFC <= code <= 0xFFFF_FFFF:
        code -= 1 << 32
    try:
        return ExitCode(code)
    except ValueError:
        return code


def exit_name(code: int) -> str:
    """The manual's name of an exit, ranges included: `VMEXIT_CR8_WRITE`, `VMEXIT_EXCP14`. (appendix C, H-EXIT-3)"""
    known = exit_code(code)
    if isinstance(known, ExitCode):
        return known.name
    if 0 <= code < 0x40:
        return f"VMEXIT_{'DR' if code & 0x20 else 'CR'}{code & 0xF}_{'WRITE' if code & 0x10 else 'READ'}"
    if 0x40 <= code < 0x60:
        return f"VMEXIT_EXCP{code - 0x40}"
    return f"{known:#x}"
