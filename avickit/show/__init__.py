"""What people look at: text and static HTML of pages, beats and exits; a page, a stepper. Standard library only.

    from avickit.show import PageView, Stepper, look

A sheet (`model`) is what there is to see of a page; `as_text` and `as_html` draw it; `stepper` steps through a trace.
Importing this room gives the handles of the lab their HTML form. Does not model: anything.
"""

from avickit.bits import Shown
from avickit.show.looks import Look, html, look, tally, text
from avickit.show.page_view import PageView
from avickit.show.stepper import Stepper

__all__ = ["Look", "PageView", "Stepper", "html", "look", "tally", "text"]

Shown.form = staticmethod(html)
