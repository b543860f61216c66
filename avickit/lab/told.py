"""The commands of a log in words, and what makes two of them the same command on two machines.

    tell(w, Command("run", (1, 0), 120))        'run d1v1 on core 0'

Does not model: what a command does (`scripts`), what follows from it (the beats say that).
"""

from collections.abc import Callable, Hashable

from avickit.beat import World
from avickit.lab import names
from avickit.lab.trace import Command
from avickit.lab.words import insn_text

MOST_INSNS = 4
"""So many instructions of a program are listed."""


def tell(w: World, command: Command) -> str:
    """The command in a few words."""
    return TOLD[command.name](w, *command.args) if command.name in TOLD else command.name.replace("_", " ")


def key(w: World, command: Command) -> Hashable:
    """Equal for two commands, if they are the same step of the same program; how Xen was booted does not count."""
    if command.name == "boot_xen":
        return command.name
    if command.name == "execute":
        return command.name, vcpu(w, command.args[0]), code(w, command.args[1])
    if command.name == "on":
        who, vector, program = command.args
        return command.name, vcpu(w, who), vector, code(w, program)
    return command.name, tell(w, command)


def vcpu(w: World, index: int) -> str:
    """`d1v0`."""
    return str(w.objects["vcpus"][index].name)


def code(w: World, program: int) -> Hashable:
    """A program by what it is: its instructions, or the name of the function that yields them."""
    found = w.programs[program - 1] if program else None
    return found if isinstance(found, tuple) else getattr(found, "__qualname__", type(found).__name__)


def code_text(w: World, program: int) -> str:
    """A program in words: `write 41h to ICRL`, `write 2000000h to ICRH, write 41h to ICRL`."""
    found = code(w, program)
    if not isinstance(found, tuple):
        return "no handler" if not program else f"{str(found).rpartition('.')[2]}()"
    more = [f"and {len(found) - MOST_INSNS} more"] if len(found) > MOST_INSNS else []
    return ", ".join([*map(insn_text, found[:MOST_INSNS]), *more]) or "nothing"


def boot(
    w: World,
    cmdline: str,
    patches: int,
    svm_avic: bool | None,
    version: str | None = None,
    defects: tuple[str, ...] = (),
) -> str:
    """How Xen was booted."""
    more = [f"version {version}"] if version else []
    more += [f"defects {' '.join(defects)}"] if defects else []
    more += [] if svm_avic is None else [f"svm_avic = {int(svm_avic)}"]
    return ", ".join([f"boot Xen with {patches} patches: {cmdline or 'no option'}", *more])


def irq(w: World, index: int, vector: int, level: bool, core: int | None) -> str:
    """A device model's interrupt."""
    where = "" if core is None else f" from core {core}"
    return f"raise {'level ' if level else ''}vector {vector:X}h for {vcpu(w, index)}{where}"


def off(w: World, index: int, sync: bool) -> str:
    """Off its core."""
    return f"deschedule {vcpu(w, index)}{', saving it at once' if sync else ''}"


def stored(w: World, what: str, place: int, value: int) -> str:
    """What software of the host stores."""
    return f"store {value:X}h to {names.long(w, place)}"


def bell(w: World, host_apic_id: int) -> str:
    """A doorbell that software rings."""
    by_id = w.objects["core_of"]
    return f"ring the doorbell of {by_id[host_apic_id] if host_apic_id < len(by_id) else 'no core'}"


TOLD: dict[str, Callable[..., str]] = {
    "boot_xen": boot,
    "create_domain": lambda w, n: f"create a domain with {n} vCPU{'s' if n > 1 else ''}",
    "destroy_domain": lambda w, index: f"destroy d{index}",
    "execute": lambda w, who, program: f"{vcpu(w, who)}: {code_text(w, program)}",
    "on": lambda w, who, vector, program: f"{vcpu(w, who)} handles {vector:X}h with {code_text(w, program)}",
    "set_cpl": lambda w, who, cpl: f"{vcpu(w, who)} is at CPL {cpl}",
    "run": lambda w, who, core: f"run {vcpu(w, who)} on core {core}",
    "deschedule": off,
    "pause": lambda w, who: f"pause {vcpu(w, who)}",
    "unpause": lambda w, who: f"unpause {vcpu(w, who)}",
    "wake": lambda w, who: f"unblock {vcpu(w, who)}",
    "set_irq": irq,
    "event": lambda w, who, source, vector: f"raise {source} {f'{vector:X}h ' if vector else ''}for {vcpu(w, who)}",
    "key": lambda w, letter: f"debug key {letter}",
    "advance": lambda w, ns: f"{ns} ns pass",
    "host_store": stored,
    "ring": bell,
    "race": lambda w, specs, *_: f"a race of {len(specs)} in one order",
}
"""The words of each command: arguments as `lab.scripts` has them."""
