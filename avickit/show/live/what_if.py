"""The live stepper's branches: every branch's story in the browser, and acts that it asks the kernel for.

The browser sends `{"ask": id, "beat": 17, "act": "ring", "given": ["1"]}`; the answer is
`{"ask": id, "problem": ""}`, and before it the traits have changed. Does not model: forks (`lab.what_if`).
"""

from typing import TYPE_CHECKING, Any

import traitlets

from avickit.errors import AvicError
from avickit.lab.acts import ACTS, Input
from avickit.lab.given import AT_ONCE, LAZY, pages
from avickit.lab.machine import Machine
from avickit.manual.apic import MAP
from avickit.show.branches import Branch
from avickit.show.live.data import live_data
from avickit.show.live.widget import LiveView

if TYPE_CHECKING:
    from avickit.show.stepper import Stepper

WORDS = {
    "button": "what if",
    "key": "w",
    "branch": "branch",
    "act": "what to do",
    "at": "At beat {beat}, what if:",
    "do": "fork and do it",
    "close": "close",
    "asked": "asking the kernel ...",
    "done": "now showing: {name}",
    "silent": "The kernel does not answer. What is shown stays, and can be stepped through.",
    "alone": "what if needs a kernel",
}
HINTS = {"register": "ICRL", "number": "41h", "vector": "41h", "text": "", "nanoseconds": "1000"}
"""What may stand in a field that is typed."""
TEXT_HINTS = {"register or entry": "TPR, or 2", "value or fields": "IS_RUNNING=0, or 20h"}


def traits_of(stepper: "Stepper") -> dict[str, Any]:
    """What the browser needs of a stepper. `data` is the first branch's story, `others` are those of the others."""
    first, *others = stepper.branches
    return {
        "data": live_data(first.story),
        "others": [live_data(branch.story) for branch in others],
        "branches": named(stepper.branches),
        "form": {"acts": acts_of(first.machine), "words": WORDS},
        "branch": stepper.branch,
        "beat": stepper.beat,
    }


def named(branches: tuple[Branch, ...]) -> list[dict[str, Any]]:
    """The branches as a browser lists them."""
    return [{"name": branch.name, "depth": branch.depth, "note": branch.note} for branch in branches]


def acts_of(machine: Machine) -> list[dict[str, Any]]:
    """The acts with their inputs, and for each input what may be chosen or suggested."""
    choices = choices_of(machine)
    return [{"name": act.name, "words": act.words, "inputs": [field(i, choices) for i in act.inputs]} for act in ACTS]


def field(given: Input, choices: dict[str, list[str]]) -> dict[str, Any]:
    """One input: a choice, or something to be typed, perhaps with suggestions."""
    found = choices.get(given.kind, [])
    return {
        "name": given.name,
        "choices": [] if given.kind == "register" else found,
        "suggested": found if given.kind == "register" else [],
        "hint": TEXT_HINTS.get(given.name, HINTS.get(given.kind, "")),
    }


def choices_of(machine: Machine) -> dict[str, list[str]]:
    """What there is to be chosen, by kind of input."""
    domains = machine.xen.domains if machine.xen else []
    return {
        "vcpu": [v.name for domain in domains for v in domain.vcpus],
        "core": [str(index) for index in range(machine.config["cores"])],
        "page": list(pages(machine)) if machine.xen else [],
        "how": [LAZY, AT_ONCE],
        "register": [row.name for row in MAP if row.register is not None],
    }


class LiveStepper(LiveView):
    """The live stepper. `branch` and `beat` are shared by all its views and with Python."""

    others: Any = traitlets.List().tag(sync=True)
    branches: Any = traitlets.List().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    branch = traitlets.Int().tag(sync=True)

    def story(self) -> dict[str, Any]:
        """The data of the branch that is shown."""
        stories = [self.data, *self.others]
        found: dict[str, Any] = stories[min(max(self.branch, 0), len(stories) - 1)]
        return found

    @traitlets.validate("branch")
    def _there(self, proposal: Any) -> int:
        """A browser may ask for anything; it gets a branch that is there."""
        return min(max(int(proposal["value"]), 0), len(self.others))

    def take(self, stepper: "Stepper") -> None:
        """Show what the stepper shows; new branches are added."""
        with self.hold_sync(), self.hold_trait_notifications():
            known = len(self.others) + 1
            new = [live_data(branch.story) for branch in stepper.branches[known:]]
            if new:
                self.others = [*self.others, *new]
                self.branches = named(stepper.branches)
            self.branch = stepper.branch
            self.beat = stepper.beat

    def follow(self, stepper: "Stepper") -> None:
        """Let the stepper go where the browser goes, and do what it asks for."""

        def went(_: Any) -> None:
            if (stepper.branch, stepper.beat) != (self.branch, self.beat):
                stepper.show(self.branch, self.beat)

        def asked(_: Any, content: Any, __: Any) -> None:
            if isinstance(content, dict) and "ask" in content:
                self.send({"ask": content["ask"], "problem": answer(stepper, content)})

        self.observe(went, ["branch", "beat"])
        self.on_msg(asked)


def answer(stepper: "Stepper", content: dict[str, Any]) -> str:
    """Do what a browser asks for; the problem with it, "" if there is none."""
    given, beat, act = content.get("given"), content.get("beat"), content.get("act")
    if not isinstance(given, list) or not isinstance(beat, int) or not isinstance(act, str):
        return "what if: nothing that can be done"
    try:
        stepper.what_if(beat, act, *given)
    except AvicError as error:
        return str(error)
    return ""
