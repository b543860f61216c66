"""The museum: defects that were really published in AVIC hypervisor code, each as an overlay with its number.

In reading order: `registry` (names); the overlays by what they break: `running`, `table_entry`, `posting`, `handlers`,
`logical_entries`, `logical_notes`, `logical_model`, `injecting`, `setup`; `catalogue` (what data/defects.toml says of
each), `versions` (which of them a published version has). A defect restates in our own words what the published code
did; nothing of it is copied. Does not model: items that the catalogue marks so, with the reason.
"""

from avickit.museum import (
    handlers,
    injecting,
    logical_entries,
    logical_model,
    logical_notes,
    posting,
    running,
    setup,
    table_entry,
)
from avickit.museum.registry import OVERLAYS, bring_all

MODULES = (
    running,
    table_entry,
    posting,
    handlers,
    logical_entries,
    logical_notes,
    logical_model,
    injecting,
    setup,
)
"""The rooms of the museum: each holds overlays of one kind."""

__all__ = ["MODULES", "OVERLAYS", "bring_all"]
