"""avickit: AMD's AVIC and the Xen series that brought it, as a machine you can run without the machine."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avickit.errors import AvicError
    from avickit.lab.exhibit import exhibit
    from avickit.lab.explore import explore
    from avickit.lab.machine import Machine
    from avickit.show import Compare, MachineView, PageView, Predict, Stepper, look
    from avickit.silicon.guest import Insn, eoi, read, write
    from avickit.workload.closed import closed_form
    from avickit.workload.engine import simulate
    from avickit.workload.parameters import Parameters
    from avickit.workload.sweep import sweep

__version__ = "0.1.0"
__all__ = [
    "AvicError",
    "Compare",
    "Insn",
    "Machine",
    "MachineView",
    "PageView",
    "Parameters",
    "Predict",
    "Stepper",
    "__version__",
    "closed_form",
    "eoi",
    "exhibit",
    "explore",
    "look",
    "read",
    "simulate",
    "sweep",
    "write",
]

_WHERE = {
    "AvicError": "avickit.errors",
    "Compare": "avickit.show",
    "Insn": "avickit.silicon.guest",
    "Machine": "avickit.lab.machine",
    "MachineView": "avickit.show",
    "PageView": "avickit.show",
    "Parameters": "avickit.workload.parameters",
    "Predict": "avickit.show",
    "Stepper": "avickit.show",
    "closed_form": "avickit.workload.closed",
    "eoi": "avickit.silicon.guest",
    "exhibit": "avickit.lab.exhibit",
    "explore": "avickit.lab.explore",
    "look": "avickit.show",
    "read": "avickit.silicon.guest",
    "simulate": "avickit.workload.engine",
    "sweep": "avickit.workload.sweep",
    "write": "avickit.silicon.guest",
}


def __getattr__(name: str) -> object:
    """Load what is asked for when it is asked for: `import avickit` stays quick."""
    if name not in _WHERE:
        raise AttributeError(f"module 'avickit' has no attribute {name!r}")
    if name in ("Machine", "exhibit", "explore"):
        import_module("avickit.show")  # it gives what these hand out its HTML form
    return getattr(import_module(_WHERE[name]), name)
