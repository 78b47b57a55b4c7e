"""How much a scan does at the same time: processes, and directories that each of them lists."""

import os

from spacemap.scan.options import EngineName, ScanOptions

AUTO_REQUESTS = {EngineName.NATIVE: 16, EngineName.PYTHON: 0, EngineName.SCANDIR_RS: 0}
"""Directories listed at the same time when the choice is ours; 0: as many as there are processors."""
MAX_LISTERS = 64
MAX_WORKERS = 1024
RESERVED_DESCRIPTORS = 32


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_alone(options: ScanOptions) -> int:
    """Return how many threads list where no worker does."""
    return min(cores(), options.threads or cores(), MAX_LISTERS)


def threads_of_check(engine: EngineName, options: ScanOptions) -> int:
    """Return how many threads at most compare known entries with a disk that lets them wait."""
    return min(_requests(engine, options), MAX_LISTERS)


def processes_and_listers(engine: EngineName, options: ScanOptions) -> tuple[int, int]:
    """Return how many processes to start, and how many directories each lists at a time."""
    requests = _requests(engine, options)
    if engine is not EngineName.NATIVE:
        return min(requests, _most_workers()), 1
    processes = min(cores(), requests, _most_workers())
    return processes, min(-(-requests // processes), MAX_LISTERS)


def _requests(engine: EngineName, options: ScanOptions) -> int:
    return options.threads or AUTO_REQUESTS[engine] or cores()


def _most_workers() -> int:
    """Return how many workers the descriptors of this process are enough for: each takes three, and two to start."""
    limit = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 512
    return max(1, (limit - RESERVED_DESCRIPTORS) // 4) if limit > 0 else MAX_WORKERS
