"""Answers to the exercises of notebook 11, as functions of the input."""

from avickit.lessons import e11_workload as e11
from avickit.workload.costs import costs
from avickit.workload.counts import Target
from avickit.workload.parameters import Parameters
from tests.lessons.answers import Right, Wrong


def exits(path: str, running: int, sleeping: int) -> int:
    if path == "AVIC":
        return sleeping
    sender, eoi = (3, 1) if path == "emulated" else (1, 0)
    return (sender + eoi) * (running + sleeping) + running


def matters(p: Parameters) -> str:
    def total(q: Parameters) -> int:
        return costs(q).ipi[Target.RUNNING].total

    return max(e11.PRICES, key=lambda n: total(p.but(**{n: 2 * getattr(p, n)})))


def stops(p: Parameters) -> int:
    running = Target.RUNNING
    event = costs(p.but(avic=False, pv=True)).ipi[running].total
    return p.icrl_write + event - costs(p).ipi[running].total


RIGHT: list[Right] = [(e11.EXITS, exits), (e11.MATTERS, matters), (e11.STOPS, stops)]
WRONG: list[Wrong] = [
    (e11.EXITS, lambda path, running, sleeping: 4, "emulated, 1 to running and 0 to sleeping vCPUs: 4, but"),
    (e11.EXITS, lambda path, running, sleeping: 0, "the machine counts 3 exits of the senders alone"),
    (e11.EXITS, lambda path, running, sleeping: "none", "is not a number of #VMEXITs"),
    (e11.MATTERS, lambda p: "world_switch", "doubling world_switch adds 6800 cycles; another price adds 17000"),
    (e11.MATTERS, lambda p: "mmio_emulation", "adds 6856 cycles; another price adds 9285"),
    (e11.MATTERS, lambda p: "price", "is not one of world_switch"),
    (e11.STOPS, lambda p: 600, "at 600 cycles AVIC's interrupt costs 1800, an event channel's 6720"),
    (e11.STOPS, lambda p: 5520, "an event channel's"),
    (e11.STOPS, lambda p: 1.5, "is not a price in cycles"),
]
