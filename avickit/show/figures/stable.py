"""matplotlib's SVG made the same for all its versions: no comments, no metadata, ids by number, lengths to a tenth.

Does not model: anything that is seen; a tenth of a point is not.
"""

import re
from itertools import count
from typing import Final

WASTE: Final = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|\n\s*", re.DOTALL)
GROUP: Final = re.compile(r'<g id="[^"]*">')
NAMED: Final = re.compile(r'(?<=\bid=")[^"]+(?=")')
NUMBER: Final = re.compile(r"-?\d+\.\d+(?![\d.%])")
FONT: Final = re.compile(r"(?:font-weight: (\w+); )?font-size: ([\d.]+px); font-family: ")
TURN: Final = re.compile(r' transform="rotate\(-0 [^"]*"')
FAMILY: Final = ("'DejaVu Sans'", "'DejaVu Sans',Verdana,sans-serif")
"""A browser that lacks matplotlib's own font takes one as wide."""


def stable(svg: str) -> str:
    """The same picture, in fewer and always the same bytes."""
    text = TURN.sub("", GROUP.sub("<g>", WASTE.sub("", svg)))
    for number, name in zip(count(), dict.fromkeys(NAMED.findall(text)), strict=False):
        text = re.sub(rf'(?<=["#]){re.escape(name)}(?=[")])', f"i{number}", text)
    text = FONT.sub(lambda found: f"font: {f'{found[1]} ' if found[1] else ''}{found[2]} ", text)
    return NUMBER.sub(lambda found: f"{round(float(found[0]), 1):g}", text).replace(*FAMILY)
