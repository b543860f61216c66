"""Accesses to the APIC page that Xen emulates: 1, 2 and 4 bytes of a register. (Xen vlapic_read, vlapic_write)

Does not model: 8-byte accesses split by the emulator. What Xen's decoder would refuse never gets here.
"""

from avickit.beat import Beats, Op, World
from avickit.manual.apic import Offset
from avickit.silicon.access import WORD
from avickit.silicon.parts import Core
from avickit.xen.parts import Vcpu, domain_crash
from avickit.xen.vlapic_regs import BYTES_IN_REGISTER, vlapic_reg_read, vlapic_reg_write

LAST_BYTE = Offset.TDCR + BYTES_IN_REGISTER - 1
"""3E3h: behind it nothing is served. (X0-4)"""
SIZES = (1, 2, 4)


@Op
def vlapic_mmio_read(w: World, core: Core, v: Vcpu, offset: int, size: int) -> Beats[int]:
    """`size` bytes at an offset of the APIC page; 0 behind 3E3h. (X0-2, X0-4)

    An access of another size, or across the end of a register, crashes the domain and reads 0.
    """
    if offset > LAST_BYTE:
        return 0
    if not inside(offset, size):
        yield from bad_access(w, v, "read", offset, size)
        return 0
    first = offset % BYTES_IN_REGISTER
    value = yield from vlapic_reg_read(w, core, v, offset - first)
    return value >> 8 * first & mask_of(size)


@Op
def vlapic_mmio_write(w: World, core: Core, v: Vcpu, offset: int, value: int, size: int) -> Beats[None]:
    """Write `size` bytes; the register's other bytes are what a read gives. Ignored behind 3E3h. (X0-2, X0-4)

    An access of another size, or across the end of a register, crashes the domain and writes nothing.
    """
    if offset > LAST_BYTE:
        return
    if not inside(offset, size):
        yield from bad_access(w, v, "write", offset, size)
        return
    first = offset % BYTES_IN_REGISTER
    value = (value & mask_of(size)) << 8 * first
    if size != BYTES_IN_REGISTER:
        old = yield from vlapic_reg_read(w, core, v, offset - first)
        value |= old & ~(mask_of(size) << 8 * first) & WORD
    yield from vlapic_reg_write(w, core, v, offset - first, value)


@Op
def bad_access(w: World, v: Vcpu, what: str, offset: int, size: int) -> Beats[None]:
    """An access that no local APIC serves: the domain is crashed. (X0-4)"""
    yield from domain_crash(w, v.domain, f"{v.name}: LAPIC {what} of {size} bytes at offset {offset:#x}")


def inside(offset: int, size: int) -> bool:
    """Whether the bytes lie in one register. `inside(0x302, 2)` does, `inside(0x303, 2)` does not. (X0-4)"""
    return size in SIZES and offset % BYTES_IN_REGISTER + size <= BYTES_IN_REGISTER


def mask_of(size: int) -> int:
    """The bits of `size` bytes."""
    return (1 << 8 * size) - 1
