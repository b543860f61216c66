"""The museum: defects that were really published in AVIC hypervisor code, each as an overlay with its number.

In reading order: `registry` (names), `running`, `posting`, `handlers`, `logical`, `injecting`, `setup` (the overlays,
by the patch they sit in), `catalogue` (what data/defects.toml says of each), `versions` (which of them a published
version has). A defect restates in our own words what the published code did; nothing of it is copied.
Does not model: items that the catalogue marks so, with the reason.
"""

from avickit.museum import handlers, injecting, logical, posting, running, setup
from avickit.museum.registry import OVERLAYS, bring_all

__all__ = ["OVERLAYS", "bring_all", "handlers", "injecting", "logical", "posting", "running", "setup"]
