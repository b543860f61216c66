"""The plain sentence of a beat: the Site's words, with this beat's values filled in."""

from string import Formatter
from typing import Any

from avickit.beat import CLOCK, Site, World
from avickit.lab import names
from avickit.manual.apic import name_of as register_name
from avickit.manual.tables import PhysicalEntry
from avickit.silicon.parts import TAKEN

VECTOR_REGISTERS = ("IRR", "ISR", "TMR")


def say(w: World, raw: tuple[Site, int, Any, Any, int, int]) -> str:
    """`reads IsRunning in d1 physical table entry 2: 0`."""
    site, place, old, new = raw[:4]
    if "{" not in site.say:
        return site.say
    fill = {
        "place": lambda: names.short(w, place),
        "area": lambda: names.owner(w, place),
        "old": lambda: value(w, place, old),
        "new": lambda: value(w, place, new),
        "bits": lambda: bits(old ^ new),
        "running": lambda: str(PhysicalEntry.IS_RUNNING.of(old)),
        "frame": lambda: frame(w, new),
        "exit": lambda: exit_text(new),
    }
    wanted = {key: fill[key]() for _, key, _, _ in Formatter().parse(site.say) if key}
    return site.say.format(**wanted)


def value(w: World, place: int, number: Any) -> str:
    """A value as this place shows it: vectors by name, small counts in decimal, the rest in hex; words as they are."""
    if not isinstance(number, int):
        told = isinstance(number, tuple) and all(isinstance(part, str) for part in number)
        return "nothing" if not number else "; ".join(number) if told else repr(number)
    if names.short(w, place) in VECTOR_REGISTERS:
        return bits(number) if number else "no vector"
    if number < 10 or place == CLOCK:
        return str(number)
    return f"{number:x}h".upper().replace("H", "h")


def bits(changed: int) -> str:
    """The vectors of a 256-bit value: `41h`, `41h and 52h`."""
    vectors = [f"{v:X}h" for v in range(TAKEN) if changed >> v & 1]
    return " and ".join(vectors) if vectors else "that is set already"


def frame(w: World, frames: Any) -> str:
    """What a guest's topmost program is about to do: an instruction, or the vector of a handler."""
    top = frames[-1]
    if top.vector >= 0:
        return f"{top.vector:X}h"
    code = w.programs[top.program - 1]
    return insn_text(code[0]) + (", ..." if len(code) > 1 else "") if type(code) is tuple and code else "its program"


def insn_text(insn: Any) -> str:
    """An instruction in words: `write 41h to ICRL`."""
    where = register_name(insn.address & 0xFFF)
    if insn.op == "write":
        return "EOI" if where == "EOI" else f"write {insn.value:X}h to {where}"
    if insn.op == "read":
        return f"read {where}"
    if insn.op in ("rdmsr", "wrmsr"):
        return f"{insn.op} {insn.address:X}h" + (f", {insn.value:X}h" if insn.op == "wrmsr" else "")
    return f"{insn.op} {insn.value:X}h" if insn.op == "write_cr8" else insn.op.replace("_", " ")


def exit_text(exits: Any) -> str:
    """The newest of the noted exits."""
    exit = exits[-1]
    return f"{exit.code.name} ({exit.code:#x}), {exit.info1:#x}, {exit.info2:#x}" if exit.code >= 0 else exit.reason
