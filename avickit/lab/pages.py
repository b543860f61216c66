"""Looking into pages: a vAPIC backing page, a VMCB, an APIC ID table, as they are now.

Looking takes no beat. `store` writes as software of the host would: a recorded command that clears no clean bit.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from avickit.bits import Register, Shown
from avickit.errors import AvicError, in_range
from avickit.lab.host_store import store_fields, store_value
from avickit.lab.wanted import Word32, fields_of, page_register, vmcb_register, wanted
from avickit.manual.apic import Offset, offset_of, row_at
from avickit.manual.vectors import vectors_of
from avickit.manual.vmcb import VMCB_NAMES, VMCB_WORDS
from avickit.silicon.access import split

if TYPE_CHECKING:
    from avickit.lab.machine import Machine

WORD = 0xFFFF_FFFF


class ApicPage(Shown):
    """A vAPIC backing page: `page.irr`, `.isr`, `.tmr` are sets of vectors, `page["ICRL"]` is a register."""

    def __init__(self, machine: "Machine", place: int) -> None:
        self._machine, self.place = machine, place

    def _vectors(self, offset: int) -> set[int]:
        return set(vectors_of(self._machine.world.at[self.place + (offset >> 4)]))

    irr = property(lambda self: self._vectors(Offset.IRR), doc="Pending vectors.")
    isr = property(lambda self: self._vectors(Offset.ISR), doc="Vectors in service.")
    tmr = property(lambda self: self._vectors(Offset.TMR), doc="Level-triggered vectors.")
    ppr = property(lambda self: int(self["PPR"]), doc="The processor priority as it stands in the page.")
    tpr = property(lambda self: int(self["TPR"]), doc="The task priority as it stands in the page.")

    def __getitem__(self, name: str | int) -> Register | int:
        """The 32-bit register at a name or offset, as a Register where the manual has fields for it."""
        offset = offset_of(name) if isinstance(name, str) else name
        slot, shift = split(offset)
        value = self._machine.world.at[self.place + slot] >> shift & WORD
        register = row_at(offset).register
        return register.raw(value) if register is not None and register.width == 32 else value

    def store(self, name: str | int, value: int | None = None, **fields: int | str) -> None:
        """Software of the host writes a register of the page: the whole of it, or some fields. (H-EVAL-1)

        ISR, TMR and IRR cannot be written so. Raises AvicError for a name, field or value that does not fit.
        """
        offset, register = page_register(name)
        if register is Word32:
            raise AvicError.of("register to store", name, "one that has fields; not ISR, TMR, IRR or plain memory")
        _store(self._machine, "page", self.place + (offset >> 4), register, value, fields)

    def __repr__(self) -> str:
        sets = (
            (n, " ".join(f"{v:X}h" for v in sorted(getattr(self, n.lower()))) or "-") for n in ("IRR", "ISR", "TMR")
        )
        return f"<vAPIC page: {', '.join(f'{n} {v}' for n, v in sets)}, TPR {self.tpr:#04x}, PPR {self.ppr:#04x}>"


class VmcbView(Shown):
    """A VMCB: `vmcb["VINTR"]` is the word as a Register, `vmcb["VINTR"].V_TPR` one field."""

    def __init__(self, machine: "Machine", place: int) -> None:
        self._machine, self.place = machine, place

    def __getitem__(self, name: str | int) -> Register:
        offsets = {n: o for o, n in VMCB_NAMES.items()}
        offset = offsets.get(name.upper(), -1) if isinstance(name, str) else name
        if offset not in VMCB_WORDS:
            raise AvicError.of("VMCB word", name, " ".join(VMCB_NAMES[o] for o in VMCB_WORDS))
        return VMCB_WORDS[offset].raw(self._machine.world.at[self.place + (offset >> 3)])

    def store(self, name: str, value: int | None = None, **fields: int | str) -> None:
        """Software of the host writes a word, or some fields of it; it clears no clean bit. (H-VMCB-11)

        `vmcb.store("PHYSICAL_TABLE", MAX_INDEX=0)`. Raises AvicError for a name, field or value that does not fit.
        """
        offset, register = vmcb_register(name)
        _store(self._machine, "vmcb", self.place + (offset >> 3), register, value, fields)

    def __repr__(self) -> str:
        return f"<VMCB: VINTR {self['VINTR']}, EXITCODE {self['EXITCODE'].value:#x}>"


class TableView(Shown):
    """A physical or logical APIC ID table: `table[2]` is an entry, iteration gives the valid ones with their index."""

    def __init__(self, machine: "Machine", place: int, entry: type[Register], length: int) -> None:
        self._machine, self.place, self._entry, self._length = machine, place, entry, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Register:
        in_range("table index", index, 0, self._length - 1)
        return self._entry.raw(self._machine.world.at[self.place + index])

    def store(self, index: int, value: int | None = None, **fields: int | str) -> None:
        """Software of the host writes an entry, or some fields of it. (H-TAB-4)"""
        in_range("table index", index, 0, self._length - 1)
        _store(self._machine, "table", self.place + index, self._entry, value, fields)

    def __iter__(self) -> Iterator[tuple[int, Register]]:
        return ((i, e) for i in range(self._length) if (e := self[i]).value)

    def __repr__(self) -> str:
        lines = [f"{i:>3}: {e}" for i, e in self]
        return f"<{self._entry.__name__} table{':' if lines else ', empty'}>" + "".join(f"\n{x}" for x in lines)


def _store(
    machine: "Machine",
    what: str,
    place: int,
    register: type[Register],
    value: int | None,
    fields: Mapping[str, int | str],
) -> None:
    if (value is None) == (not fields):
        raise AvicError.of("store", value if fields else "nothing", "either a value, or fields")
    if value is not None:
        store_value(machine, what, place, wanted(register, value).value)
    else:
        store_fields(machine, what, place, register, fields_of(register, fields))
