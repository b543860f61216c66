"""The local vector table: which bits each entry keeps, and what a write of one does. (Xen vlapic_reg_write)

Does not model: what depends on LVT0 (the 8259) and on the performance counter's LVT (vPMU).
"""

from avickit.beat import STORE, Beats, Kind, Op, Site, World
from avickit.manual.apic import LvtError, LvtLint0, LvtPerf, LvtThermal, LvtTimer, Offset
from avickit.silicon.access import WORD
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu
from avickit.xen.vlapic_state import at, vlapic_sw_disabled
from avickit.xen.vlapic_timer import vlapic_lvtt_changes

LVTS = range(Offset.LVT_TIMER, Offset.LVT_ERROR + 1, 0x10)
"""The six entries of the local vector table. (X0-1)"""
LVT_BASE = LvtError.MASK.mask | LvtError.DELIVERY_STATUS.mask | LvtError.VECTOR.mask
LVT_MASK = {
    Offset.LVT_TIMER: LVT_BASE | LvtTimer.MODE.mask,
    Offset.LVT_THERMAL: LVT_BASE | LvtThermal.MESSAGE_TYPE.mask,
    Offset.LVT_PERF: LVT_BASE | LvtPerf.MESSAGE_TYPE.mask,
    Offset.LVT_LINT0: WORD & ~LvtLint0.reserved.mask,
    Offset.LVT_LINT1: WORD & ~LvtLint0.reserved.mask,
    Offset.LVT_ERROR: LVT_BASE,
}
"""The bits that each LVT keeps. (X0-4a)"""
SET_LVT = Site(Kind.UPDATE, STORE, "X0-4a", "Xen vlapic_reg_write", "the entry keeps its own bits: {place} is {new}")


@Op
def vlapic_write_lvt(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """An LVT keeps its own bits, and is masked while the APIC is disabled by software. (X0-4, X0-4a)"""
    if (yield from vlapic_sw_disabled(w, core, v)):
        value |= LvtError.MASK.mask
    yield SET_LVT(at(v, offset), value & LVT_MASK[offset])


@Op
def vlapic_write_lvtt(w: World, core: Core, v: Vcpu, offset: int, value: int) -> Beats[None]:
    """The timer's LVT: the timer changes its mode first, then the value is stored. (X0-4, X0-4a, X25)"""
    yield from vlapic_lvtt_changes(w, core, v, value)
    yield from vlapic_write_lvt(w, core, v, offset, value)
