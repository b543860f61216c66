"""What every view hands to a notebook: its text, its HTML and, where widgets run, its live form.

Does not model: what the forms say.
"""

from importlib import import_module
from typing import Any


def bundle(view: Any, text: str, html: str, stem: str) -> dict[str, Any]:
    """The forms by MIME type. The live one is made once, by `live(view)` of `avickit.show.live.<stem>`.

    Widgets load when a view is first shown; where there are none, the static forms are left.
    """
    static = {"text/plain": text, "text/html": html}
    try:
        live = import_module(f"avickit.show.live.{stem}").live
    except ImportError:
        return static
    view._live = view._live or live(view)
    data, _ = view._live._repr_mimebundle_()
    return {**data, **static}
