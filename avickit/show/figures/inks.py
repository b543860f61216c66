"""What the figures are drawn with: hues and patterns in their order, and text that stands on a point.

Text is placed by its baseline and a distance in points, never by its extent: so a drawing does not depend on font
metrics, which differ between versions of matplotlib. Never a hue without a pattern or a mark. Does not model: the
palette.
"""

from typing import TYPE_CHECKING, Any, Final

from avickit.show.palette import OKABE_ITO

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER: Final = ("sky blue", "orange", "bluish green", "reddish purple", "yellow", "blue", "vermillion", "black")
HATCHES: Final = ("", "//", "..", "xx", "--", "\\\\", "++", "oo")
HALF: Final = 0.36
"""So much of its size lies the baseline of a text below its middle."""


def ink(what: int | str) -> tuple[float, float, float]:
    """A hue by its number or its name, as matplotlib takes it."""
    red, green, blue = OKABE_ITO[ORDER[what] if isinstance(what, int) else what]
    return red / 255, green / 255, blue / 255


def words(
    axes: "Axes",
    at: tuple[float, float],
    said: str,
    *,
    side: str = "center",
    size: float = 9,
    shift: tuple[float, float] = (0, 0),
    where: Any = "data",
    bold: bool = False,
) -> None:
    """A text whose middle stands `shift` points from a point; `side` is the side of it that stands there."""
    below = (shift[0], shift[1] - HALF * size)
    weight = "bold" if bold else "normal"
    axes.annotate(
        said, at, below, xycoords=where, textcoords="offset points", ha=side, va="baseline",
        fontsize=size, fontweight=weight, annotation_clip=False,
    )  # fmt: skip


def scales(axes: "Axes", across: dict[float, str], upwards: dict[float, str], name: str) -> None:
    """The marks of both axes with their words, and the name of the one below."""
    axes.set_xticks(list(across), [""] * len(across))
    axes.set_yticks(list(upwards), [""] * len(upwards))
    for x, said in across.items():
        words(axes, (x, 0), said, shift=(0, -11), where=axes.get_xaxis_transform())
    for y, said in upwards.items():
        words(axes, (0, y), said, side="right", shift=(-7, 0), where=axes.get_yaxis_transform())
    words(axes, (0.5, 0), name, shift=(0, -25), where="axes fraction")
