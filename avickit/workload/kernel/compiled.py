"""How the parts of the compiled loop are compiled: into it, and never kept by themselves (`kernel` says why).

Does not model: anything.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Part = TypeVar("Part", bound=Callable[..., Any])
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def inner(function: Part) -> Part:
    """A part of the loop."""
    return njit(**OPTIONS)(function)  # type: ignore[no-any-return]


def inlined(function: Part) -> Part:
    """A part called from one place: copied there, as a call passes the array in seven words, the answer by memory."""
    return njit(**OPTIONS, inline="always")(function)  # type: ignore[no-any-return]
