"""Xen's AVIC statistics, as a debug key prints them: text to numbers by domain and vCPU.

Both layouts are read: one block for all (key 'i' or 'j'), and a block after each VMCB (key 'v'), with tabs or blanks,
with or without `(XEN)` in front. (X10-1, X10-2) Does not model: the rest of a VMCB dump; those lines are passed over.
"""

import re
from typing import NamedTuple

from avickit.errors import AvicError

MOST = 0xFFFF_FFFF
PREFIX = re.compile(r"^\s*(?:\(XEN\)\s?)?(?:\[[^\]]*\]\s?)?\s*")
DOMAIN = re.compile(r">>> Domain (\S+) <<<$")
VCPU = re.compile(r"VCPU (\S+)$", re.IGNORECASE)
COUNTER = re.compile(r"\* (incomp_ipi|noaccel|post_intr|doorbell)\s*=\s*(.*)$")


class Counters(NamedTuple):
    """The four counters of a vCPU: exits 401h, exits 402h, interrupts newly posted to it, doorbells for it. (X10-1)"""

    incomp_ipi: int
    noaccel: int
    post_intr: int
    doorbell: int


def parse(text: str) -> dict[int, dict[int, Counters]]:
    """`{1: {0: Counters(...), 1: Counters(...)}}`: domain, then vCPU.

    Raises AvicError naming the line where a number is none or does not fit 32 bits, a counter belongs to nobody, comes
    twice or is missing; and where the text holds no statistics at all.
    """
    found: dict[int, dict[int, dict[str, int]]] = {}
    domain = vcpu = None
    for n, raw in enumerate(text.splitlines(), 1):
        line = PREFIX.sub("", raw).rstrip()
        if match := DOMAIN.search(line):
            domain, vcpu = number(match[1], n, "domain"), None
        elif match := VCPU.match(line):
            vcpu = number(match[1], n, "VCPU")
        elif match := COUNTER.match(line):
            if domain is None or vcpu is None:
                raise AvicError(
                    f"statistics, line {n}: {match[1]} belongs to nobody: expected Domain and VCPU before it"
                )
            counters = found.setdefault(domain, {}).setdefault(vcpu, {})
            if match[1] in counters:
                raise AvicError(f"statistics, line {n}: {match[1]} of domain {domain} VCPU {vcpu} comes a second time")
            counters[match[1]] = number(match[2], n, match[1])
    if not found:
        raise AvicError.of("statistics", "no counter", "lines such as `* incomp_ipi = 3110` after `VCPU 0`")
    return {d: {v: whole(d, v, counters) for v, counters in vcpus.items()} for d, vcpus in found.items()}


def number(text: str, line: int, what: str) -> int:
    """A decimal number of 32 bits."""
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise AvicError(f"statistics, line {line}: {what}: {text!r} given, expected a number of 32 bits")
    return int(text)


def whole(domain: int, vcpu: int, counters: dict[str, int]) -> Counters:
    """All four."""
    missing = [name for name in Counters._fields if name not in counters]
    if missing:
        raise AvicError(f"statistics of domain {domain} VCPU {vcpu}: {', '.join(missing)} missing")
    return Counters(**counters)
