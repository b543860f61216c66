"""A view as one HTML file that works from disk: its static form, and its live form with a model of a few lines.

Nothing is fetched: a policy in the page forbids it. Without JavaScript the static form stands there. Does not model:
what is shown.
"""

import json
from typing import TYPE_CHECKING

from avickit.show.tags import text

if TYPE_CHECKING:
    from avickit.show.view import LiveForm

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
LOOK = """
:root { color-scheme: light dark; --jp-content-font-color1: #1b1f24; --jp-content-font-color2: #57606a;
  --jp-layout-color1: #fff; --jp-layout-color2: #f3f5f7; --jp-border-color1: #bcc3ca; }
@media (prefers-color-scheme: dark) { :root { --jp-content-font-color1: #e6edf3; --jp-content-font-color2: #a3adb8;
  --jp-layout-color1: #111418; --jp-layout-color2: #1c2127; --jp-border-color1: #434b54; } }
body { margin: 0 auto; padding: 8px 12px; max-width: 1600px; color: var(--jp-content-font-color1);
  background: var(--jp-layout-color1); font: 13px/1.35 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 15px; margin: 0 0 6px; }
@media print { :root { --jp-layout-color1: #fff; --jp-layout-color2: #fff; --jp-content-font-color1: #000; } }
"""
MODEL = """
const given = JSON.parse(document.getElementById("data").textContent);
const heard = new Map();
const model = {
  get: (name) => given[name],
  set: (name, value) => {
    if (given[name] === value) return;
    given[name] = value;
    for (const hear of heard.get(`change:${name}`) ?? []) hear();
  },
  save_changes: () => {},
  on: (name, hear) => heard.set(name, [...(heard.get(name) ?? []), hear]),
  off: (name, hear) => heard.set(name, (heard.get(name) ?? []).filter((one) => one !== hear)),
  send: () => {},
  alone: true,
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.body.dataset.jpThemeLight = String(!dark.matches); };
dark.addEventListener("change", theme);
theme();
document.getElementById("static").hidden = true;
view.render({ model, el: document.getElementById("live") });
"""
"""The model that anywidget would give, for one view without a kernel."""


def page(title: str, static: str, live: "LiveForm | None") -> str:
    """The whole file. `static` is HTML already."""
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{text(title)}</title><style>{LOOK}</style>"
    body = f'<h1>{text(title)}</h1><main><div id="static">{static}</div>'
    if live:
        body += alive(live)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</main></body></html>\n'


def alive(live: "LiveForm") -> str:
    """The place of the live form, its style, data and scripts."""
    from avickit.show.live.bundle import script, style

    code = script(live.stem).replace("export default", "const view =")
    data = json.dumps(live.traits, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div id="live"></div><style>{style(live.stem)}</style>'
        f'<script type="application/json" id="data">{data}</script><script type="module">{code}{MODEL}</script>'
    )
