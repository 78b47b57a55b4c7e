"""Scenarios of the browser: from start to first rows on a real terminal, beside a report, in memory, and key by key."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import KEPT, Bench
from measure import Command, run_once, show_progress
from memory import family_pss
from results import Results, Row, Target

WIDE = str(Path(__file__).with_name("wide.py"))
FIRST_ROWS = Target(0.8)
BESIDE_REPORT = Target(1.15)
MEMORY = Target(180.0)
LIMITS_MS = {"move": 50.0, "sort": 150.0, "treemap": 150.0, "search": 100.0, "filter": 150.0}
PATIENCE = 120.0
BAR = "█".encode()
"""The first row has the longest bar; no line above it has any."""


@contextmanager
def terminal(argv: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The process id and the descriptor of a command on a terminal of its own; killed in the end."""
    process, descriptor = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(argv[0], argv)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield process, descriptor
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(descriptor)


def wait_for(descriptor: int, text: bytes) -> None:
    """Read until a text has been shown, or the other side has closed."""
    shown = b""
    deadline = time.perf_counter() + PATIENCE
    while text not in shown:
        if time.perf_counter() > deadline:
            raise SystemExit(f"{text!r} was not shown in {PATIENCE:g} s")
        if select.select([descriptor], [], [], 0.1)[0]:
            try:
                shown = shown[-len(text) - 200_000 :] + os.read(descriptor, 1 << 16)
            except OSError:
                return


def seconds_until(argv: Sequence[str], text: bytes) -> float:
    """Seconds from the start of a command on a terminal until it shows a text."""
    started = time.perf_counter()
    with terminal(argv) as (_, descriptor):
        wait_for(descriptor, text)
        return time.perf_counter() - started


def browse_start(bench: Bench, results: Results) -> None:
    """From the start to the first rows: a scan of a large tree, a kept scan of it, and snapshots of 1 M and 10 M."""
    tree = bench.tree(bench.million)
    with TemporaryDirectory(dir=bench.place) as place:
        Path(place, "live.toml").write_text("[browser]\ncached = false\n")
        cache = ("--cache-dir", f"{place}/cache")
        run_once(Command("kept scan", (*bench.spacemap, str(tree), "--cached", "--report", "--quiet", *cache)))
        subjects: dict[str, tuple[str, ...]] = {
            "live scan": (str(tree), "--config", f"{place}/live.toml"),
            "kept scan, then updated": (str(tree), *cache),
        }
        for name, path in (("1 M entries", tree), ("10 M entries", None)):
            kept = f"{place}/{name[:2].strip()}.smap"
            if path is not None:
                run_once(Command(name, (*bench.spacemap, str(path), "--output", kept)))
            else:
                subprocess.run([sys.executable, KEPT, "generate", "10000000", kept], check=True)
            subjects[f"snapshot of {name}"] = (kept,)
        for name, subject in subjects.items():
            show_progress(name)
            values = [seconds_until((*bench.spacemap, *subject), BAR) for _ in range(bench.rounds + 1)][1:]
            results.rows.append(Row("browse_start", f"first rows, {name}", "s", tuple(values), FIRST_ROWS))


def browse_scan(bench: Bench, results: Results) -> None:
    """A scan that is watched beside one to a report, both on a terminal, and the memory of browsing afterwards."""
    tree = bench.tree(bench.million)
    totals = json.loads(subprocess.run([*bench.spacemap, str(tree), "--json"], capture_output=True, check=True).stdout)
    items = totals["totals"]["file_count"] + totals["totals"]["dir_count"] - 1
    last = f"{items:,} items".encode()
    ratios, memory = [], []
    with TemporaryDirectory(dir=bench.place) as place:
        for number in range(bench.rounds + 1):
            walls = {}
            for is_browser in (True, False) if number % 2 else (False, True):
                # A cache of its own: what is browsed is kept, and would be there before the next scan.
                fresh = ("--cache-dir", f"{place}/{number}")
                argv = (*bench.spacemap, str(tree), *(fresh if is_browser else ("--report",)))
                started = time.perf_counter()
                with terminal(argv) as (process, descriptor):
                    wait_for(descriptor, last if is_browser else b"Total ")
                    walls[is_browser] = time.perf_counter() - started
                    if is_browser and number:
                        memory.append(family_pss(process) / 1e6)
            if number:
                ratios.append(walls[True] / walls[False])
    results.rows.append(Row("browse_scan", "scan with the browser / to a report", "x", tuple(ratios), BESIDE_REPORT))
    results.rows.append(Row("browse_scan", "PSS of all processes after the scan", "MB", tuple(memory), MEMORY))


def browse_keys(bench: Bench, results: Results) -> None:
    """From a key to the painted screen in a directory of a million entries."""
    runs = []
    for number in range(bench.rounds):
        show_progress(f"round {number + 1} of {bench.rounds}: keys")
        done = subprocess.run([sys.executable, WIDE, "1000000"], capture_output=True, check=True)
        runs.append(json.loads(done.stdout))
    for group, limit in LIMITS_MS.items():
        slowest = tuple(max(run[group]) / 1000 for run in runs)
        results.rows.append(Row("browse_keys", f"slowest {group} key", "s", slowest, Target(limit / 1000)))
