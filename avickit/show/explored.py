"""What an exploration found, as HTML: the verdict, and the shortest counterexample with a column for each actor.

Does not model: its text form, which is the exploration's own (`lab.explore.diagram`).
"""

from avickit.lab.explore import Exploration
from avickit.lab.explore.diagram import MARK, Line, titles, told
from avickit.show import palette
from avickit.show.tags import NOWRAP, box, cell, element, head, panel, row, table, text


def explored_html(found: Exploration) -> str:
    """The verdict in a line; if it is bad, what is wrong, and the beats that others can notice as a table."""
    verdict = element("div", element("b", text(repr(found)[1:-1])))
    if found.ok:
        return panel(verdict)
    names = titles(found)
    columns = [head("beat"), *(head(name) for name in names), head("rule")]
    rows = [beat_row(line, len(names)) for line in told(found)]
    caption = text(f"the shortest order that shows it; {MARK} marks the two beats that race")
    return panel(verdict + element("div", text(found.says)) + table(caption, columns, rows, prose=True))


def beat_row(line: Line, actors: int) -> str:
    """A beat, in the column of who acts."""
    said = [cell(line.says if column == line.column else "", left=True) for column in range(actors)]
    number = box("th", kept(f"{MARK} {line.n}" if line.races else str(line.n)), left=True, scope="row")
    hue = palette.LOOKED_AT if line.races else ""
    return row([number, *said, box("td", kept(line.rule), left=True)], hue)


def kept(words: str) -> str:
    """Words that stay on one line."""
    return element("span", text(words), NOWRAP)
