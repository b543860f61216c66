"""Every colour of the kit, in one place: the eight hues of Okabe and Ito, and what each stands for.

The hues are laid on thinly, under text whose colour is left alone, so that they read on a light and on a dark page; and
nothing is said by a hue that a letter or a mark does not say too. Does not model: themes (the front end's matter).
"""

from typing import Final

OKABE_ITO: Final = {
    "black": (0, 0, 0),
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "bluish green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermillion": (213, 94, 0),
    "reddish purple": (204, 121, 167),
}
"""Red, green and blue, 0..255: told apart by people with any common form of colour blindness."""

WASH: Final = 0.3
"""How thinly a hue is laid on: thin enough for black and for white text above it."""

CHANGED: Final = "yellow"
LOOKED_AT: Final = "sky blue"
ACCESS: Final = {"A": "bluish green", "X": "blue", "T": "orange", "F": "vermillion"}
"""By the letter of an access: allow, accelerated, trap, fault."""
SHAPE: Final = {
    "A": "border:1px solid;border-radius:8px",
    "X": "border:3px double;border-radius:8px",
    "T": "border:1px dashed",
    "F": "border:2px solid",
}
SHAPES_SAID: Final = "; the frame is the write's: A round, X double, T dashed, F thick"
"""The same by shape."""
KIND: Final = {
    "READ": "black",
    "CHECK": "sky blue",
    "UPDATE": "yellow",
    "SIGNAL": "reddish purple",
    "EXIT": "vermillion",
}
"""By the kind of a beat."""


def wash(hue: str, alpha: float = WASH) -> str:
    """A hue as a translucent CSS colour.

    >>> wash("orange")
    'rgba(230,159,0,.3)'
    """
    red, green, blue = OKABE_ITO[hue]
    return f"rgba({red},{green},{blue},{f'{alpha:.2g}'.lstrip('0')})"


def grey(alpha: float) -> str:
    """A grey that shows on light and on dark."""
    return f"rgba(128,128,128,{f'{alpha:.2g}'.lstrip('0')})"
