"""Every register of the manual, found by walking the package: declared whole, decoded and encoded without loss."""

import importlib
import pkgutil
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import avickit.manual
from avickit.bits import Register
from avickit.errors import AvicError
from avickit.manual.words import Word

MODULES = [importlib.import_module(f"avickit.manual.{m.name}") for m in pkgutil.iter_modules(avickit.manual.__path__)]
OWN = {value for module in MODULES for value in vars(module).values() if isinstance(value, type)}
REGISTERS = sorted((c for c in OWN if issubclass(c, Register) and c is not Register), key=lambda c: c.__name__)
WORDS = sorted((c for c in OWN if issubclass(c, Word) and c is not Word), key=lambda c: c.__name__)
FEW = settings(max_examples=12, deadline=None, derandomize=True)


def test_the_walk_finds_them() -> None:
    assert len(REGISTERS) > 50
    assert len(WORDS) > 9


@pytest.mark.parametrize("register", REGISTERS, ids=lambda c: c.__name__)
@FEW
@given(data=st.data())
def test_decode_and_encode_are_inverse(register: type[Register], data: st.DataObject) -> None:
    value = data.draw(st.integers(0, (1 << register.width) - 1))
    kept = value & ~register.reserved.mask
    decoded = register(kept)
    assert int(decoded) == kept
    assert register(**{f.name: int(v) for f, v in decoded.parts()}) == decoded
    assert eval(repr(decoded), {register.__name__: register}) == decoded
    assert int(register.raw(value)) == value


@pytest.mark.parametrize("register", [r for r in REGISTERS if r.reserved.mask], ids=lambda c: c.__name__)
@FEW
@given(data=st.data())
def test_reserved_bits_are_refused(register: type[Register], data: st.DataObject) -> None:
    """The message names the register, the bits and the value."""
    msb, lsb = data.draw(st.sampled_from(register.reserved.spans))
    value = 1 << data.draw(st.integers(lsb, msb))
    with pytest.raises(AvicError) as error:
        register(value)
    said = str(error.value)
    span = str(msb) if msb == lsb else f"{msb}:{lsb}"
    assert said.startswith(f"{register.__name__}: reserved bits {span} are set in {value:#0{register.width // 4 + 2}x}")
    assert register.raw(value).reserved.hit(value) == span


@pytest.mark.parametrize("register", REGISTERS, ids=lambda c: c.__name__)
def test_each_register_cites_its_source_and_explains_its_fields(register: type[Register]) -> None:
    doc = register.__doc__ or ""
    assert re.search(r"APM[23]|Table B-1|p\.\d", doc), "names the manual's section"
    assert re.search(r"H-[A-Z0-9]+-[0-9A-F]+|Table B-1", doc), "names the rule"
    for field in register.fields.values():
        assert field.doc, field.name
        assert not field.doc.endswith("."), field.name


@pytest.mark.parametrize("word", WORDS, ids=lambda c: c.__name__)
def test_each_word_explains_its_members(word: type[Word]) -> None:
    assert re.search(r"H-[A-Z0-9]+-\w+", word.__doc__ or "")
    for member in word:
        assert member.doc, member
        assert word(int(member)) is member
        assert word(member).doc == member.doc
