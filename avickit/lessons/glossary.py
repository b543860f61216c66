"""The glossary of the notebooks, written from the declarations of `manual`: `python -m avickit.lessons.glossary`.

Does not model: words that no declaration has, but for a few of the field's own (`WORDS`).
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from avickit.bits import Register
from avickit.data import notebooks
from avickit.manual.apic_map import MAP, Access
from avickit.manual.exit_info import IncompleteIpiInfo1, IncompleteIpiInfo2, IpiFailure, NoAccelInfo1, NoAccelInfo2
from avickit.manual.exits import ExitCode
from avickit.manual.icr import ICRH, ICRL
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vmcb_avic import (
    ApicBar,
    BackingPagePointer,
    CleanBits,
    LogicalTablePointer,
    PhysicalTablePointer,
    VIntr,
)

WORDS = {
    "vAPIC backing page": "4 KiB of memory that hold the registers of one vCPU's local APIC (H-REG-1)",
    "physical APIC ID table": "one page a VM: for each APIC ID, where its page is and whether a core runs it (H-TAB-1)",
    "logical APIC ID table": "one page a VM: for each logical ID, which APIC ID has it (H-TAB-3)",
    "doorbell": "a signal from one core to another: look into the page of whatever vCPU you run (H-BELL-1, H-BELL-2)",
    "IsRunning": "a bit of the physical table: a core is assigned, though not always in guest mode (H-TAB-2)",
    "guest mode, host mode": "a core runs the guest, or the hypervisor; VMRUN and #VMEXIT change it (H-EVAL-1)",
    "#VMEXIT": "the guest stops and the hypervisor goes on; the VMCB tells why (H-VMCB-7)",
    "trap, fault": "an exit after the access was done, or before anything of it was (H-REG-2, H-REG-3)",
    "accelerated": "the hardware does alone what the register is for (H-REG-2)",
    "evaluation": "a core looks whether the highest pending vector may be taken now (H-EVAL-1, H-EVAL-2)",
    "IPI": "an interrupt that one processor sends to another, by a write to ICRL (H-IPI-0)",
    "interrupt shadow": "the one instruction after STI, in which no interrupt is taken yet (H-EVAL-2)",
    "interrupt window": "an exit once the guest can take one, asked for by V_IRQ: dead with AVIC (X0-2, H-VMCB-2)",
    "injection": "Xen writes an event into EVENTINJ, and VMRUN delivers it, whatever PPR says (H-VMCB-10, H-EVAL-3)",
    "acknowledge": "move a vector from IRR, pending, to ISR, in service (H-EVAL-2, X0-6)",
    "kick": "Xen makes a vCPU runnable, and throws one that runs out of its guest by a physical IPI (X0-8)",
    "event channel": "how a guest that knows Xen is notified: a hypercall, then an upcall past its APIC (X0-11)",
    "upcall": "how Xen tells a guest of an event: a vector that goes past the APIC and has no bit in IRR (X0-12, X7-3)",
    "lost wake-up": "a vCPU sleeps on, although an interrupt for it is pending, and nobody will wake it (X6-5)",
    "posted interrupt": "Intel's way to hand over an interrupt without an exit; patches 6 and 7 use its hooks (X6-4)",
    "store buffer": "where a core's plain stores wait, in order, before other cores can see them (H-MEM-1)",
    "total store order": "x86's memory: a load may go before stores that wait in the store buffer; `tso` (H-MEM-1)",
    "sequential consistency": "memory without store buffers: a store is seen by all at once; `sc` (H-MEM-1)",
    "full barrier": "empties the store buffer, so that no later load goes first; a locked operation is one (H-MEM-3)",
    "beat": "one step of the model that nothing can come between: one access to one place",
    "museum": "the defects of the published branches, each as an exhibit that runs: `avickit museum X02`",
}
"""Words of the field that name no register; the last two are the kit's own."""
EXITS = (
    ExitCode.VMEXIT_INVALID,
    ExitCode.VMEXIT_INTR,
    ExitCode.VMEXIT_VINTR,
    ExitCode.VMEXIT_HLT,
    ExitCode.VMEXIT_MSR,
    ExitCode.VMEXIT_VMMCALL,
    ExitCode.VMEXIT_NPF,
    ExitCode.AVIC_INCOMPLETE_IPI,
    ExitCode.AVIC_NOACCEL,
)
LETTERS = {
    "ALLOW": "allow",
    "EXT_READ": "allow or fault",
    "EXT_WRITE": "trap or fault",
    "SELF_IPI": "accelerated or allow",
    "EOI": "accelerated or trap",
}
STRUCTURES: dict[str, tuple[type[Register], ...]] = {
    "The interrupt command": (ICRL, ICRH),
    "The entries of the tables": (PhysicalEntry, LogicalEntry),
    "AVIC in the VMCB": (VIntr, ApicBar, BackingPagePointer, LogicalTablePointer, PhysicalTablePointer, CleanBits),
    "What the two exits tell": (IncompleteIpiInfo1, IncompleteIpiInfo2, NoAccelInfo1, NoAccelInfo2),
}


def glossary() -> str:
    """The whole glossary, as Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    """Its lines, section by section."""
    yield "# Glossary"
    yield ""
    yield "Written from the kit's declarations, and held equal to them by a test. `avickit rules` tells of the rules."
    yield from table("Words", ("word", "meaning"), list(WORDS.items()))
    yield from table("What an access to the page does", ("word", "meaning"), [(said(a), a.value) for a in Access])
    rows = [(f"{r.offset:03X}h", r.name, said(r.read), said(r.write), f"{r.meaning} ({r.rule})") for r in MAP]
    yield from table("The registers of the page", ("offset", "name", "guest read", "guest write", "meaning"), rows)
    for title, registers in STRUCTURES.items():
        yield from ("", f"## {title}")
        for register in registers:
            doc = re.sub(r"\s+", " ", inspect.getdoc(register) or "")
            fields = [(f.where, f.name, f.doc) for f in register.fields.values()]
            yield from table(register.__name__, ("bits", "field", "meaning"), fields, f"{doc}", level=3)
    failures = [(str(int(f)), f.name, f.doc) for f in IpiFailure]
    yield from table("Why an IPI was incomplete: the ID in EXITINFO2", ("ID", "name", "meaning"), failures)
    codes = [(f"{int(e):03X}h" if e >= 0 else str(int(e)), e.name, e.doc) for e in EXITS]
    yield from table("Exits", ("code", "name", "meaning"), codes)


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], about: str = "", level: int = 2
) -> list[str]:
    """A heading, perhaps a sentence, and a table."""
    told = ["", about] if about else []
    cells = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (heads, *rows)]
    return ["", f"{'#' * level} {title}", *told, "", cells[0], "|---" * len(heads) + "|", *cells[1:]]


def said(access: Access) -> str:
    """What an access does, in the manual's words."""
    return LETTERS.get(access.name, access.name.lower())


def write() -> Path:
    """Write the file; where it is."""
    file = notebooks() / "GLOSSARY.md"
    file.write_text(glossary(), encoding="utf-8")
    return file


if __name__ == "__main__":
    print(write())
