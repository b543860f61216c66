"""The register map and its access filter: one rule a row of APM2 Table 15-22 (p.566-568), proven by a guest's accesses.

What each word means for a guest (H-REG-2): `allow`, the page is read or written; `trap`, #VMEXIT 402h after the write
has landed, RIP past; `fault`, #VMEXIT 402h with nothing accessed, RIP at the instruction.
"""

from collections.abc import Callable

from avickit.beat import World
from avickit.manual.apic import Access, filter_for
from avickit.silicon.access import access_filter
from avickit.silicon.guest import read, write
from tests.proofs.frame import Make, breaks, proves
from tests.silicon.bench import Bench

NOACCEL, INCOMPLETE = 0x402, 0x401
BEFORE, AFTER = 0x0102_0304, 0x0A0B_0C0D
WRITE = 1 << 32

# First and last offset, guest read, guest write. Rows whose write is more than one of the three words are further down.
TABLE_15_22 = """
020 020 allow trap   APIC ID
030 030 allow fault  Version
090 090 fault fault  APR
0A0 0A0 allow fault  PPR
0C0 0C0 allow trap   Remote Read
0D0 0D0 allow trap   LDR
0E0 0E0 allow trap   DFR
0F0 0F0 allow trap   SVR
100 170 allow fault  ISR
180 1F0 allow fault  TMR
200 270 allow fault  IRR
280 280 allow trap   ESR
310 310 allow allow  ICRH
320 370 allow trap   LVT timer, thermal, performance counter, LINT0, LINT1, error
380 380 allow trap   timer initial count
390 390 fault fault  timer current count
3E0 3E0 allow trap   timer divide configuration
400 420 fault fault  extended APIC: feature, control, SEOI
480 4F0 fault fault  extended APIC: IER
540 FF0 fault fault  reserved
"""
ROWS = [
    (int(first, 16), int(last, 16), of_read, of_write, name)
    for first, last, of_read, of_write, name in (line.split(None, 4) for line in TABLE_15_22.strip().split("\n"))
]


