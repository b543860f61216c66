"""Xen's AVIC statistics as text: the real dump, both layouts, what our own Xen prints, what is wrong with a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avickit import Machine, data
from avickit.errors import AvicError
from avickit.lab.stats import Counters, parse

AFTER_EACH_VMCB = """\
(XEN) *********** VMCB Areas **************
(XEN)
(XEN) >>> Domain 3 <<<
(XEN) \tVCPU 0
(XEN) Size of VMCB = 4096, paddr = 0000000000008000, vaddr = 0xffff
(XEN) *** SVM AVIC Stats ***
(XEN) \t* incomp_ipi = 7
(XEN) \t* noaccel   = 8
(XEN) \t* post_intr = 9
(XEN) \t* doorbell  = 4294967295
(XEN) **********************
(XEN) **************************************
"""


def test_the_real_dump() -> None:
    """X10-2: two vCPUs of an Epyc; noaccel is far above incomp_ipi."""
    found = parse(data.path("avic-stats-epyc.txt").read_text("utf-8"))
    assert found == {1: {0: Counters(3110, 236475, 116176, 715), 1: Counters(2565, 233061, 115765, 771)}}
    assert all(counters.noaccel > 70 * counters.incomp_ipi for counters in found[1].values())


def test_the_layout_after_each_vmcb() -> None:
    assert parse(AFTER_EACH_VMCB) == {3: {0: Counters(7, 8, 9, 0xFFFF_FFFF)}}


def test_time_stamps_of_xen() -> None:
    assert parse(AFTER_EACH_VMCB.replace("(XEN) ", "(XEN) [2018-09-17 10:00:01.123] ")) == parse(AFTER_EACH_VMCB)


def test_what_our_own_key_prints() -> None:
    """X10-1: the kit reads what the kit prints."""
    m = Machine(cores=3)
    xen = m.boot("svm=avic")
    a, b = xen.create_domain(vcpus=2).vcpus
    xen.run(a, core=0)
    a.guest.write("ICRH", b.apic_id << 24)
    a.guest.write("ICRL", 0x41)
    a.guest.write("SVR", 0x1FF)
    xen.set_irq(a, 0x52)
    found = parse("\n".join(xen.key("i")))
    assert found == {1: {0: Counters(1, 1, 1, 1), 1: Counters(0, 0, 0, 0)}}
    assert found[1][0]._asdict() == a.stats


NUMBERS = st.integers(0, 0xFFFF_FFFF)
DUMPS = st.dictionaries(
    st.integers(1, 9),
    st.dictionaries(st.integers(0, 127), st.builds(Counters, NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1),
    min_size=1,
)


@settings(max_examples=30)
@given(DUMPS)
def test_out_and_in(dump: dict[int, dict[int, Counters]]) -> None:
    lines = ["*********** SVM AVIC Statistics **************"]
    for domain, vcpus in dump.items():
        lines.append(f">>> Domain {domain} <<<")
        for vcpu, counters in vcpus.items():
            lines.append(f"\tVCPU {vcpu}")
            lines += [f"\t* {name:<10} = {number}" for name, number in counters._asdict().items()]
    assert parse("\n".join(lines)) == dump


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no counter"),
        ("hello\n", "no counter"),
        ("* noaccel = 1\n", "line 1: noaccel belongs to nobody"),
        (">>> Domain 1 <<<\n* noaccel = 1\n", "line 2: noaccel belongs to nobody"),
        (">>> Domain x <<<\n", "line 1: domain: 'x' given"),
        (">>> Domain 1 <<<\nVCPU x\n", "line 2: VCPU: 'x' given"),
        (">>> Domain 1 <<<\nVCPU 0\n* noaccel = 1x\n", "line 3: noaccel: '1x' given"),
        (">>> Domain 1 <<<\nVCPU 0\n* noaccel = \n", "line 3: noaccel: '' given"),
        (">>> Domain 1 <<<\nVCPU 0\n* noaccel = -1\n", "line 3: noaccel: '-1' given"),
        (">>> Domain 1 <<<\nVCPU 0\n* noaccel = 4294967296\n", "expected a number of 32 bits"),
        (
            ">>> Domain 1 <<<\nVCPU 0\n* noaccel = 1\n* noaccel = 1\n",
            "line 4: noaccel of domain 1 VCPU 0 comes",
        ),
        (">>> Domain 1 <<<\nVCPU 0\n* noaccel = 1\n", "VCPU 0: incomp_ipi, post_intr, doorbell missing"),
    ],
)
def test_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(AvicError) as caught:
        parse(text)
    assert words in str(caught.value)
