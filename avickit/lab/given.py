"""What a person or a browser gives to an act, read into what the machine understands.

Handles of this machine or of one that it was forked from, names as beats have them, numbers as `41h`, `0x41` or `65`.
Every reader gets the machine, the name of the input and what was given. Does not model: acts (`acts`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError, in_range
from avickit.lab.handles import VcpuHandle
from avickit.lab.pages import ApicPage, TableView, VmcbView
from avickit.manual.apic import offset_of

if TYPE_CHECKING:
    from avickit.lab.machine import Machine
    from avickit.lab.xen import XenHandle

Place = ApicPage | TableView | VmcbView
LAZY, AT_ONCE = "lazily, as Xen does", "at once"
MOST_NS = 10**12


def vcpu(m: "Machine", name: str, given: Any) -> VcpuHandle:
    """A vCPU: a handle, of this machine or of one that it was forked from, or its name."""
    wanted = given.name if isinstance(given, VcpuHandle) else given
    known = {v.name: v for d in xen(m).domains for v in d.vcpus}
    if wanted not in known:
        raise AvicError.of(name, given, f"a vCPU: {', '.join(known)}")
    return known[wanted]


def core(m: "Machine", name: str, given: Any) -> int:
    """A core, by number."""
    return in_range(name, number(m, name, given, "core"), 0, m.config["cores"] - 1)


def number(m: "Machine", name: str, given: Any, what: str = "number") -> int:
    """A number, or its text: `41h`, `0x41`, `65`."""
    if isinstance(given, int) and not isinstance(given, bool):
        return int(given)
    text = str(given).strip().lower().removeprefix(what).replace("_", "").strip()
    try:
        return int(text[:-1], 16) if text.endswith("h") else int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        raise AvicError.of(name, given if given else "nothing", f"a {what} such as 41h, 0x41 or 65") from None


def vector(m: "Machine", name: str, given: Any) -> int:
    """A vector."""
    return in_range(name, number(m, name, given, "vector"), 0, 0xFF)


def register(m: "Machine", name: str, given: Any) -> int:
    """The offset of a register of the APIC page: by any of its names, or by itself."""
    return offset_of(given)


def page(m: "Machine", name: str, given: Any) -> Place:
    """A page that can be stored to: a handle, of this machine or of one that it was forked from, or its name."""
    known = pages(m)
    place = getattr(given, "place", None)
    found = [there for title, there in known.items() if given == title or there.place == place]
    if not found:
        raise AvicError.of(name, str(given), f"a page: {', '.join(known)}")
    return found[0]


def pages(m: "Machine") -> dict[str, Place]:
    """Every page that can be stored to, by its name as beats call it."""
    found: dict[str, Place] = {}
    for domain in xen(m).domains:
        for v in domain.vcpus:
            found |= {f"{v.name} vAPIC page": v.page, f"{v.name} VMCB": v.vmcb}
        for table in ("physical_table", "logical_table"):
            try:
                found[f"d{domain.domain.index} {table.replace('_', ' ')}"] = getattr(domain, table)
            except AvicError:  # without AVIC there is none
                continue
    return found


def text(m: "Machine", name: str, given: Any) -> Any:
    """What the page itself will read: a register's name, a number, fields."""
    if given is None or given == "":
        raise AvicError.of(name, "nothing", "something")
    return given


def how(m: "Machine", name: str, given: Any) -> bool:
    """Whether a vCPU's state is saved at once."""
    if given not in (LAZY, AT_ONCE, True, False):
        raise AvicError.of(name, str(given), f"{LAZY!r} or {AT_ONCE!r}")
    return given in (AT_ONCE, True)


def nanoseconds(m: "Machine", name: str, given: Any) -> int:
    """A time."""
    return in_range(name, number(m, name, given), 1, MOST_NS)


def xen(m: "Machine") -> "XenHandle":
    """The hypervisor. Raises AvicError before it has booted."""
    if m.xen is None:
        raise AvicError("this machine has not booted: there is nobody who could act")
    return m.xen


def value_of(m: "Machine", given: Any) -> tuple[int | None, dict[str, Any]]:
    """A whole value, or fields: a mapping, or text such as `IS_RUNNING=0 HOST_APIC_ID=1`."""
    if isinstance(given, str) and "=" in given:
        parts = [part.partition("=") for part in given.replace(",", " ").split()]
        given = {name: part_of(m, name, value) for name, _, value in parts}
    if not isinstance(given, Mapping):
        return number(m, "value", given), {}
    small = next((name for name in given if name != str(name).upper()), None)
    if small is not None:
        raise AvicError.of("field", small, "a field by the manual's name, as IS_RUNNING=0")
    return None, dict(given)


def part_of(m: "Machine", name: str, value: str) -> int | str:
    """The value of a field: a number, or the name that the manual gives it."""
    return number(m, name, value) if value[:1].isdigit() or not value else value


def vectors(m: "Machine", given: Any) -> list[int]:
    """Vectors: one, several in a list, or in text with blanks between; none in empty brackets or as `none`."""
    if given == "none":
        return []
    parts = given.replace(",", " ").split() if isinstance(given, str) else given
    return [vector(m, "vector", part) for part in (parts if isinstance(parts, (list, tuple, set)) else [parts])]


READ: Mapping[str, Callable[["Machine", str, Any], Any]] = {
    f.__name__: f for f in (vcpu, core, number, vector, register, page, text, how, nanoseconds)
}
"""How each kind of input is read."""
