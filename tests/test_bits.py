"""How a register is declared: every bit spoken for, nothing masked in silence."""

from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avickit.bits import Bit, Bits, Register, Reserved, show
from avickit.errors import AvicError


class Colour(IntEnum):
    RED = 0
    BLUE = 2


class Sample(Register, width=16):
    """A register of the tests: one bit, a number, an enumeration, and two reserved spans."""

    ON = Bit(15, "it is on")
    NUMBER = Bits(11, 4, "a number")
    COLOUR = Bits(3, 2, "a colour", Colour)
    RESERVED = Reserved((14, 12), (1, 0))


def test_fields_read_what_was_put_in() -> None:
    value = Sample(ON=1, NUMBER=0x41, COLOUR=Colour.BLUE)
    assert int(value) == 0x8418
    assert (value.ON, value.NUMBER, value.COLOUR) == (1, 0x41, Colour.BLUE)
    assert isinstance(value.COLOUR, Colour)


def test_a_value_without_a_name_stays_a_number() -> None:
    assert Sample(COLOUR=1).COLOUR == 1
    assert not isinstance(Sample(COLOUR=1).COLOUR, Colour)


def test_the_class_shows_the_declaration() -> None:
    assert Sample.NUMBER.where == "bits 11:4"
    assert Sample.ON.where == "bit 15"
    assert (Sample.NUMBER.name, Sample.NUMBER.doc, Sample.NUMBER.mask, Sample.NUMBER.max) == (
        "NUMBER",
        "a number",
        0x0FF0,
        0xFF,
    )
    assert list(Sample.fields) == ["ON", "NUMBER", "COLOUR"], "highest bits first"


def test_bits_declared_twice_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Twice: bits 0x10 are declared twice"):

        class Twice(Register, width=8):
            LOW = Bits(4, 0, "low")
            HIGH = Bits(7, 4, "high")


def test_a_field_over_a_reserved_bit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Over: bits 0x80 are declared twice"):

        class Over(Register, width=8):
            ALL = Bits(7, 0, "all")
            RESERVED = Reserved(7)


def test_a_forgotten_bit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Hole: bits 0x8 are not declared"):

        class Hole(Register, width=8):
            LOW = Bits(2, 0, "low")
            HIGH = Bits(7, 4, "high")


def test_reserved_bits_are_refused_with_register_bits_and_value() -> None:
    with pytest.raises(AvicError, match=r"Sample: reserved bits 14:12, 1:0 are set in 0x4001, expected 0"):
        Sample(0x4001)


def test_raw_keeps_and_shows_reserved_bits() -> None:
    value = Sample.raw(0x4001)
    assert int(value) == 0x4001
    assert repr(value) == "Sample.raw(0x4001)"
    assert str(value) == "0x4001 (RESERVED[14:12, 1:0]!)"


def test_raw_cuts_what_is_too_wide() -> None:
    assert int(Sample.raw(0x1_8000)) == 0x8000


@pytest.mark.parametrize("value", [-1, 0x1_0000])
def test_a_value_too_wide_is_refused(value: int) -> None:
    with pytest.raises(AvicError, match=r"Sample: -?0x\w+ given, expected a value of 16 bits"):
        Sample(value)


def test_a_part_that_does_not_fit_is_refused() -> None:
    with pytest.raises(AvicError, match=r"field NUMBER \(bits 11:4\): 0x100 given, expected 0..0xff"):
        Sample(NUMBER=0x100)
    with pytest.raises(AvicError, match=r"field ON \(bit 15\): -0x1 given, expected 0..0x1"):
        Sample(ON=-1)


def test_an_unknown_field_is_refused_with_the_choices() -> None:
    with pytest.raises(AvicError, match=r"field of Sample: SIZE given, expected ON NUMBER COLOUR"):
        Sample(SIZE=1)


def test_replace_changes_one_field_of_a_copy() -> None:
    before = Sample(NUMBER=1)
    after = before.replace(ON=1)
    assert (int(before), int(after)) == (0x0010, 0x8010)


def test_registers_are_immutable() -> None:
    with pytest.raises(AttributeError, match=r"Sample is immutable; use replace\(ON=...\)"):
        Sample().ON = 1


def test_str_shows_value_and_fields_by_name() -> None:
    assert str(Sample(0x8418)) == "0x8418 (ON=1, NUMBER=0x41, COLOUR=BLUE)"
    assert str(Sample()) == "0x0000"


def test_repr_can_be_typed_back_in() -> None:
    for value in (Sample(0x8418), Sample.raw(0x4001)):
        assert eval(repr(value)) == value


def test_equality_is_by_value_also_with_numbers() -> None:
    assert Sample(0x10) == 0x10 == Sample(NUMBER=1)
    assert Sample(0x10) != Sample(0x20)
    assert Sample(0x10) != "0x10"
    assert len({Sample(0x10), Sample(0x10)}) == 1
    assert hex(Sample(0x10)) == "0x10"


def test_parts_come_highest_first() -> None:
    assert [(f.name, v) for f, v in Sample(0x8418).parts()] == [("ON", 1), ("NUMBER", 0x41), ("COLOUR", Colour.BLUE)]


def test_show_names_what_has_a_name() -> None:
    assert [show(v) for v in (Colour.BLUE, 0, 1, 2, 0x41)] == ["BLUE", "0", "1", "0x2", "0x41"]


@given(st.integers(0, 0xFFFF))
def test_decode_and_encode_are_inverse(value: int) -> None:
    kept = value & ~Sample.reserved.mask
    assert Sample(**{f.name: int(v) for f, v in Sample(kept).parts()}) == kept
    assert int(Sample.raw(value)) == value
