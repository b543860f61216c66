"""Lines of logs: the real warning, the formats, odd frames, and what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.errors import AvicError
from avickit.lab.log_lines import FORMATS, IncompleteIpi, Unaccelerated, parse, record
from avickit.manual.icr import ICRH, ICRL

REAL = "Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f"
"""KVM, kernel 5.8, a Windows guest, 2021."""
WORDS = st.integers(0, 0xFFFF_FFFF)


def test_the_real_warning() -> None:
    """H-EXIT-1: vector 2Fh, fixed, edge, logical, destination 04h; entry 2 of the logical table."""
    found = parse(REAL)
    assert isinstance(found, IncompleteIpi)
    assert (found.vcpu, found.id, found.table_index) == (0, 2, 2)
    assert found.icrh == ICRH(DESTINATION=4)
    assert str(found.icrl) == "0x0000082f (DESTINATION_MODE=LOGICAL, VECTOR=0x2f)"
    assert found.exit == (0x401, 0x0400_0000_0000_082F, 0x2_0000_0002)
    assert found.words() == [
        "On vCPU 0.",
        "AVIC_INCOMPLETE_IPI (0x401): hardware could not deliver an interrupt to every target.",
        "The guest asked for: FIXED vector 0x2f, EDGE, to logical destination 0x4.",
        "ID 2 INVALID_TARGET: a target is not in the table.",
        "Index 0x2 of the logical APIC ID table.",
    ]


def test_every_example_is_read() -> None:
    assert [record(parse(line))["exitcode"] for line in FORMATS] == [0x401, 0x401, 0x401, 0x402]


def test_frames_around_a_line() -> None:
    """What tracefs, dmesg and Xen put around it."""
    event = "vcpu=1, icrh:icrl=0x00000000:000c00fd, id=1, index=0"
    framed = f"  CPU 0/KVM-7068 [194] .....  1397.647770: kvm_avic_incomplete_ipi: {event}\n"
    assert parse(framed) == parse(event)
    assert parse(f"[   12.345678] kvm_amd: {REAL}") == parse(REAL)
    xen = parse("(XEN) SVM: Invalid bk page (icr=0x02000000:00000041, idx=2)")
    assert isinstance(xen, IncompleteIpi)
    assert (xen.vcpu, xen.id, xen.icrl) == (None, 3, ICRL(0x41))
    debug = parse("SVM: svm_avic_vmexit_do_incomp_ipi: cpu=0x3, vcpu=0x1, icrh:icrl=0x02000000:00000041, id=1, index=2")
    assert isinstance(debug, IncompleteIpi)
    assert debug.vcpu == 1


def test_unaccelerated_access() -> None:
    """H-EXIT-2."""
    found = parse("kvm_avic_unaccelerated_access: vcpu=3, offset=0xb0(APIC_EOI), trap, write, vec=0x51")
    assert found == Unaccelerated(3, 0xB0, "EOI", trap=True, write=True, vector=0x51)
    assert found.exit == (0x402, 0x1_0000_00B0, 0x51)
    assert "It ends vector 0x51, which is level-triggered." in found.words()
    read = parse("vcpu=0, offset=0x390(APIC_TMCCT), fault, read, vec=0x0")
    assert isinstance(read, Unaccelerated)
    assert (read.trap, read.write) == (False, False)
    assert read.exit == (0x402, 0x390, 0)


def test_a_register_whose_name_does_not_fit() -> None:
    line = "vcpu=0, offset=0x320({}), trap, write, vec=0x0"
    assert "lies at 0x80" in parse(line.format("APIC_TASKPRI")).words()[-1]
    assert "the manual does not know" in parse(line.format("UNKNOWN")).words()[-1]
    assert "which" not in parse(line.format("APIC_LVTT")).words()[-1]


@given(st.integers(0, 200), WORDS, WORDS, st.integers(0, 5), st.integers(0, 0xFFF))
def test_out_and_in(vcpu: int, icrh: int, icrl: int, cause: int, index: int) -> None:
    """Any 32-bit values, reserved bits included; the exit has them all."""
    found = parse(f"vcpu={vcpu}, icrh:icrl={icrh:#010x}:{icrl:08x}, id={cause}, index={index}")
    assert isinstance(found, IncompleteIpi)
    assert (found.vcpu, int(found.icrh), int(found.icrl), found.id) == (vcpu, icrh, icrl, cause)
    assert found.exit == (0x401, icrh << 32 | icrl, cause << 32 | index)
    assert record(found)["icrl"] == icrl
    assert found.words()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "an empty one"),
        ("kvm_exit: vcpu 0 reason hlt", "expected one of Invalid IPI target"),
        ("Invalid IPI target: index=2, vcpu=0, icr=0x4000000", "expected one of"),
        ("Invalid IPI target: index=2, vcpu=0, icr=0x123456789:0x82f", "ICRH 0x123456789 given"),
        ("vcpu=0, icrh:icrl=0x0:123456789, id=1, index=2", "ICRL 0x123456789 given"),
        ("vcpu=0, icrh:icrl=0x0:1, id=1, index=5000", "index 0x1388 given, expected at most 0xfff"),
        ("vcpu=0, offset=0x1000(X), trap, write, vec=0", "offset 0x1000 given"),
        ("vcpu=0, offset=0xb0(X), trap, write, vec=0x100", "vec 0x100 given"),
    ],
)
def test_what_cannot_be_read(line: str, words: str) -> None:
    with pytest.raises(AvicError) as caught:
        parse(line)
    assert words in str(caught.value)
