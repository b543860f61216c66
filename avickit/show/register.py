"""One register value by bit and field.

Does not model: where it lies.
"""

from avickit.bits import Register
from avickit.manual.vectors import Vectors, vectors_of
from avickit.show.as_html import bits_html
from avickit.show.model import MOST_FIELDS, parts_of
from avickit.show.tags import cell, element, head, panel, plain, row, table, text
from avickit.show.writing import digits, vectors


def register_html(register: Register) -> str:
    """Its value, its bits, and each field with its meaning."""
    kind = type(register)
    summary = (kind.__doc__ or "").strip().partition("\n")[0]
    lead = element("b", text(kind.__name__)) + text(f" {digits(register.value, kind.width)} ")
    lead += element("small", text(summary))
    if kind is Vectors:
        return panel(lead + text(f": {vectors(vectors_of(register.value), most=256) or 'no vector'}"))
    bits = bits_html(register.value, 0, kind.width)
    parts = parts_of(kind, register.value, register.value)
    rows = [
        row([cell(p.where), head(p.name, "row"), cell(p.shown), cell(p.meaning, left=True)])
        for p in (parts if len(parts) <= MOST_FIELDS else [p for p in parts if p.value])
    ]
    columns = [head("bits"), head("field"), head("value"), head("meaning")]
    return plain(panel(f"{lead}<div>{element('code', bits)}</div>{table('', columns, rows)}"))
