"""The machine that the benchmarks use: a vCPU on each core, a handler of one EOI, and one complete interrupt."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from avickit import Machine
from avickit.beat import Beats, drive
from avickit.lab.derive import derive
from avickit.lab.scripts import run_program
from avickit.lab.trace import Command
from avickit.silicon.guest import eoi, write
from avickit.silicon.run import run_core

VECTOR = 0x41
ALL_BUT_SELF = 3 << 18


class Pair:
    """vCPU 0 sends to vCPU 1, or to all others; the answer of every method is how many interrupts were completed.

    Complete: the write of ICRL, the target's IRR bit, the doorbell, delivery, the handler's EOI, its IRET.
    """

    def __init__(self, vcpus: int = 2, *, low: int = VECTOR, **kw: Any) -> None:
        self.m = m = Machine(cores=vcpus, limit=10**7, **kw)
        xen = m.boot("svm=avic")
        self.vcpus = xen.create_domain(vcpus=vcpus).vcpus
        for core, v in enumerate(self.vcpus):
            xen.run(v, core)
            v.guest.on(VECTOR, [eoi()])
        self.vcpus[0].guest.write("ICRH", self.vcpus[1].apic_id << 24)
        self.low, self.targets = low, vcpus - 1 if low & ALL_BUT_SELF else 1
        self.world, self.cores = m.world, m.world.objects["cores"]
        self.program = m.instruction(write("ICRL", low))
        self.guest = self.vcpus[0].vcpu.guest

    def script(self, n: int) -> Iterator[tuple[int, Beats[Any]]]:
        """n times: the sender's core, then each target's."""
        w, cores = self.world, self.cores
        for _ in range(n):
            yield 0, run_program(w, cores[0], self.guest, self.program)
            for core in cores[1 : 1 + self.targets]:
                yield core.index, run_core(w, core)
            w.signalled.clear()

    def generators(self, n: int) -> int:
        """Straight from the generators."""
        for _, beats in self.script(n):
            drive(self.world, beats)
        return n

    def recorded(self, n: int) -> int:
        """The same, every beat written down."""
        self.m.trace.raw.flat.clear()
        self.m.engine.play(Command("bench", (), len(self.m.trace)), self.script(n))  # type: ignore[arg-type]
        return n

    def derived(self, n: int) -> int:
        """In the plain form."""
        w, cores, fast = self.world, self.cores, derive(self.world)
        send, work = fast[run_program], fast[run_core]
        for _ in range(n):
            send(w, cores[0], self.guest, self.program)
            for core in cores[1 : 1 + self.targets]:
                work(w, core)
            w.signalled.clear()
        return n

    def commands(self, n: int) -> int:
        """As a user types it: checked, logged, settled."""
        self.m.trace.raw.flat.clear()
        guest = self.vcpus[0].guest
        for _ in range(n):
            guest.write("ICRL", self.low)
        return n

    def taken(self) -> int:
        """How many interrupts the targets have taken."""
        return sum(v.guest.taken.get(VECTOR, 0) for v in self.vcpus)


def measure(benchmark: Any, pair: Pair, run: Callable[[int], int], n: int = 1000) -> float:
    """Nanoseconds of processor time for one interrupt command, the best of many rounds; checked, and noted.

    The best, because everything else that a computer does only ever makes a round slower.
    """
    run(n)
    before = pair.taken()
    run(n)
    assert pair.taken() - before == n * pair.targets
    benchmark._timer = time.process_time
    benchmark.pedantic(run, args=(n,), rounds=30, warmup_rounds=1)
    best = float(benchmark.stats.stats.min) / n
    benchmark.extra_info.update(ns=round(best * 1e9), per_second=round(1 / best))
    return best * 1e9
