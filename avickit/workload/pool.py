"""Processes of one machine as an executor in which the death of one worker costs nobody else's work.

The standard ProcessPoolExecutor breaks as a whole when one of its workers is killed; so each thread here has a pool of
one process of its own, and makes another when that dies. And where this process is killed, its workers end too: by
themselves they would wait for work for ever. Does not model: anything.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock, Thread, local
from typing import Any

from avickit.errors import in_range

MOST_WORKERS = 4096


class Processes(ThreadPoolExecutor):
    """An executor of so many processes (as many as there are cores, if not said). Raises AvicError for a bad number.

    What was running in a worker that dies ends in BrokenProcessPool; all else goes on, and the next work of that worker
    finds a new process.
    """

    def __init__(self, workers: int | None = None) -> None:
        super().__init__(in_range("workers", os.cpu_count() or 1 if workers is None else workers, 1, MOST_WORKERS))
        self._mine, self._lock = local(), Lock()
        self._pools: list[ProcessPoolExecutor] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a worker call it; the arguments and the answer are pickled."""
        return super().submit(self._in_process, fn, args, kwargs)

    def _in_process(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._pool().submit(fn, *args, **kwargs).result()
        except BrokenProcessPool:
            with self._lock:
                self._pools.remove(self._mine.pool)
            self._mine.pool.shutdown()
            self._mine.pool = None
            raise

    def _pool(self) -> ProcessPoolExecutor:
        if getattr(self._mine, "pool", None) is None:
            # Spawned, not forked: this process has threads.
            spawning = multiprocessing.get_context("spawn")
            self._mine.pool = ProcessPoolExecutor(1, mp_context=spawning, initializer=end_with_parent)
            with self._lock:
                self._pools.append(self._mine.pool)
        return self._mine.pool  # type: ignore[no-any-return]

    def pids(self) -> list[int]:
        """The process IDs of the workers that are there now."""
        with self._lock:
            return sorted(pid for pool in self._pools for pid in pool._processes or ())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, after what they are doing if `wait`."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        for pool in self._pools:
            pool.shutdown(wait, cancel_futures=cancel_futures)


def end_with_parent() -> None:
    """In a worker: end when the process that started it has ended, whatever is being computed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
