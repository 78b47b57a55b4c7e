"""How workers are started: forked where that is safe, else by a server that was started while it was."""

import multiprocessing
import os
import threading
from multiprocessing import resource_tracker
from multiprocessing.context import ForkContext, ForkServerContext, SpawnContext

_is_prepared = False


def prepare_processes() -> None:
    """Let workers be started quickly, and at all, by a process that will have threads or no real stderr.

    A copy of a process with threads may inherit a locked lock; and what multiprocessing starts on the side inherits
    stderr, which a terminal application puts in the place of something without a descriptor.
    """
    global _is_prepared
    if not hasattr(os, "fork"):
        return
    from multiprocessing import forkserver  # noqa: PLC0415 - absent on some platforms

    multiprocessing.set_forkserver_preload(["spacemap.scan.behind", "spacemap.scan.worker"])
    resource_tracker.ensure_running()
    forkserver.ensure_running()
    _is_prepared = True


def worker_context() -> ForkContext | ForkServerContext | SpawnContext:
    """Return the way to start a worker now."""
    if _is_prepared:
        return multiprocessing.get_context("forkserver")
    is_alone = threading.active_count() == 1 and hasattr(os, "fork")
    return multiprocessing.get_context("fork") if is_alone else multiprocessing.get_context("spawn")
