"""How a register is declared: one class, one line a field, every bit spoken for.

    class PhysicalEntry(Register, width=64):
        VALID = Bit(63, "the entry is in use")
        RESERVED = Reserved((61, 52))

Decode and encode are inverse; a reserved bit that is set is refused, never masked. Does not model: access rules,
side effects and reset values, which belong to the register map (`manual.apic`).
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from avickit.errors import AvicError

E = TypeVar("E", bound=int)


class Field(Generic[E]):
    """Bits `msb:lsb` of a register. On the class: the declaration; on an instance: the value (int or Enum)."""

    __slots__ = ("doc", "enum", "lsb", "mask", "max", "msb", "name", "named")

    def __init__(self, msb: int, lsb: int, doc: str, enum: type[E] | None = None) -> None:
        self.msb, self.lsb, self.doc, self.enum = msb, lsb, doc, enum
        self.named: dict[int, Any] = {int(m): m for m in enum} if enum and issubclass(enum, IntEnum) else {}
        self.max = (1 << (msb - lsb + 1)) - 1
        self.mask = self.max << lsb
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Register", owner: type) -> E: ...
    def __get__(self, instance: "Register | None", owner: type) -> Self | E:
        return self if instance is None else self.of(instance.value)

    def of(self, value: int) -> E:
        """The field's part of a raw value; an Enum member where the value has a name."""
        part = (value & self.mask) >> self.lsb
        return self.named.get(part, part) if self.named else part  # type: ignore[return-value]

    def put(self, value: int, part: int) -> int:
        """The raw value with this field replaced; refuses a part that does not fit."""
        if not 0 <= part <= self.max:
            raise AvicError.of(f"field {self.name} ({self.where})", f"{part:#x}", f"0..{self.max:#x}")
        return value & ~self.mask | part << self.lsb

    @property
    def where(self) -> str:
        """`bit 13` or `bits 7:0`."""
        return f"bit {self.msb}" if self.msb == self.lsb else f"bits {self.msb}:{self.lsb}"


def Bit(n: int, doc: str) -> Field[int]:
    """A one-bit field."""
    return Field[int](n, n, doc)


@overload
def Bits(msb: int, lsb: int, doc: str) -> Field[int]: ...
@overload
def Bits(msb: int, lsb: int, doc: str, enum: type[E]) -> Field[E]: ...
def Bits(msb: int, lsb: int, doc: str, enum: type[Any] | None = None) -> Field[Any]:
    """A field of several bits, with the names of its values if it has some."""
    return Field[Any](msb, lsb, doc, enum)


class Reserved:
    """The bits nobody may set: `Reserved(10, (63, 40))`. Declared, so that a forgotten bit is seen."""

    def __init__(self, *spans: int | tuple[int, int]) -> None:
        self.spans = tuple((s, s) if isinstance(s, int) else s for s in spans)
        self.mask = sum(((1 << (msb - lsb + 1)) - 1) << lsb for msb, lsb in self.spans)

    def hit(self, value: int) -> str:
        """Which spans a value touches, as `61:52, 10`."""
        return ", ".join(
            str(msb) if msb == lsb else f"{msb}:{lsb}"
            for msb, lsb in self.spans
            if value >> lsb & (1 << (msb - lsb + 1)) - 1
        )


class Shown:
    """What a notebook can show as HTML. The form comes from the room `show`; without that room there is only text."""

    __slots__ = ()
    form: "ClassVar[Callable[[Any], str] | None]" = None

    live: "ClassVar[Callable[[Any], dict[str, Any]] | None]" = None
    """All forms of a machine, by MIME type, the live one among them where widgets run."""

    def _repr_html_(self) -> str | None:
        return Shown.form(self) if Shown.form else None


class Register(Shown):
    """A register value: `ICRL(0x41)` or `ICRL(VECTOR=0x41)`; immutable, compared by value.

    Raises AvicError naming register, bits and value if reserved bits are set or the value is too wide.
    `Register.raw(v)` takes what memory really holds, reserved bits included.
    """

    __slots__ = ("value",)
    width: ClassVar[int] = 32
    fields: ClassVar[dict[str, Field[Any]]] = {}
    reserved: ClassVar[Reserved] = Reserved()
    value: int

    def __init_subclass__(cls, width: int = 32) -> None:
        cls.width = width
        own = vars(cls).items()
        found = [(n, f) for n, f in own if isinstance(f, Field)]
        cls.fields = dict(sorted(found, key=lambda item: -item[1].msb))
        cls.reserved = next((f for _, f in own if isinstance(f, Reserved)), Reserved())
        seen = 0
        for mask in [f.mask for f in cls.fields.values()] + [cls.reserved.mask]:
            if seen & mask:
                raise TypeError(f"{cls.__name__}: bits {seen & mask:#x} are declared twice")
            seen |= mask
        if seen != (1 << width) - 1:
            raise TypeError(f"{cls.__name__}: bits {seen ^ ((1 << width) - 1):#x} are not declared")

    def __init__(self, value: int = 0, **parts: int) -> None:
        if not 0 <= value < 1 << self.width:
            raise AvicError.of(type(self).__name__, f"{value:#x}", f"a value of {self.width} bits")
        if value & self.reserved.mask:
            raise AvicError(
                f"{type(self).__name__}: reserved bits {self.reserved.hit(value)} are set in "
                f"{value:#0{self.width // 4 + 2}x}, expected 0"
            )
        for name, part in parts.items():
            if name not in self.fields:
                raise AvicError.of(f"field of {type(self).__name__}", name, " ".join(self.fields))
            value = self.fields[name].put(value, int(part))
        object.__setattr__(self, "value", value)

    @classmethod
    def raw(cls, value: int) -> Self:
        """The value as memory holds it: reserved bits are kept and shown, bits above the width are cut off."""
        self = cls.__new__(cls)
        object.__setattr__(self, "value", value & (1 << cls.width) - 1)
        return self

    def replace(self, **parts: int) -> Self:
        """A copy with some fields changed."""
        return type(self)(self.value, **parts)

    def parts(self) -> Iterator[tuple[Field[Any], Any]]:
        """Each field with its value, highest bits first."""
        for f in self.fields.values():
            yield f, f.of(self.value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; use replace({name}=...)")

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return self.value == int(other) if isinstance(other, (int, Register)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}{'.raw' if self.value & self.reserved.mask else ''}({self.value:#x})"

    def __str__(self) -> str:
        shown = [f"{f.name}={show(v)}" for f, v in self.parts() if v]
        if self.value & self.reserved.mask:
            shown.append(f"RESERVED[{self.reserved.hit(self.value)}]!")
        return f"{self.value:#0{self.width // 4 + 2}x}" + (f" ({', '.join(shown)})" if shown else "")


def show(value: int) -> str:
    """A field's value: an Enum by name, a small number as it is, else hex."""
    if isinstance(value, IntEnum):
        return value.name
    return str(value) if value < 2 else f"{value:#x}"
