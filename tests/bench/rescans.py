"""Scenarios of what is not paid for twice: cached rescans, checkpoints, and scans that are taken up again."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import KEPT, Bench
from measure import Command, Run, run_once, run_pairs
from results import Results, Target

CHANGED_SHARE = 100
"""One directory of so many is changed."""

FULL = "full scan"
VERIFIED = Target(0.90)
FAST = Target(0.30)
FAST_CHANGED = Target(0.35)
CHECKPOINT = Target(1.10)
RESUMED = Target(0.35)


def cached_1m(bench: Bench, results: Results) -> None:
    """Rescans from the cache with nothing changed, and with one directory of a hundred changed, beside full scans."""
    tree = bench.tree(bench.million)
    full = bench.scan(tree, name=FULL)
    with TemporaryDirectory(dir=bench.place) as place:
        primed, used = Path(place) / "primed", Path(place) / "used"
        run_once(bench.scan(tree, "--cached", "--cache-dir", str(primed)))
        directories = _directories(tree)

        def run_primed(command: Command) -> Run:
            """Let every rescan begin with the cache of the first scan."""
            if command.name != FULL:
                shutil.rmtree(used, ignore_errors=True)
                shutil.copytree(primed, used)
                os.sync()  # what was just written is not to be paid for by whoever comes next
            return run_once(command)

        def run_changed(command: Command) -> Run:
            if command.name != FULL:
                _change(directories)
            return run_primed(command)

        def measure(level: str, what: str, target: Target, runner: Callable[[Command], Run]) -> None:
            name = f"--cached={level}, {what}"
            command = bench.scan(tree, f"--cached={level}", "--cache-dir", str(used), name=name)
            pairs = run_pairs(command, [full], bench.rounds, runner)
            results.add_pairs("cached_1m", name, pairs, {FULL: target})

        measure("verified", "nothing changed", VERIFIED, run_primed)
        measure("fast", "nothing changed", FAST, run_primed)
        measure("fast", "1 % of directories changed", FAST_CHANGED, run_changed)


def checkpoint_1m(bench: Bench, results: Results) -> None:
    """A checkpoint brought to the disk every second, and a scan taken up after nine tenths, beside plain scans."""
    tree = bench.tree(bench.million)
    full = bench.scan(tree, name=FULL)
    with TemporaryDirectory(dir=bench.place) as place:
        log, stopped = f"{place}/log", f"{place}/stopped"
        kept = bench.scan(tree, "--checkpoint", log, "--checkpoint-interval", "1", name="--checkpoint")
        pairs = run_pairs(kept, [full], 2 * bench.rounds)
        results.add_pairs("checkpoint_1m", kept.name, pairs, {FULL: CHECKPOINT})
        run_once(Command("stop", (sys.executable, KEPT, "stop", str(tree), stopped)))

        def run_stopped(command: Command) -> Run:
            if command.name != FULL:
                shutil.copyfile(stopped, log)
                os.sync()
            return run_once(command)

        for level in ("verified", "fast"):
            resumed = bench.scan(tree, "--resume", log, f"--cached={level}", name=f"--resume --cached={level}")
            pairs = run_pairs(resumed, [full], bench.rounds, run_stopped)
            results.add_pairs("checkpoint_1m", resumed.name, pairs, {FULL: RESUMED})


def _directories(tree: Path) -> list[str]:
    """Every hundredth directory of the tree, wherever it lies."""
    found = sorted(directory for directory, _, _ in os.walk(tree))
    return found[::CHANGED_SHARE]


def _change(directories: Sequence[str]) -> None:
    """Let directories have changed, and hold what they held before, with their former times."""
    for directory in directories:
        before = os.stat(directory)
        file = os.path.join(directory, "changed")
        with open(file, "w", encoding="ascii"):
            pass
        os.unlink(file)
        os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))
