"""Interrupts that wait for a moment at which they do no harm: not between a read and the note of what was read."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

Handler = Callable[[int, FrameType | None], object]


class Interrupts:
    """While this context lasts, the first signal is kept for `check`; a second one is handled at once.

    Signals without a handler in Python, and threads other than the main one, stay as they are.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._pending = 0

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    @property
    def is_pending(self) -> bool:
        """Whether a signal has come."""
        return self._pending != 0

    def check(self) -> None:
        """Let the handler of a signal that has come do what it does, which mostly is to raise KeyboardInterrupt."""
        number, self._pending = self._pending, 0
        if number:
            self._handlers[number](number, None)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self._pending:
            self._handlers[number](number, frame)
        self._pending = number
