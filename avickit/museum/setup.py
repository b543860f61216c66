"""Defects of setup, the command line and the statistics. (defects.md 1b, 1d, 1e)

Does not model: what lies in memory behind the option string that X32 runs into.
"""

from collections.abc import Callable

from avickit.beat import Beats, Op, World
from avickit.errors import AvicError
from avickit.museum.registry import brings
from avickit.series import p04_initialization as p04
from avickit.series import p10_statistics as p10
from avickit.series.p09_option import EINVAL, parse_boolean, parse_svm_param
from avickit.silicon.parts import take_page
from avickit.xen import keys
from avickit.xen.parts import Domain, printk, vcpus_of, xen


@brings("X21")
def max_index_wraps(w: World) -> None:
    """(max_vcpus * 2) & FFh. (X4-4)"""
    w.replace(p04.max_index, wrapped_index, "X21")


def wrapped_index(w: World, d: Domain) -> Beats[int]:
    """128 vCPUs give 0: only ID 0 is in range. (X4-4, H-IPI-11; X21)"""
    return d.max_vcpus * 2 & 0xFF
    yield


@brings("X32")
def comma_breaks_the_list(w: World) -> None:
    """`if (ss)` where `if (!ss)` was meant. (X9-1)"""
    replace_parser(w, parse_svm_param_b2, "X32")


def replace_parser(w: World, parse: Callable[[World, str], int], by: str) -> None:
    """A parameter's parser is a row of a table, so two forms of the defect have to be told apart here."""
    if xen(w).params["svm"] is not parse_svm_param:
        raise AvicError(f"defects X32 and {by} both replace parse_svm_param; choose one of them")
    xen(w).params["svm"] = parse


def parse_svm_param_b2(w: World, value: str) -> int:
    """With a comma the whole string is one item, which nobody knows; what follows in memory is not read here. (X32)"""
    on = parse_boolean("avic", value)
    if on < 0:
        return EINVAL
    xen(w).flags["svm_avic"] = bool(on)
    return 0


@brings("X32-b1")
def unknown_words_are_ignored(w: World) -> None:
    """The parser of B1 takes what it knows, and says nothing of the rest. (X9-1)"""
    replace_parser(w, parse_svm_param_b1, "X32-b1")


def parse_svm_param_b1(w: World, value: str) -> int:
    """Item by item; never EINVAL. (X32)"""
    for item in value.split(","):
        on = parse_boolean("avic", item)
        if on >= 0:
            xen(w).flags["svm_avic"] = bool(on)
    return 0


@brings("X43")
def statistics_under_another_key(w: World) -> None:
    """The commit message says 'i', the code hangs on 'v'. (X10-1)"""
    table = xen(w).keys
    table["i"] = keys.KEYS["i"]
    table["v"] = (keys.KEYS["v"][0], dump_vmcbs_and_stats)


@Op
def dump_vmcbs_and_stats(w: World) -> Beats[None]:
    """Key 'v': the VMCBs, then each vCPU's counters in a layout of their own, without the header. (X10-1; X43)"""
    yield from keys.dump_vmcbs(w)
    for d in (yield from keys.live_domains(w)):
        for v in vcpus_of(w, d):
            counts = p10.stats(w, v)
            shown = []
            for name, _ in p10.LINES:
                shown.append(f"{name} = {(yield p10.READ_COUNT(getattr(counts, name)))}")
            yield from printk(w, f"(XEN) \tVCPU {v.vcpu_id} AVIC: {', '.join(shown)}")


@brings("P7")
def tables_as_they_are_found(w: World) -> None:
    """The three pages of a domain are not cleared. (X4-2)"""
    w.replace(p04.alloc_avic_page, dirty_page, "P7")


def dirty_page(w: World, name: str, kind: str) -> Beats[int | None]:
    """A page with what whoever had it before has left there. (X4-2; P7)"""
    return (yield from take_page(w, name, kind))
