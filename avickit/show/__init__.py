"""What people look at: text and static HTML of pages, beats and exits; a plain stepper. Standard library only.

    from avickit.show import look, Stepper

A sheet (`model`) is what there is to see of a page; `as_text` and `as_html` draw it; `stepper` puts sheets side by side.
Importing this room gives the handles of the lab their HTML form. Does not model: anything.
"""

from avickit.bits import Shown
from avickit.show.look import Look, html, look, tally, text

__all__ = ["Look", "html", "look", "tally", "text"]

Shown.form = staticmethod(html)
