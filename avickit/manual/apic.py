"""The local APIC as the guest sees it: names and offsets, the register map with its access filter, the registers.

Gathers `apic_names`, `apic_map`, `apic_registers`, `apic_lvt` and `vectors` under one name.
Does not model: behaviour; that is silicon's work.
"""

from avickit.manual.apic_lvt import *  # noqa: F403
from avickit.manual.apic_map import *  # noqa: F403
from avickit.manual.apic_names import *  # noqa: F403
from avickit.manual.apic_registers import *  # noqa: F403
from avickit.manual.vectors import *  # noqa: F403
