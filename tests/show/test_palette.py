"""The hues can be told apart from the page, and text can be read on them, in light and in dark."""

import pytest

from avickit.show import palette

Colour = tuple[float, float, float]

LIGHT: Colour = (255, 255, 255)
DARK: Colour = (17, 17, 17)
TEXT_ON: dict[Colour, Colour] = {LIGHT: (0, 0, 0), DARK: (255, 255, 255)}
TEXT_ALPHA = {LIGHT: 0.87, DARK: 1.0}  # JupyterLab's own text colours
READABLE = 4.5  # WCAG AA for text of any size


def over(top: Colour, alpha: float, bottom: Colour) -> Colour:
    red, green, blue = (alpha * t + (1 - alpha) * b for t, b in zip(top, bottom, strict=True))
    return red, green, blue


def luminance(colour: Colour) -> float:
    def linear(part: float) -> float:
        part /= 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("page", [LIGHT, DARK])
@pytest.mark.parametrize("hue", sorted(palette.OKABE_ITO))
def test_text_reads_on_every_hue(page: Colour, hue: str) -> None:
    ground = over(palette.OKABE_ITO[hue], palette.WASH, page)
    text = over(TEXT_ON[page], TEXT_ALPHA[page], ground)
    assert contrast(text, ground) >= READABLE


@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_a_hue_within_a_hue_still_reads(page: Colour) -> None:
    """An access letter in a row that has changed."""
    row = over(palette.OKABE_ITO[palette.CHANGED], palette.WASH, page)
    for hue in palette.ACCESS.values():
        ground = over(palette.OKABE_ITO[hue], palette.WASH, row)
        assert contrast(over(TEXT_ON[page], TEXT_ALPHA[page], ground), ground) >= READABLE


def test_what_is_different_has_a_different_hue() -> None:
    assert len(set(palette.ACCESS.values())) == len(palette.ACCESS)
    assert len(set(palette.KIND.values())) == len(palette.KIND)
    assert len({palette.CHANGED, palette.LOOKED_AT}) == 2


def test_colours_are_written_as_jupyterlab_keeps_them() -> None:
    assert palette.wash("orange") == "rgba(230,159,0,.3)"
    assert palette.grey(0.5) == "rgba(128,128,128,.5)"
