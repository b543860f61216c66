"""The intercept words of the VMCB: what makes the guest stop.

Does not model: the decision itself (`silicon`).
"""

from avickit.bits import Bit, Bits, Register, Reserved


class InterceptCrDr(Register, width=64):
    """Intercepts of control and debug registers, VMCB 000h; bit n of a field is register n. (Table B-1 p.736-739)"""

    DR_WRITE = Bits(63, 48, "intercept writes of DR0 to DR15")
    DR_READ = Bits(47, 32, "intercept reads of DR0 to DR15")
    CR_WRITE = Bits(31, 16, "intercept writes of CR0 to CR15")
    CR_READ = Bits(15, 0, "intercept reads of CR0 to CR15")


class InterceptExceptionsMisc1(Register, width=64):
    """Intercepts of exceptions (VMCB 008h) and of interrupts and instructions (00Ch). (Table B-1 p.736-739)"""

    EXCEPTIONS = Bits(31, 0, "intercept exception vectors 0 to 31")
    INTR = Bit(32, "intercept physical maskable interrupts")
    NMI = Bit(33, "intercept NMI")
    SMI = Bit(34, "intercept SMI")
    INIT = Bit(35, "intercept INIT")
    VINTR = Bit(36, "intercept virtual maskable interrupts: the interrupt window")
    CR0_SEL_WRITE = Bit(37, "intercept CR0 writes that change bits other than TS and MP")
    IDTR_READ = Bit(38, "intercept SIDT")
    GDTR_READ = Bit(39, "intercept SGDT")
    LDTR_READ = Bit(40, "intercept SLDT")
    TR_READ = Bit(41, "intercept STR")
    IDTR_WRITE = Bit(42, "intercept LIDT")
    GDTR_WRITE = Bit(43, "intercept LGDT")
    LDTR_WRITE = Bit(44, "intercept LLDT")
    TR_WRITE = Bit(45, "intercept LTR")
    RDTSC = Bit(46, "intercept RDTSC")
    RDPMC = Bit(47, "intercept RDPMC")
    PUSHF = Bit(48, "intercept PUSHF")
    POPF = Bit(49, "intercept POPF")
    CPUID = Bit(50, "intercept CPUID")
    RSM = Bit(51, "intercept RSM")
    IRET = Bit(52, "intercept IRET")
    SWINT = Bit(53, "intercept INTn")
    INVD = Bit(54, "intercept INVD")
    PAUSE = Bit(55, "intercept PAUSE")
    HLT = Bit(56, "intercept HLT")
    INVLPG = Bit(57, "intercept INVLPG")
    INVLPGA = Bit(58, "intercept INVLPGA")
    IOIO_PROT = Bit(59, "intercept the I/O ports chosen by the map at IOPM_BASE_PA")
    MSR_PROT = Bit(60, "intercept the MSRs chosen by the map at MSRPM_BASE_PA")
    TASK_SWITCH = Bit(61, "intercept task switches")
    FERR_FREEZE = Bit(62, "intercept the wait for a legacy floating-point interrupt")
    SHUTDOWN = Bit(63, "intercept shutdown")


class InterceptMisc2(Register, width=64):
    """More intercepts: VMCB 010h and 014h. (Table B-1 p.736-739)"""

    VMRUN = Bit(0, "intercept VMRUN; must be 1")
    VMMCALL = Bit(1, "intercept VMMCALL")
    VMLOAD = Bit(2, "intercept VMLOAD")
    VMSAVE = Bit(3, "intercept VMSAVE")
    STGI = Bit(4, "intercept STGI")
    CLGI = Bit(5, "intercept CLGI")
    SKINIT = Bit(6, "intercept SKINIT")
    RDTSCP = Bit(7, "intercept RDTSCP")
    ICEBP = Bit(8, "intercept ICEBP")
    WBINVD = Bit(9, "intercept WBINVD and WBNOINVD")
    MONITOR = Bit(10, "intercept MONITOR")
    MWAIT = Bit(11, "intercept MWAIT always")
    MWAIT_CONDITIONAL = Bit(12, "intercept MWAIT if the monitor is armed")
    XSETBV = Bit(13, "intercept XSETBV")
    RDPRU = Bit(14, "intercept RDPRU")
    EFER_WRITE_TRAP = Bit(15, "intercept writes of EFER, after the instruction")
    CR_WRITE_TRAP = Bits(31, 16, "intercept writes of CR0 to CR15, after the instruction")
    INVLPGB = Bit(32, "intercept every INVLPGB")
    INVLPGB_ILLEGAL = Bit(33, "intercept INVLPGB with illegal operands")
    INVPCID = Bit(34, "intercept INVPCID")
    MCOMMIT = Bit(35, "intercept MCOMMIT")
    TLBSYNC = Bit(36, "intercept TLBSYNC")
    BUS_LOCK = Bit(37, "intercept bus locks when the threshold counter is 0")
    IDLE_HLT = Bit(38, "intercept HLT if no virtual interrupt is pending")
    RESERVED = Reserved((63, 39))
