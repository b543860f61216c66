"""Whether what a scenario expects can be asked at all: registers, fields, codes, names.

Does not model: asking it (`expect`).
"""

from collections.abc import Mapping
from typing import Any

from avickit.errors import AvicError, in_range
from avickit.lab import wanted
from avickit.lab.scenario.names import Names
from avickit.lab.scenario.toml_lines import Path
from avickit.manual.tables import LogicalEntry, PhysicalEntry
from avickit.manual.vmcb import XEN_NAMES

SYMBOLS = ["vlapic_read_aligned", "vlapic_reg_read", "vlapic_reg_write"]
"""The functions of Xen that change their name or their reach in the series. (X2-1, X3-1)"""
TABLES = {"physical": PhysicalEntry, "logical": LogicalEntry}
LAST_ENTRY = 255


def check_expect(names: Names, place: Path, expected: Mapping[str, Any]) -> None:
    """An [expect] table, at the end or in the middle of the story."""
    for key, value in expected.items():
        if key == "xen":
            check_xen(names, (*place, key), value)
        elif key == "count":
            for rule in value.get("rules", {}):
                names.rule((*place, key, "rules", rule), rule)
        elif "v" in key and key != "verdict":
            names.vcpu((*place, key), key)
            check_vcpu(names, (*place, key), value)
        elif key != "verdict":
            names.domain((*place, key), key)
            check_domain(names, (*place, key), value)


def check_xen(names: Names, place: Path, expected: Mapping[str, Any]) -> None:
    """Names that Xen can have."""
    for key, what, known in (
        ("vmcb_names", "name in struct vmcb_struct", list(XEN_NAMES)),
        ("symbols", "function of Xen that the series touches", SYMBOLS),
        ("exported", "function of Xen that the series touches", SYMBOLS),
    ):
        for index, name in enumerate(expected.get(key, ())):
            names.one_of((*place, key, index), what, name, known)


def check_vcpu(names: Names, place: Path, expected: Mapping[str, Any]) -> None:
    """Registers and fields, exit codes, vectors."""
    if isinstance(expected.get("core"), int):
        names.at((*place, "core"), in_range, "core", expected["core"], 0, names.cores - 1)
    for key, find in (("page", wanted.page_register), ("vmcb", wanted.vmcb_register)):
        for name, value in expected.get(key, {}).items():
            _, register = names.at((*place, key, name), find, name)
            check_value(names, (*place, key, name), register, value)
    for text in expected.get("taken", {}):
        names.at((*place, "taken", text), vector_of, text)
    exits = expected.get("exits", ())
    if isinstance(exits, dict):
        for code in exits:
            names.at((*place, "exits", code), wanted.exit_code_of, code)
    elif isinstance(exits, list):
        for index, exit in enumerate(exits):
            check_exit(names, (*place, "exits", index), exit)


def check_exit(names: Names, place: Path, exit: str | Mapping[str, Any]) -> None:
    """An exit's code, and its information as that code has it."""
    code = names.at(place, wanted.exit_code_of, exit if isinstance(exit, str) else exit["code"])
    for key, register in zip(("info1", "info2"), wanted.exit_registers(code), strict=True):
        if isinstance(exit, dict) and key in exit:
            check_value(names, (*place, key), register, exit[key])


def check_domain(names: Names, place: Path, expected: Mapping[str, Any]) -> None:
    """Entries of the two tables."""
    for key, register in TABLES.items():
        for index, value in expected.get(key, {}).items():
            names.at((*place, key, index), in_range, "index", int(index), 0, LAST_ENTRY)
            check_value(names, (*place, key, index), register, value)


def check_value(names: Names, place: Path, register: Any, value: Any) -> None:
    """A number that fits, or fields that exist with values they can have."""
    if isinstance(value, dict):
        for name, part in value.items():
            names.at((*place, name), wanted.wanted, register, {name: part})
    else:
        names.at(place, wanted.wanted, register, value)


def vector_of(text: str) -> int:
    """A vector as a key of a table: `0x41`, `41h` or `65`. Raises AvicError."""
    try:
        number = int(text[:-1], 16) if text[-1:] in ("h", "H") else int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 255:
        raise AvicError.of("vector", text, "0..255, such as 0x41, 41h or 65")
    return number
