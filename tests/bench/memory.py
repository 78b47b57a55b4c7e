"""Peak memory of a process tree: the sum of proportional set sizes (PSS), sampled from /proc."""

import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from measure import Command, Run, finish, spawned

INTERVAL_MS = 5
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Peak:
    """The largest sample of one run. Sampling slows the run, so `run` is no timing to publish."""

    pss_bytes: int
    processes: int
    """Processes that were alive in that sample."""
    samples: int
    run: Run


def measure_peak(command: Command) -> Peak:
    """Run `command` once and sample its process tree about every 5 ms; shorter peaks can be missed."""
    started = time.perf_counter()
    pss_bytes = processes = samples = 0
    with spawned(command) as root:
        ended = select.poll()
        descriptor = os.pidfd_open(root)
        ended.register(descriptor, select.POLLIN)
        while not ended.poll(INTERVAL_MS):
            sizes = _sizes(root)
            samples += 1
            if sum(sizes) > pss_bytes:
                pss_bytes, processes = sum(sizes), len(sizes)
        os.close(descriptor)
        return Peak(pss_bytes, processes, samples, finish(root, started))


def family_pss(root: int) -> int:
    """Bytes that a process and its descendants take now."""
    return sum(_sizes(root))


def _sizes(root: int) -> list[int]:
    return [_pss_bytes(process) for process in _family(root)]


def _family(root: int) -> list[int]:
    """The process `root` and its descendants."""
    parents: dict[int, int] = {}
    for name in os.listdir(_PROC):
        if not name.isdigit():
            continue
        try:
            text = (_PROC / name / "stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The command in parentheses may hold anything; the state follows the last one.
        parents[int(name)] = int(text[text.rindex(b")") + 2 :].split()[1])
    family = {root}
    size = 0
    while size != len(family):
        size = len(family)
        family |= {process for process, parent in parents.items() if parent in family}
    return sorted(family)


def _pss_bytes(process: int) -> int:
    """0 for a process that has just ended."""
    try:
        text = (_PROC / str(process) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
