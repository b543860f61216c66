"""Small machines for the tests of the series: those of the proofs, unbroken."""

from typing import Any

from tests.proofs.frame import maker
from tests.proofs.xen_tools import Lab
from tests.proofs.xen_tools import lab as any_lab


def lab(vcpus: int = 2, **kw: Any) -> Lab:
    """A booted machine with one domain whose vCPUs run on cores 0, 1, 2..., their APICs enabled."""
    return any_lab(maker(), vcpus, **kw)


def heap(on: Any) -> int:
    """The pages that are taken, a bit each, as a number; page 0 is never handed out."""
    return int(on.world.at[on.world.objects["memory"][0].taken] | 1)
