"""Which patch touches which structure of Xen: read off two machines, one with n - 1 patches and one with n.

Does not model: lines of C; a structure here is one of Xen's tables, its VMCB's names, its fields, its symbols.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from avickit.bits import Shown
from avickit.lab.machine import FIRST_AVIC, Machine
from avickit.manual.exits import ExitCode
from avickit.series import PATCHES, title
from avickit.show.tags import cell, head, panel, row, table

STRUCTURES = {
    "VMCB": "names of words and bits in struct vmcb_struct",
    "symbols": "functions of vlapic.c, and who may call them",
    "function table": "entries of Xen's tables of functions",
    "#VMEXIT": "exits with a handler",
    "fields": "fields in struct domain and struct vcpu",
    "flags": "variables of the source",
    "options": "options of the command line",
    "keys": "debug keys",
    "steps": "functions that were there, now with another body",
}
"""What there is to touch, and what that means."""
Touched = dict[str, list[str]]


def structures(m: Machine) -> dict[str, Mapping[str, Any]]:
    """What a booted machine has in each structure: name, and something that differs if it was touched."""
    host = m.world.objects["xen"][0]
    steps = {op.name.rpartition(".")[2]: by for op, by in m.world.by.items()}
    return {
        "VMCB": dict.fromkeys(host.vmcb_names),
        "symbols": {name: (s.file, s.static) for name, s in host.symbols.items()},
        "function table": host.funcs,
        "#VMEXIT": {ExitCode(code).name: handler for code, handler in host.vmexits.items()},
        "fields": {**host.domain_fields, **host.vcpu_fields},
        "flags": dict.fromkeys(host.flags),
        "options": host.params,
        "keys": host.keys,
        "steps": {name: by for name, by in steps.items() if by.startswith("patch")},
    }


def booted(n: int) -> Machine:
    """A machine with n patches, AVIC on as soon as there is a variable for it."""
    m = Machine(cores=1)
    m.boot("", patches=n, svm_avic=True if n >= FIRST_AVIC else None)
    return m


def touched(n: int) -> Touched:
    """What patch n adds or changes, by structure."""
    before, after = structures(booted(n - 1)), structures(booted(n))
    found = {
        name: sorted(
            key for key in after[name] if key not in before[name] or differs(before[name][key], after[name][key])
        )
        for name in STRUCTURES
    }
    return {name: names for name, names in found.items() if names}


def differs(before: Any, after: Any) -> bool:
    """Whether an entry stands for something else; functions made anew at each boot count by their module and name."""
    return bool(named(before) != named(after))


def named(entry: Any) -> Any:
    """A function's module and name; else the entry itself."""
    return (entry.__module__, entry.__qualname__) if hasattr(entry, "__qualname__") else entry


class SeriesMap(Shown):
    """The map of the whole series, as text and as a table."""

    def __init__(self) -> None:
        self.patches = {n: touched(n) for n in range(1, len(PATCHES) + 1)}

    def __iter__(self) -> Iterator[tuple[int, Touched]]:
        return iter(self.patches.items())

    def who_touches(self, structure: str) -> list[int]:
        """The patches that touch a structure."""
        return [n for n, found in self if structure in found]

    def __repr__(self) -> str:
        lines = []
        for n, found in self:
            lines.append(f"{n:>2}  {title(n)}")
            lines += [f"      {name}: {', '.join(names)}" for name, names in found.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            row(
                [
                    head(n, "row"),
                    cell(title(n), left=True),
                    cell("; ".join(f"{name}: {', '.join(names)}" for name, names in found.items()), left=True),
                ]
            )
            for n, found in self
        ]
        return panel(table("", [head("patch"), head("subject"), head("touches")], rows, prose=True))
