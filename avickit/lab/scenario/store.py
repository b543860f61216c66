"""The scenario step `store`: what software of the host writes to a page behind Xen's back.

Does not model: clean bits; a second step writes them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avickit.bits import Register
from avickit.errors import AvicError
from avickit.lab import host_store, wanted
from avickit.lab.scenario.names import Names
from avickit.lab.scenario.toml_lines import Path
from avickit.manual.apic import row_at
from avickit.manual.tables import LogicalEntry, PhysicalEntry

if TYPE_CHECKING:
    from avickit.lab.scenario.run import Runner

BANKS = ("ISR", "TMR", "IRR")


def check_store(names: Names, place: Path, step: Mapping[str, Any]) -> None:
    """One place, and one way to say what goes there."""
    where = [key for key in ("vmcb", "page", "physical", "logical", "nested") if key in step]
    what = [key for key in ("set", "value", "vectors") if key in step]
    if len(where) != 1 or len(what) != 1:
        raise names.error(place, "expected one of vmcb page physical logical nested, and one of set value vectors")
    key, home = where[0], place[:-1]
    if key in ("vmcb", "page"):
        names.vcpu(place, step["store"])
    else:
        names.domain(place, step["store"])
    is_bank = key == "page" and step["page"].upper() in BANKS
    if ("vectors" in step) != is_bank:
        raise names.error((*home, what[0]), "vectors goes with page ISR, TMR and IRR, and these with vectors")
    if is_bank:
        return
    register = names.at((*home, key), register_of_store, key, step[key])
    if what[0] == "value":
        names.at((*home, "value"), wanted.wanted, register, step["value"])
        return
    for name in step["set"]:
        names.at((*home, "set", name), wanted.wanted, register, {name: step["set"][name]})


def register_of_store(key: str, name: Any) -> type[Register]:
    """The register that a store step changes."""
    if key == "vmcb":
        return wanted.vmcb_register(name)[1]
    if key == "page":
        offset, register = wanted.page_register(name)
        if row_at(offset).name in BANKS:
            raise AvicError.of("store to the page", name, "ISR, TMR or IRR as a whole, with vectors")
        return register
    return {"physical": PhysicalEntry, "logical": LogicalEntry, "nested": host_store.NestedLeaf}[key]


def store(r: "Runner", step: Mapping[str, Any]) -> None:
    """Software of the host writes to a page."""
    if "vectors" in step:
        place = r.vcpu(step["store"]).page.place + (wanted.page_register(step["page"])[0] >> 4)
        host_store.store_vectors(r.machine, place, step["vectors"])
        return
    what, place, register = stored(r, step)
    if "value" in step:
        host_store.store_value(r.machine, what, place, step["value"])
    else:
        fields = wanted.fields_of(register, step["set"])
        host_store.store_fields(r.machine, what, place, register, fields)


def stored(r: "Runner", step: Mapping[str, Any]) -> tuple[str, int, type[Register]]:
    """Which kind of page, which place, which register."""
    if "vmcb" in step:
        offset, register = wanted.vmcb_register(step["vmcb"])
        return "vmcb", r.vcpu(step["store"]).vmcb.place + (offset >> 3), register
    if "page" in step:
        offset, register = wanted.page_register(step["page"])
        return "page", r.vcpu(step["store"]).page.place + (offset >> 4), register
    domain = r.domain(step["store"])
    if "nested" in step:
        return "nested", host_store.nested_leaf(r.machine, domain.domain.index), host_store.NestedLeaf
    if "physical" in step:
        return "table", domain.physical_table.place + step["physical"], PhysicalEntry
    return "table", domain.logical_table.place + step["logical"], LogicalEntry
