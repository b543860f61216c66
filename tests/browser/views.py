"""All views by name, for tests that hold for every one of them: to test a new view here, add a line to `VIEWS`.

Each is made from a scene that was played with names of one's choice, so that they can be hostile.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from avickit import Compare, MachineView, PageView, Predict, Stepper
from avickit.show.figures import exits_by_cause, ppr_over_time, sequence
from avickit.show.view import View
from tests.show.scene import Scene, play


class Made(NamedTuple):
    """What views are made of."""

    scene: Scene
    words: str
    """Text from elsewhere."""


def made(words: str = "a word") -> Made:
    """An IPI taken, the target asleep, another one on its way; pages and console lines by the name of `words`."""
    scene = play()
    scene.b.guest.eoi()
    scene.b.guest.hlt()
    scene.a.guest.write("ICRL", 0x42)
    world = scene.m.world
    world.page_names.update({page: (f"{name} {words}", kind) for page, (name, kind) in world.page_names.items()})
    world.objects["lines"][:] = [f"{line} {words}" for line in world.objects["lines"]]
    return Made(scene, words)


def stepper(m: Made) -> View:
    return Stepper(m.scene.m, *m.scene.pages[:3], first=m.scene.start + 1, beat=m.scene.handed.n)


def branches(m: Made) -> View:
    shown = stepper(m)
    assert isinstance(shown, Stepper)
    shown.what_if(shown.beat, "deschedule", m.scene.b, "at once")
    shown.branch = 0  # the pages' names are from elsewhere there; the fork has made its own
    return shown


def compare(m: Made) -> Any:
    return Compare(m.scene.m, play().m, names=(f"one {m.words}", f"other {m.words}"))


def predict(m: Made) -> View:
    gate = Predict(
        f"What? {m.words}", {f"This. {m.words}": f"No. {m.words}", "That.": f"Yes. {m.words}"}, answer="That."
    )
    gate.chosen = "That."
    return gate


def unchosen(m: Made) -> View:
    gate = predict(m)
    assert isinstance(gate, Predict)
    gate.chosen = ""
    return gate


VIEWS: dict[str, Callable[[Made], Any]] = {
    "stepper": stepper,
    "branches": branches,
    "page": lambda m: PageView(m.scene.b.page, beat=m.scene.handed.n),
    "compare": compare,
    "machine": lambda m: MachineView(m.scene.m),
    "predict": predict,
    "predict-unchosen": unchosen,
    "sequence": lambda m: sequence(m.scene.m, first=m.scene.start + 1),
    "exits": lambda m: exits_by_cause(None, **{m.words: m.scene.a.exits, "other": m.scene.b.exits}),
    "ppr": lambda m: ppr_over_time(m.scene.m, m.scene.b, first=m.scene.start + 1),
}
LIVE = ("stepper", "branches", "page", "compare", "machine", "predict", "predict-unchosen")
"""Those with a live form, which can be saved as a page that lives without a kernel."""
