"""Work for two threads: numpy and the C parts let go of the interpreter's lock."""

from collections.abc import Callable
from threading import Thread


def in_two_threads(one: Callable[[], object], other: Callable[[], object]) -> None:
    """Run both at the same time, one of them in this thread; raise what either raises.

    A bare thread: concurrent.futures would import logging, which costs more than the threads save.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            other()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        one()
    finally:
        thread.join()
    if failures:
        raise failures[0]
