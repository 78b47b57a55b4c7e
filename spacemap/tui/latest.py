"""A thread that does the newest of what it is asked for. It keeps no program from ending."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread


class Latest:
    """One thing at a time; what was asked for meanwhile is forgotten, but for the last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._asked: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._thread: Thread | None = None

    def ask(self, work: Callable[[], object]) -> None:
        """Do some work soon, unless something else is asked for before it begins."""
        self._asked.put(work)
        if self._thread is None or not self._thread.is_alive():
            # A file system that never answers must not hold whoever quits.
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            work = self._asked.get()
            while not self._asked.empty():
                work = self._asked.get()
            work()
