"""The ten patches of "[PATCH v2 00/10] Introduce AMD SVM AVIC", one module each, in order.

`apply(w, n)` brings the first n; each module has one `apply(w)` and imports only earlier ones. The modules hold the
intended behaviour; a place where the published code differs is a step of its own, marked with the defect's number.
"""

from avickit.beat import World
from avickit.errors import in_range
from avickit.series import (
    p01_vmcb_fields,
    p02_rename_accessor,
    p03_non_static,
    p04_initialization,
    p05_vmexit_handlers,
    p06_scheduling,
    p07_interrupts,
    p08_hooks,
    p09_option,
    p10_statistics,
)
from avickit.xen.parts import xen

PATCHES = (
    p01_vmcb_fields,
    p02_rename_accessor,
    p03_non_static,
    p04_initialization,
    p05_vmexit_handlers,
    p06_scheduling,
    p07_interrupts,
    p08_hooks,
    p09_option,
    p10_statistics,
)


def apply(w: World, n: int) -> None:
    """Bring the first n patches to a freshly made Xen. Raises AvicError unless 0 <= n <= 10."""
    for patch in PATCHES[: in_range("patches", n, 0, len(PATCHES))]:
        patch.apply(w)
    xen(w).patches = n


def title(n: int) -> str:
    """The subject line of patch n: the first line of its module."""
    return (PATCHES[n - 1].__doc__ or "").partition("\n")[0].rstrip(".")
