"""avickit: AMD's AVIC and the Xen series that brought it, as a machine you can run without the machine."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avickit.errors import AvicError
    from avickit.lab.machine import Machine

__version__ = "0.1.0"
__all__ = ["AvicError", "Machine", "__version__"]

_WHERE = {"Machine": "avickit.lab.machine", "AvicError": "avickit.errors"}


def __getattr__(name: str) -> object:
    """Load what is asked for when it is asked for: `import avickit` stays quick."""
    if name not in _WHERE:
        raise AttributeError(f"module 'avickit' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
