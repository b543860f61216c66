"""Writing a page as software of the host: recorded, replayed, and refused where it does not fit."""

import pytest

from avickit import Machine
from avickit.errors import AvicError


def test_a_field_a_word_an_entry_a_register() -> None:
    m = Machine(cores=2)
    dom = m.boot("svm=avic").create_domain(vcpus=2)
    v = dom.vcpus[0]
    before = v.vmcb["CLEAN"]
    v.vmcb.store("PHYSICAL_TABLE", MAX_INDEX=1)
    v.vmcb.store("APIC_BAR", 0x1000)
    dom.physical_table.store(2, IS_RUNNING=1)
    v.page.store("LDR", 0x0200_0000)
    v.page.store("ICRL", MESSAGE_TYPE="NMI")
    assert v.vmcb["PHYSICAL_TABLE"].value & 0xFFF == 1
    assert v.vmcb["APIC_BAR"].value == 0x1000
    assert v.vmcb["CLEAN"] == before, "no clean bit changes by itself (H-VMCB-11)"
    assert dom.physical_table[2].value >> 62 == 0b11
    assert (v.page["LDR"], v.page["ICRL"]) == (0x0200_0000, 0x400)
    assert [c.name for c in m.trace.commands][-5:] == ["host_store"] * 5
    assert m.fork().world.at == m.world.at


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d: d.vcpus[0].vmcb.store("PHYSICAL_TABEL", 0), "PHYSICAL_TABLE"),
        (lambda d: d.vcpus[0].vmcb.store("VINTR", V_TRP=0), "V_TPR"),
        (lambda d: d.vcpus[0].vmcb.store("VINTR", V_TPR=16), "0..0xf"),
        (lambda d: d.vcpus[0].vmcb.store("VINTR", 1 << 64), "64 bits"),
        (lambda d: d.vcpus[0].vmcb.store("VINTR"), "either a value, or fields"),
        (lambda d: d.vcpus[0].vmcb.store("VINTR", 0, V_TPR=1), "either a value, or fields"),
        (lambda d: d.vcpus[0].page.store("IRR", 1), "one that has fields"),
        (lambda d: d.physical_table.store(256, 0), "0..255"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(call: "object", said: str) -> None:
    m = Machine(cores=2)
    dom = m.boot("svm=avic").create_domain(vcpus=2)
    before = m.world.at.copy()
    with pytest.raises(AvicError) as refused:
        call(dom)  # type: ignore[operator]
    assert said in str(refused.value)
    assert m.world.at == before
