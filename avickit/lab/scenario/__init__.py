"""Scenario files: stories on a machine with what must hold afterwards. `load(...)` is the way in.

In reading order: `file`, `schema`, `toml_lines`, `names`, `check` and its parts (what is refused before anything runs),
`run` and its parts (the steps), `expect` and its parts (what must hold), `result`.
"""

from avickit.lab.scenario.file import Scenario, load
from avickit.lab.scenario.result import Result
from avickit.lab.scenario.schema import ScenarioError

__all__ = ["Result", "Scenario", "ScenarioError", "load"]
