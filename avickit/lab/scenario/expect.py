"""What a scenario expects, compared with what the machine holds; differences name the register's own fields.

Exits, taken vectors and beats are counted from the last mark on. Does not model: verdicts on all orders of a race.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avickit.errors import AvicError
from avickit.lab import wanted
from avickit.lab.handles import VcpuHandle
from avickit.lab.scenario.counts import COUNTS, XEN, exits, register_check, stats, taken
from avickit.lab.scenario.expect_check import TABLES
from avickit.lab.scenario.names import full
from avickit.lab.scenario.toml_lines import Path

if TYPE_CHECKING:
    from avickit.lab.scenario.run import Runner


def check_all(r: "Runner", expected: Mapping[str, Any], place: Path) -> None:
    """Every entry of an [expect] table becomes a check."""
    for key, value in expected.items():
        at = (*place, key)
        if key == "xen":
            for word, items in value.items():
                guarded(r, (*at, word), f"xen {word}", XEN[word], items)
        elif key == "count":
            for word, number in value.items():
                guarded(r, (*at, word), word.replace("_", " "), COUNTS[word], number)
        elif key != "verdict":
            for word, wish in value.items():
                what = f"{full(key)} {word}"
                if full(key) in r.result.handles:
                    guarded(r, (*at, word), what, OF_VCPU.get(word) or OF_DOMAIN[word], r.result[key], wish)
                else:
                    r.check(what, str(wish), f"no {full(key)}: the story stopped before", ok=False, at=(*at, word))


def guarded(r: "Runner", at: Path, what: str, test: Callable[..., None], *args: Any) -> None:
    """Compare; what the machine does not have (a table before patch 4) is a difference, not an error."""
    try:
        test(r, at, what, *args)
    except AvicError as error:
        r.check(what, str(args[-1]), str(error), ok=False, at=at)


def plain(find: Callable[[Any], Any]) -> Callable[..., None]:
    """A comparison of one value."""

    def compare(r: "Runner", at: Path, what: str, handle: Any, wish: Any) -> None:
        found = find(handle)
        r.check(what, str(wish), str(found), ok=found == wish, at=at)

    return compare


def vectors(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: list[int]) -> None:
    """A whole IRR, ISR or TMR."""
    found, expected = getattr(handle.page, str(at[-1])), set(wish)
    missing, extra = expected - found, found - expected
    said = [f"{shown(missing)} missing"] * bool(missing) + [f"{shown(extra)} not expected"] * bool(extra)
    r.check(
        f"{what.split(maxsplit=1)[0]} {str(at[-1]).upper()}",
        shown(expected),
        shown(found),
        ", ".join(said),
        ok=not said,
        at=at,
    )


def shown(found: Any) -> str:
    """Vectors as people read them."""
    return " ".join(f"{v:X}h" for v in sorted(found)) or "no vector"


def page(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: Mapping[str, Any]) -> None:
    """Registers of the backing page."""
    for name, value in wish.items():
        offset, register = wanted.page_register(name)
        register_check(r, (*at, name), f"{what} {name}", register, value, int(handle.page[offset]))


def vmcb(r: "Runner", at: Path, what: str, handle: VcpuHandle, wish: Mapping[str, Any]) -> None:
    """Words of the VMCB."""
    for name, value in wish.items():
        offset, register = wanted.vmcb_register(name)
        register_check(r, (*at, name), f"{what.upper()} {name}", register, value, handle.vmcb[offset].value)


def table(r: "Runner", at: Path, what: str, handle: Any, wish: Mapping[str, Any]) -> None:
    """Entries of a table."""
    for index, value in wish.items():
        found = getattr(handle, f"{at[-1]}_table")[int(index)].value
        register_check(r, (*at, index), f"{what} entry {index}", TABLES[str(at[-1])], value, found)


OF_VCPU: dict[str, Callable[..., None]] = {
    "state": plain(lambda vcpu: vcpu.state),
    "core": plain(lambda vcpu: "none" if vcpu.core is None else vcpu.core),
    "interrupt_flag": plain(lambda vcpu: vcpu.guest.interrupt_flag),
    "lost_wakeup": plain(lambda vcpu: vcpu.lost_wakeup),
    **dict.fromkeys(("irr", "isr", "tmr"), vectors),
    **{f.__name__: f for f in (page, vmcb, exits, taken, stats)},
}
OF_DOMAIN: dict[str, Callable[..., None]] = {
    "crashed": plain(lambda domain: domain.crashed),
    "eoi_broadcasts": plain(lambda domain: domain._machine.world.at[domain.domain.cells.eoi_broadcasts]),
    "physical": table,
    "logical": table,
}
