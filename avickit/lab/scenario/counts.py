"""What can be counted or listed of a story: exits, taken vectors, beats, console lines, names that Xen has.

All counts are from the last mark on. Does not model: bits of registers, but those of an exit (`expect`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avickit.beat import OR, SIGNAL
from avickit.lab import names, wanted
from avickit.lab.handles import VcpuHandle
from avickit.lab.scenario.expect_check import vector_of
from avickit.lab.scenario.toml_lines import Path
from avickit.silicon.parts import Exit

if TYPE_CHECKING:
    from avickit.lab.scenario.run import Runner

BELLS = ("H-BELL-1", "H-IPI-1")
"""The rules of the beats that ring a doorbell, a core's own among them."""


def register_check(r: "Runner", at: Path, what: str, register: Any, value: Any, found: int) -> None:
    """One register: all its bits, or the fields that are named."""
    want = wanted.wanted(register, value)
    said = "; ".join(want.differences(found))
    r.check(what, str(want), str(register.raw(found)), said, ok=want.fits(found), at=at)


def exits(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: Any) -> None:
    """How many since the mark, how many by code, or which."""
    found = r.exits_since(handle)
    said = ", ".join(exit.code.name for exit in found) or "none"
    if isinstance(wish, int):
        r.check(what, str(wish), f"{len(found)} ({said})", ok=len(found) == wish, at=at)
    elif isinstance(wish, dict):
        for code, number in wish.items():
            count = sum(exit.code.name == code for exit in found)
            r.check(f"{what} {code}", str(number), str(count), ok=count == number, at=(*at, code))
    else:
        expected = ", ".join(exit if isinstance(exit, str) else exit["code"] for exit in wish) or "none"
        r.check(what, expected, said, ok=expected == said, at=at)
        for index, (exit, one) in enumerate(zip(wish, found, strict=False)):
            if isinstance(exit, dict) and one.code.name == exit["code"]:
                exit_check(r, (*at, index), f"{what[:-1]} {index + 1}", exit, one)


def exit_check(r: "Runner", at: Path, what: str, wish: Mapping[str, Any], exit: Exit) -> None:
    """What an exit says beside its code."""
    for key, register in zip(("info1", "info2"), wanted.exit_registers(exit.code), strict=True):
        if key in wish:
            register_check(r, (*at, key), f"{what} EXIT{key.upper()}", register, wish[key], getattr(exit, key))
    if "past" in wish:
        r.check(
            f"{what} RIP",
            *(("at the instruction", "past it")[p] for p in (wish["past"], exit.past)),
            ok=wish["past"] == exit.past,
            at=(*at, "past"),
        )
    if "reason" in wish:
        r.check(f"{what} reason", wish["reason"], exit.reason, ok=wish["reason"] in exit.reason, at=(*at, "reason"))


def taken(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: Mapping[str, int]) -> None:
    """Which vectors were taken, and no others."""
    expected = {vector_of(vector): number for vector, number in wish.items()}
    found = r.taken_since(handle)
    r.check(what, counted(expected), counted(found), ok=expected == found, at=at)


def counted(found: Mapping[int, int]) -> str:
    """Vectors with how often they were taken."""
    return ", ".join(f"{v:X}h {n} times" if n > 1 else f"{v:X}h once" for v, n in sorted(found.items())) or "none"


def stats(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: Mapping[str, int]) -> None:
    """The four counters of patch 10."""
    for name, number in wish.items():
        found = handle.stats.get(name)
        told = "no such counter before patch 10" if found is None else str(found)
        r.check(f"{what} {name}", str(number), told, ok=found == number, at=(*at, name))


def beats(is_one: Callable[["Runner", tuple[Any, ...]], bool]) -> Callable[..., None]:
    """A count of beats since the mark."""

    def count(r: "Runner", at: Path, what: str, wish: int) -> None:
        found = sum(is_one(r, raw) for raw in r.beats_since())
        r.check(what, str(wish), str(found), ok=found == wish, at=at)

    return count


def is_bell(r: "Runner", raw: tuple[Any, ...]) -> bool:
    """A doorbell is rung."""
    return raw[0].do is SIGNAL and raw[0].rule in BELLS


def is_irr(r: "Runner", raw: tuple[Any, ...]) -> bool:
    """Somebody's IRR bit is set, newly or again."""
    return raw[0].do is OR and names.short(r.machine.world, raw[1]) == "IRR"


def rule_counts(r: "Runner", at: Path, what: str, wish: Mapping[str, int]) -> None:
    """Beats of a rule."""
    for rule, number in wish.items():
        found = sum(raw[0].rule == rule for raw in r.beats_since())
        r.check(f"beats of {rule}", str(number), str(found), ok=found == number, at=(*at, rule))


def exits_of_all(r: "Runner", at: Path, what: str, wish: int) -> None:
    """#VMEXITs of everybody."""
    found = sum(len(r.exits_since(h)) for h in r.result.handles.values() if isinstance(h, VcpuHandle))
    r.check(what, str(wish), str(found), ok=found == wish, at=at)


def lines(r: "Runner", at: Path, what: str, wish: list[str]) -> None:
    """Lines that the console has, or has not."""
    for index, part in enumerate(wish):
        there = any(part in line for line in r.result.console)
        found = "there" if there else "not there"
        wanted_there = at[-1] == "contains"
        r.check(
            f"console line {part!r}",
            "there" if wanted_there else "not there",
            found,
            ok=there == wanted_there,
            at=(*at, index),
        )


def known(find: Callable[[Any], set[str]]) -> Callable[..., None]:
    """Names that Xen has at this patch."""

    def compare(r: "Runner", at: Path, what: str, wish: list[str]) -> None:
        there = find(r.machine.world.objects["xen"][0])
        for index, name in enumerate(wish):
            r.check(
                f"{what} {name}", "there", "there" if name in there else "not there", ok=name in there, at=(*at, index)
            )

    return compare


def host_crashed(r: "Runner", at: Path, what: str, wish: bool) -> None:
    """Whether the host has gone down."""
    found = r.xen.crashed
    r.check(what, str(wish), str(found), ok=found == wish, at=at)


XEN: dict[str, Callable[..., None]] = {
    "crashed": host_crashed,
    "contains": lines,
    "absent": lines,
    "vmcb_names": known(lambda xen: set(xen.vmcb_names)),
    "symbols": known(lambda xen: set(xen.symbols)),
    "exported": known(lambda xen: {name for name, symbol in xen.symbols.items() if not symbol.static}),
}
COUNTS: dict[str, Callable[..., None]] = {
    "doorbells": beats(is_bell),
    "irr_sets": beats(is_irr),
    "exits": exits_of_all,
    "rules": rule_counts,
}
