"""The stepper's plain ipywidgets: play, back, forward, a slider, where to begin; the pages below.

All of it works from the keyboard, because every part is a control of the browser. Does not model: what is shown.
"""

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from avickit.show.stepper import Stepper

MILLISECONDS = 800
"""How long a beat stays while playing."""


def controls(stepper: "Stepper") -> widgets.VBox:
    """The live form of a stepper."""
    story = stepper.story
    reach = {"min": story.first, "max": story.last, "value": stepper.beat}
    slider = widgets.IntSlider(**reach, description="beat", layout=widgets.Layout(flex="1 1 200px"))
    play = widgets.Play(**reach, interval=MILLISECONDS, show_repeat=False)
    narrow, wider = widgets.Layout(width="90px"), widgets.Layout(width="170px")
    back = widgets.Button(description="back", tooltip="one beat back", layout=narrow)
    forward = widgets.Button(description="forward", tooltip="one beat forward", layout=narrow)
    begin = widgets.BoundedIntText(
        min=story.first, max=story.last, value=story.first, description="first beat", layout=wider
    )
    sentence, panels = widgets.HTML(stepper.sentence), widgets.HTML(stepper.panels)

    def show(change: Any) -> None:
        stepper.beat = change["new"]
        sentence.value, panels.value = stepper.sentence, stepper.panels

    def move(by: int) -> None:
        slider.value = min(max(slider.value + by, slider.min), slider.max)

    def start_at(change: Any) -> None:
        slider.min = play.min = change["new"]

    slider.observe(show, "value")
    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(1))
    begin.observe(start_at, "value")
    widgets.jslink((play, "value"), (slider, "value"))
    bar = widgets.HBox([play, back, forward, slider, begin], layout=widgets.Layout(flex_flow="row wrap"))
    return widgets.VBox([bar, sentence, panels])