def offsets(first: int, last: int) -> list[int]:
    """Every register of a row; of the long reserved row some, its ends among them."""
    every = list(range(first, last + 0x10, 0x10))
    return every if len(every) <= 16 else [*every[:3], every[len(every) // 2], *every[-2:]]


def check_read(b: Bench, offset: int, expected: str) -> None:
    """The guest reads a register that holds BEFORE."""
    b.set_reg(0, offset, BEFORE)
    exits = len(b.exits(0))
    answer = b.do(0, read(offset))
    if expected == "allow":
        assert answer == BEFORE, hex(offset)
        assert len(b.exits(0)) == exits, hex(offset)
    else:
        check_exit(b, exits, offset, past=False)
        assert b.w.at[b.guests[0].answer] != BEFORE, "nothing was read"


def check_write(b: Bench, offset: int, expected: str) -> None:
    """The guest writes AFTER to a register that holds BEFORE."""
    b.set_reg(0, offset, BEFORE)
    exits = len(b.exits(0))
    b.do(0, write(offset, AFTER))
    assert b.reg(0, offset) == (BEFORE if expected == "fault" else AFTER), hex(offset)
    if expected == "allow":
        assert len(b.exits(0)) == exits, hex(offset)
    else:
        check_exit(b, exits, offset, past=expected == "trap", info1=WRITE)


def check_exit(b: Bench, exits: int, offset: int, *, past: bool, info1: int = 0) -> None:
    """One exit 402h more, with this offset, RIP past the instruction or at it; then back into the guest."""
    assert len(b.exits(0)) == exits + 1, hex(offset)
    assert b.vmcb(0, 0x070) == NOACCEL
    assert b.vmcb(0, 0x078) == info1 | offset
    assert (b.rip(0) == 0) == past, "RIP is past: the guest has nothing more to execute"
    b.clear_frames(0)
    b.w.at[b.guests[0].answer] = 0
    assert b.vmrun(0) is None


def check_row(make: Make, first: int, last: int, of_read: str, of_write: str, cpu: str = "epyc") -> None:
    """All registers of a row."""
    b = Bench(make, 1, cpu=cpu)
    b.w.at[b.guests[0].interrupt_flag] = 0
    b.run(0)
    for offset in offsets(first, last):
        check_read(b, offset, of_read)
        check_write(b, offset, of_write)


def proof_of(first: int, last: int, of_read: str, of_write: str, name: str) -> Callable[[Make], None]:
    """The proof of a plain row."""

    def proof(make: Make) -> None:
        check_row(make, first, last, of_read, of_write)

    proof.__name__ = f"row_{first:03x}_reads_{of_read}_writes_{of_write}"
    proof.__doc__ = f"{name}: guest reads {of_read}, guest writes {of_write}. (APM2 Table 15-22, {rule_of(first)})"
    return proof


def rule_of(offset: int) -> str:
    """The rule of a row: its first offset; the extended registers are one rule."""
    return "H-MAP-400" if 0x400 <= offset < 0x500 else f"H-MAP-{offset:03X}"


def breaker_of(offset: int, is_write: bool, wrong: Access) -> Callable[[World], None]:
    """The filter has another word for a register."""

    def breaker(w: World) -> None:
        w.objects["filter"][is_write][offset >> 4] = wrong

    breaker.__name__ = f"{offset:03x}_{'write' if is_write else 'read'}_is_{wrong.name.lower()}"
    breaker.__doc__ = f"The core takes a guest's {'write' if is_write else 'read'} at {offset:03X}h as {wrong.name}."
    return breaker


WRONG = {
    "allow": (Access.FAULT, Access.TRAP),
    "trap": (Access.ALLOW, Access.FAULT),
    "fault": (Access.ALLOW, Access.TRAP),
}
for row in ROWS:
    rule = rule_of(row[0])
    proves(rule)(proof_of(*row))
    breaks(rule)(breaker_of(row[1], False, WRONG[row[2]][0]))
    for wrong in WRONG[row[3]]:
        breaks(rule)(breaker_of(row[0], True, wrong))


# ---- rows of their own ----


@proves("H-MAP-080")
def tpr_writes_are_accelerated(make: Make) -> None:
    """TPR: reads come from the page; a write changes page and priorities without an exit.

    (APM2 Table 15-22, H-MAP-080)
    """
    b = Bench(make, 1)
    b.run(0)
    check_read(b, 0x080, "allow")
    b.write(0, 0x080, 0x35)
    assert b.exits(0) == ()
    assert (b.reg(0, 0x080), b.cr8(0), b.read(0, 0x0A0)) == (0x35, 3, 0x35)


@proves("H-MAP-0B0")
def eoi_writes_depend_on_the_trigger_mode(make: Make) -> None:
    """EOI: accelerated for an edge vector, a trap for a level one; reads are allowed. (APM2 Table 15-22, H-MAP-0B0)"""
    b = Bench(make, 1)
    b.set_vectors(0, "ISR", 0x41, 0x52)
    b.set_vectors(0, "TMR", 0x41)
    b.run(0)
    assert b.read(0, 0x0B0) == 0
    b.write(0, 0x0B0, 0)
    assert (b.isr(0), b.exits(0)) == ({0x41}, ()), "52h was edge-triggered"
    b.write(0, 0x0B0, 0)
    check_exit(b, 0, 0x0B0, past=True, info1=WRITE)


@proves("H-MAP-300")
def icrl_writes_are_accelerated_or_trap(make: Make) -> None:
    """ICRL: what can be accelerated is, anything more advanced is exit 401h after the write.

    (APM2 Table 15-22, H-MAP-300)
    """
    b = Bench(make)
    b.run(0, 1)
    check_read(b, 0x300, "allow")
    b.ipi(0, 1, 0x41)
    assert (b.taken(1), b.exits(0)) == ({0x41: 1}, ())
    assert b.reg(0, 0x300) == 0x41
    b.ipi(0, 1, 0x442)
    assert (b.reg(0, 0x300), b.codes(0), b.rip(0)) == (0x442, [INCOMPLETE], 0)


@proves("H-MAP-3F0")
def self_ipi_is_plain_memory_in_xavic(make: Make) -> None:
    """3F0h is accelerated like ICR in x2AVIC mode; in xAVIC there is no such register. (APM2 Table 15-22, H-MAP-3F0)"""
    assert filter_for(0x3F0, True, x2avic=True) is Access.ACCELERATED
    check_row(make, 0x3F0, 0x3F0, "allow", "allow")


@proves("H-MAP-500")
def extended_lvts_depend_on_cpuid(make: Make) -> None:
    """500h-530h: allow and trap if CPUID EDX[27], else fault and fault. (APM2 Table 15-22, H-MAP-500)"""
    check_row(make, 0x500, 0x530, "fault", "fault", cpu="epyc")
    check_row(make, 0x500, 0x530, "allow", "trap", cpu="zen4")


@proves("H-REG-4")
def what_the_table_does_not_list_is_plain_memory(make: Make) -> None:
    """Any other offset below 540h, 3F0h among them: allow, allow. (APM2 Table 15-22, H-REG-4)"""
    b = Bench(make, 1)
    b.run(0)
    others = [0x000, 0x010, *range(0x040, 0x080, 0x10), *range(0x290, 0x300, 0x10), *range(0x3A0, 0x3E0, 0x10)]
    for offset in [*others, 0x3F0, *range(0x430, 0x480, 0x10)]:
        check_read(b, offset, "allow")
        check_write(b, offset, "allow")


for first, wrongs in {
    0x080: (Access.ALLOW, Access.TRAP, Access.FAULT),
    0x0B0: (Access.ALLOW, Access.TRAP, Access.FAULT),
    0x300: (Access.ALLOW, Access.TRAP, Access.FAULT),
    0x3F0: (Access.FAULT, Access.TRAP),
    0x500: (Access.ALLOW, Access.TRAP),
}.items():
    breaks(f"H-MAP-{first:03X}")(breaker_of(first, False, Access.FAULT if first != 0x500 else Access.ALLOW))
    for wrong in wrongs:
        breaks(f"H-MAP-{first:03X}")(breaker_of(first, True, wrong))
for first in (0x000, 0x2F0, 0x3F0, 0x470):
    breaks("H-REG-4")(breaker_of(first, True, Access.FAULT))


@breaks("H-MAP-500")
def extended_lvts_ignore_cpuid(w: World) -> None:
    """The extended LVTs fault on every CPU."""
    w.objects["filter"] = access_filter(False)
