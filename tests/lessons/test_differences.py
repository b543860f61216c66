"""How an answer differs: in the register's own field names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.lessons.differences import differing, numbers, one_of, span
from avickit.manual.icr import ICRL


@pytest.mark.parametrize(
    ("mask", "said"), [(1, "bit 0"), (1 << 31, "bit 31"), (0xF0, "bits 7:4"), (0x800F, "bits 15, 3:0"), (3, "bits 1:0")]
)
def test_bits_in_words(mask: int, said: str) -> None:
    assert span(mask) == said


def test_fields_are_named() -> None:
    assert differing(ICRL, 0x41, 0x41) == ""
    assert differing(ICRL, ICRL(0x41), 0x4041) == "0x41 differs in bit 14 (LEVEL)."
    assert differing(ICRL, 0x42, 0x841) == "0x42 differs in bit 11 (DESTINATION_MODE), bits 1:0 (VECTOR)."
    assert differing(ICRL, 0x2041, 0x41) == "0x2041 differs in bit 13 (reserved)."
    assert differing(ICRL, 1 << 32, 0x41) == "0x100000000 does not fit: ICRL has 32 bits."
    assert differing(ICRL, "41h", 0x41) == "'41h' is no value of ICRL."


@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF_FFFF))
def test_it_is_silent_only_where_nothing_differs(got: int, right: int) -> None:
    assert (differing(ICRL, got, right) == "") == (got == right)


def test_other_answers() -> None:
    assert one_of("a", "ab") == ""
    assert one_of("c", "ab") == "'c' is not one of 'a', 'b'."
    assert numbers((1, ICRL(2)), 2) == (1, 2)
    assert numbers((1, True), 2) is numbers((1,), 2) is numbers([1, 2], 2) is numbers((1, "2"), 2) is None
