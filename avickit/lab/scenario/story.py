"""The steps of a scenario in words: `d1v0 writes 41h to ICRL`.

Does not model: what follows from a step; the beats say that.
"""

from collections.abc import Mapping
from typing import Any

from avickit.lab.scenario.guest import program
from avickit.lab.scenario.names import full
from avickit.lab.words import insn_text


def number(value: int) -> str:
    """A number as the manual writes it: `41h`; a single digit as it is."""
    return str(value) if value < 10 else f"{value:X}h"


def tell(step: Mapping[str, Any]) -> str:
    """What a step does, and the file's own sentence behind it."""
    text = by_guest(step) if "vcpu" in step else by_xen(step)
    return f"{text}: {step['say']}" if "say" in step else text


def by_guest(step: Mapping[str, Any]) -> str:
    """A step of a vCPU."""
    who = full(step["vcpu"])
    if "do" in step:
        return f"{who} executes {step['do'].upper()}"
    if "write" in step:
        return f"{who} writes {number(step['value'])} to {step['write']}"
    if "read" in step:
        return f"{who} reads {step['read']}"
    if "wrmsr" in step:
        return f"{who} writes {number(step['value'])} to MSR {number(step['wrmsr'])}"
    if "rdmsr" in step:
        return f"{who} reads MSR {number(step['rdmsr'])}"
    if "on" in step:
        return f"{who} handles vector {number(step['on'])} with {listed(step['handler'])}"
    if "cpl" in step:
        return f"{who} is at CPL {step['cpl']}"
    return f"{who} executes {listed(step['execute'])}"


def listed(entries: Any) -> str:
    """A program in a few words."""
    return ", ".join(insn_text(insn) for insn in program(entries)) or "IRET alone"


def by_xen(step: Mapping[str, Any]) -> str:
    """A step of Xen, of time, of the host's software, or of the story itself."""
    for verb, words in SAID.items():
        if verb in step:
            name = full(step[verb]) if isinstance(step[verb], str) else step[verb]
            return words.format_map({**step, "vector": number(step.get("vector", 0)), "it": name})
    if "store" in step:
        where = next(key for key in ("vmcb", "page", "physical", "logical", "nested") if key in step)
        place = {"vmcb": "VMCB", "page": "page", "nested": "nested mapping of the"}.get(where, f"{where} entry")
        what = step.get("set") or step.get("vectors") or step.get("value")
        text = ", ".join(f"{k}={v}" for k, v in what.items()) if isinstance(what, dict) else what
        if isinstance(text, list):
            text = " ".join(map(number, text)) or "no vector"
        return f"software stores to {full(step['store'])} {place} {step[where]}: {text}"
    return "expected here"


SAID = {
    "run": "Xen runs {it} on core {core}",
    "migrate": "Xen moves {it} to core {core}",
    "deschedule": "Xen takes {it} off its core",
    "unpause": "Xen unpauses {it}",
    "pause": "Xen pauses {it}",
    "wake": "Xen unblocks {it}",
    "set_irq": "a device model raises vector {vector} for {it}",
    "nmi": "Xen raises an NMI for {it}",
    "callback": "Xen has an upcall by vector {vector} for {it}",
    "extint": "the PIC raises vector {vector} for {it}",
    "advance": "{it} ns pass",
    "key": "debug key {key}",
    "create_domain": "Xen creates a domain with {it} vCPUs",
    "destroy_domain": "Xen destroys {it}",
    "mark": "-- {mark}",
}
"""How a step of Xen is told."""
