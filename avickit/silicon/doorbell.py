"""The doorbell: how one core tells another to look at the page of the vCPU it runs. (APM2 15.29.8.2 p.578-579)

Does not model: how long the message is under way between cores.
"""

from avickit.beat import AND, SIGNAL, Beats, Kind, Op, Site, World
from avickit.errors import AvicError
from avickit.silicon.parts import DOORBELL, Core

MSR_DOORBELL = 0xC001_011B
"""MSR C001_011Bh; write only. (H-BELL-1)"""
MAX_DOORBELL_ID = 0xFF

RING = Site(Kind.SIGNAL, SIGNAL, "H-BELL-1", "APM2 15.29.8.2 p.578", "rings the doorbell of {area}")
HEAR = Site(Kind.READ, AND, "H-BELL-2", "APM2 15.29.8.2 p.579", "the doorbell reaches {area} in guest mode")
MISS = Site(Kind.READ, AND, "H-BELL-3", "APM2 15.29.8.2 p.579", "the doorbell reaches {area} in host mode: no effect")


@Op
def ring(w: World, core: Core, host_apic_id: int) -> Beats[None]:
    """Signal the core with this physical APIC ID; an ID that no core has rings nowhere. (H-BELL-1)"""
    by_id: list[Core | None] = w.objects["core_of"]
    rung = by_id[host_apic_id] if host_apic_id < len(by_id) else None
    if rung is not None:
        yield RING(rung.signals, DOORBELL)


@Op
def write_doorbell_msr(w: World, core: Core, value: int) -> Beats[bool]:
    """WRMSR C001_011Bh by software: false is #GP, for bits 63:8. (H-BELL-1, OPEN for IDs above 255)"""
    if value > MAX_DOORBELL_ID:
        return False
    yield from ring(w, core, value)
    return True


def read_doorbell_msr() -> int:
    """RDMSR C001_011Bh is #GP: the register is write only. (H-BELL-1)"""
    raise AvicError(f"MSR {MSR_DOORBELL:#x} is write only: RDMSR is #GP (H-BELL-1, APM2 15.29.8.2)")


@Op
def hear(w: World, core: Core) -> Beats[None]:
    """The core notices its doorbell in guest mode. What it then evaluates is the vCPU it runs. (H-BELL-2)"""
    yield HEAR(core.signals, ~DOORBELL)


@Op
def miss(w: World, core: Core) -> Beats[None]:
    """A doorbell in host mode has no effect; the next VMRUN evaluates anyway. (H-BELL-3, OPEN)"""
    yield MISS(core.signals, ~DOORBELL)
