"""What the words of a scenario mean: every name, number and limit in it is checked before anything runs.

A step is checked key by key, whatever its verb. Does not model: the shape of the file, which the schema has checked.
"""

from collections.abc import Callable, Mapping
from typing import Any

from avickit.beat import World
from avickit.errors import in_range
from avickit.lab.scenario.expect_check import check_expect
from avickit.lab.scenario.guest import instruction, program
from avickit.lab.scenario.names import Names
from avickit.lab.scenario.store import check_store
from avickit.lab.scenario.toml_lines import Path
from avickit.lab.scripts import prepare
from avickit.manual.cpuid import cpu_model
from avickit.museum.versions import chosen
from avickit.silicon.choices import apply_choices, apply_errata

MOST_NS = 1 << 62
FIRST_AVIC = 4
"""The patch that brings the variable svm_avic. (X4-6)"""


def check(names: Names, found: Mapping[str, Any]) -> None:
    """The whole file. Raises ScenarioError at the first thing that cannot be."""
    check_machine(names, found.get("machine", {}))
    boot = found.get("boot", {})
    if "svm_avic" in boot and boot.get("patches", FIRST_AVIC) < FIRST_AVIC:
        raise names.error(("boot", "svm_avic"), "the variable comes with patch 4")
    check_defects(names, boot)
    for index, rule in enumerate(found.get("rules", ())):
        names.rule(("rules", index), rule)
    for count in domains_of(found):
        names.add_domain(count)
    for index, step in enumerate(found.get("setup", ())):
        check_step(names, ("setup", index), step)
    for actor, steps in found.get("race", {}).items():
        for index, step in enumerate(steps):
            check_step(names, ("race", actor, index), step)
    if "expect" in found:
        check_expect(names, ("expect",), found["expect"])
        if isinstance(found["expect"].get("verdict"), dict) and "race" not in found:
            raise names.error(("expect", "verdict"), "memory models differ in a race only, and there is no [race]")
    check_open_at(names, found.get("open_at", {}))


def check_defects(names: Names, boot: Mapping[str, Any]) -> None:
    """A version and defects that there are, with the patches they need, and that go together."""
    patches, version = boot.get("patches", 10), boot.get("version")
    if version is not None:
        names.at(("boot", "version"), chosen, version, (), patches)
    for index, defect in enumerate(boot.get("defects", ())):
        names.at(("boot", "defects", index), chosen, None, (defect,), patches)
    if version is not None or boot.get("defects"):
        world = World()
        world.objects["cores"] = []
        names.at(("boot",), prepare, world, patches, None, version, tuple(boot.get("defects", ())))


def domains_of(found: Mapping[str, Any]) -> list[int]:
    """How many vCPUs each domain of the file has."""
    given = found.get("domain", [])
    return [domain["vcpus"] for domain in (given if isinstance(given, list) else [given])]


def check_machine(names: Names, machine: Mapping[str, Any]) -> None:
    """CPU, choices, errata and host IDs, each under its own key."""
    cpu = names.at(("machine", "cpu"), cpu_model, machine.get("cpu", "epyc"))
    for name, answer in machine.get("choices", {}).items():
        names.at(("machine", "choices", name), apply_choices, World(), {name: answer})
    names.at(("machine", "choices"), apply_choices, World(), machine.get("choices", {}))
    for index, number in enumerate(machine.get("errata", ())):
        world = World()
        world.objects["cpu"] = [cpu]
        names.at(("machine", "errata", index), apply_errata, world, [number])
    ids = machine.get("host_ids")
    if ids is not None and len(ids) != names.cores:
        raise names.error(("machine", "host_ids"), f"{len(ids)} given, expected one for each of {names.cores} cores")


def check_open_at(names: Names, where: Mapping[str, Any]) -> None:
    """A rule that exists, a mark that has been set."""
    if "rule" in where:
        names.rule(("open_at", "rule"), where["rule"])
    if "mark" in where and where["mark"] not in names.marks:
        known = ", ".join(names.marks) or "no mark"
        raise names.error(("open_at", "mark"), f"{where['mark']!r} given, expected one of the story's marks: {known}")
    if "beat" in where and len(where) > 1:
        raise names.error(("open_at",), "beat goes alone")


def check_step(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """Every key of a step."""
    for key in step:
        if key in CHECKS:
            CHECKS[key](names, (*place, key), step)


def vcpu(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A vCPU that exists at this point of the story."""
    names.vcpu(place, step[str(place[-1])])


def core(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A core of the machine."""
    names.at(place, in_range, "core", step["core"], 0, names.cores - 1)


def access(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A register, a size and a value that go together; `gives` fits what is read."""
    names.at(place, instruction, step)
    if step.get("gives", 0) >> 64:
        raise names.error((*place[:-1], "gives"), f"{step['gives']:#x} given, expected at most 64 bits")


def code(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """Each instruction of a program or handler."""
    for index, entry in enumerate(step[str(place[-1])]):
        names.at((*place, index), program, [entry])


def advance(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A number of nanoseconds that a clock can hold."""
    names.at(place, in_range, "nanoseconds", step["advance"], 0, MOST_NS)


def create_domain(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """From here on its vCPUs have names, unless it must fail."""
    names.add_domain(0 if "gives" in step else step["create_domain"])


def destroy_domain(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A domain that exists."""
    names.domain(place, step["destroy_domain"])


def mark(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """A name that no other mark has."""
    if step["mark"] in names.marks:
        raise names.error(place, f"{step['mark']!r} is a mark already")
    names.marks.append(step["mark"])


def expect(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """The same words as at the end of the story, but for the verdict."""
    if "verdict" in step["expect"]:
        raise names.error((*place, "verdict"), "the verdict is on the whole story, in [expect]")
    check_expect(names, place, step["expect"])


WHO = ("vcpu", "run", "migrate", "deschedule", "pause", "unpause", "wake", "set_irq", "nmi", "callback", "extint")
CHECKS: dict[str, Callable[[Names, Path, Mapping[str, Any]], None]] = {
    **dict.fromkeys(WHO, vcpu),
    **dict.fromkeys(("read", "write", "rdmsr", "wrmsr"), access),
    **dict.fromkeys(("execute", "handler"), code),
    **{f.__name__: f for f in (core, advance, create_domain, destroy_domain, mark, expect)},
    "store": check_store,
}
"""What is checked of each key of a step."""
