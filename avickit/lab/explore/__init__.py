"""The race explorer: every order in which the actors' beats can happen, and what can go wrong in one of them.

    result = explore("race-sleep-against-ipi", memory="tso")
    result.verdict, result.executions, result.machine       # Stepper(result) steps through what was found

It drives the generators of silicon/, xen/ and series/ and knows nothing of what they do. In reading order: `race`,
`node`, `automaton`, `unfold` (threads), `state` (memory and store buffers), `dpor` and `full` (orders), `search`;
`actors`, `casting` (a scenario's race), `properties`, `judge`; `order`, `replay`, `result`, `diagram`; `entry`.
Does not model: weak memory other than TSO, time (the clock stands still during a race), more than the actors named.
"""

from avickit.lab.explore.entry import explore
from avickit.lab.explore.race import Race, Thread, race
from avickit.lab.explore.result import Exploration
from avickit.lab.explore.search import Predicate

__all__ = ["Exploration", "Predicate", "Race", "Thread", "explore", "race"]
