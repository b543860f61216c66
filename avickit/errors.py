"""The one exception of the package.

Does not model: a crash inside the model (`domain_crash`) is a state of the domain, never an exception.
"""


class AvicError(ValueError):
    """Bad input at the edge: the message names the thing, the value and what was expected.

    Raised before anything has changed. `AvicError.of("vector", 0x1FF, "0..255")` builds the usual sentence.
    """

    @classmethod
    def of(cls, thing: str, value: object, expected: str) -> "AvicError":
        """The usual sentence: `vector: 511 given, expected 0..255`."""
        shown = value if isinstance(value, str) else repr(value)
        return cls(f"{thing}: {shown} given, expected {expected}")


def in_range(thing: str, value: object, low: int, high: int) -> int:
    """The value, if it is a whole number from low to high; else AvicError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise AvicError.of(thing, value, f"{low}..{high}")
    return value


class UndefinedAccess(AvicError):
    """The guest touched bytes 4..15 of a 16-byte APIC slot, which the manual leaves undefined. (H-REG-5)"""


class Deadlock(AvicError):
    """A core waits for a lock or a signal that nobody running can give it."""


class OverBudget(AvicError):
    """A command does not come to an end, as with a handler that sends its own vector to itself: it has been cut off.

    The machine stands in the middle of it; go on with another one, or a fork of an earlier beat.
    """
