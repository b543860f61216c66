"""How the answers to exercises are written down: each notebook's in a file of its own, `answers_NN.py`.

An answer is a function of the input, also where the student writes a plain value.
"""

from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import avickit.lessons
from avickit.lessons.exercise import Exercise

Function: TypeAlias = Callable[..., Any]
Right: TypeAlias = tuple[Exercise, Function]
Wrong: TypeAlias = tuple[Exercise, Function, str]
"""With what the check says to it."""

HERE = Path(__file__).parent
BOOKS = [import_module(f"tests.lessons.{f.stem}") for f in sorted(HERE.glob("answers_*.py"))]
RIGHT: list[Right] = [pair for book in BOOKS for pair in book.RIGHT]
WRONG: list[Wrong] = [triple for book in BOOKS for triple in book.WRONG]
MODULES = sorted(f.stem for f in Path(avickit.lessons.__file__).parent.glob("e[0-9][0-9]_*.py"))
ALL: list[Exercise] = [
    found
    for name in MODULES
    for found in vars(import_module(f"avickit.lessons.{name}")).values()
    if isinstance(found, Exercise)
]


def wrong_answers() -> Counter[str]:
    """How many wrong answers are listed for each exercise."""
    return Counter(exercise.name for exercise, _, _ in WRONG)
