"""The branches of a story: as it was, and what would be if somebody had acted between two beats.

Each branch is the story of a machine of its own, on the same pages. Does not model: forks (`lab.what_if`).
"""

from copy import copy
from typing import Any

from avickit.errors import AvicError
from avickit.lab.machine import Machine
from avickit.lab.what_if import what_if
from avickit.show.compare import Compare
from avickit.show.sheets import Page
from avickit.show.story import Story
from avickit.show.tags import element, text
from avickit.show.view import LiveForm, View

AS_IT_WAS = "as it was"
MOST = 16
"""So many branches a stepper has at most: each is a machine, and a story in the browser."""


class Branch(View):
    """A branch: `.machine`, `.story`, `.name`, its `.parent`. Shown, it is compared with its parent."""

    def __init__(self, story: Story, name: str = AS_IT_WAS, parent: "Branch | None" = None, note: str = "") -> None:
        self.story, self.name, self.parent, self.note = story, name, parent, note
        self.title = name
        self.depth: int = 0 if parent is None else parent.depth + 1
        self._compared: Compare | None = None

    @property
    def machine(self) -> Machine:
        """The machine whose story it is."""
        return self.story.machine

    def what_if(self, beat: int, act: str, *given: Any) -> "Branch":
        """The branch that an act of `lab.acts` after a beat makes of this one, which stays. Raises AvicError."""
        if beat != self.story.first - 1:
            self.story.within(beat)
        fork, name, note = what_if(self.machine, beat, act, *given, last=self.story.last)
        pages = [moved(page, fork) for page in self.story.pages]
        return Branch(Story(fork, pages, self.story.first), name, self, note)

    @property
    def compared(self) -> Compare | None:
        """The parent and this branch side by side; None for the branch that was first."""
        if self._compared is None and self.parent is not None:
            before = self.parent.name if self.parent.parent else AS_IT_WAS
            self._compared = Compare(self.parent.machine, self.machine, (before, "what if"))
        return self._compared

    @property
    def text(self) -> str:
        """Its name, and where it differs from its parent."""
        return "\n".join(filter(None, [self.name, self.note, self.compared.text if self.compared else ""]))

    @property
    def html(self) -> str:
        """The same as HTML."""
        note = element("div", text(self.note)) if self.note else ""
        return element("div", element("b", text(self.name))) + note + (self.compared.html if self.compared else "")

    def live_form(self) -> LiveForm | None:
        """That of the comparison."""
        return self.compared.live_form() if self.compared else None


def moved(page: Page, machine: Machine) -> Page:
    """The same page of another machine, as a fork has it at the same place."""
    there = copy(page)
    there._machine = machine
    return there


def room_for_one_more(branches: tuple[Branch, ...]) -> None:
    """Raises AvicError if there are too many branches already."""
    if len(branches) >= MOST:
        raise AvicError.of("branches", len(branches) + 1, f"at most {MOST}")


def branches_text(branches: tuple[Branch, ...], chosen: int) -> str:
    """The branches as a tree, the chosen one marked; nothing if there is only one."""
    if len(branches) == 1:
        return ""
    lines = [f"{'>' if i == chosen else ' '} {'  ' * branch.depth}{branch.name}" for i, branch in enumerate(branches)]
    return "\n".join(["branches", *lines, *filter(None, [branches[chosen].note])])


def branches_html(branches: tuple[Branch, ...], chosen: int) -> str:
    """The same as HTML."""
    if len(branches) == 1:
        return ""
    lines = [
        element(
            "div", element("b", text(f"> {branch.name}")) if i == chosen else text(branch.name), indent(branch.depth)
        )
        for i, branch in enumerate(branches)
    ]
    note = element("div", text(branches[chosen].note)) if branches[chosen].note else ""
    return element("div", f"branches{''.join(lines)}{note}", "padding:4px")


def indent(depth: int) -> str:
    """How far in a branch stands."""
    return f"margin:0 0 0 {12 + 16 * depth}px"
