"""The scenarios, each with the limits it is held against."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import KEPT, Bench, compare_totals, working
from browser import browse_keys, browse_scan, browse_start
from deleting import delete_100k
from duplicates import duplicates_large, duplicates_memory, duplicates_small, duplicates_software
from measure import (
    Command,
    Run,
    drained_terminal,
    run_cold,
    run_once,
    run_pairs,
    run_rotating,
    show_progress,
)
from memory import measure_peak
from peers import NCDU, OTHERS
from rescans import cached_1m, checkpoint_1m
from results import Results, Row, Target

SWEEP_THREADS = (1, 2, 4, 8, 16, 32, 64)
COLD_FLOOR_THREADS = 32
MEMORY_ROUNDS = 3

FASTER = Target(1.0, below=True)
WARM_TARGETS = {
    "floor": Target(1.4, goal=1.25),
    "du": Target(0.75, goal=0.65),
    NCDU.name: Target(1.15, goal=1.0),
    **{kind.name: FASTER for kind in OTHERS},
}
COLD_TARGETS = {"du": Target(0.42)}
PYTHON_TARGETS = {"du": Target(1.3)}
HUGE_TARGETS = {"floor": Target(1.2)}
PROGRESS_TARGETS = {"--quiet": Target(1.02)}
MEMORY_TARGET = Target(120.0)
SMALL_TARGET = Target(0.30)
VERSION_TARGET = Target(0.06)
WRITE_TARGET = Target(0.15)
ENTRY_BYTES_TARGET = Target(45.0)
SUMMARY_TARGET = Target(0.20)
SUMMARY_MEMORY_TARGET = Target(60.0)


def warm_1m(bench: Bench, results: Results) -> None:
    """A million files with everything in the caches, against the floor, du and every peer."""
    tree = bench.tree(bench.million)
    compare_totals(bench, tree, results)
    peers = [peer.timed(tree) for peer in (bench.du, bench.ncdu, *bench.others) if peer]
    others = working([bench.floor(tree), *peers], results)
    pairs = run_pairs(bench.scan(tree), others, bench.rounds)
    results.add_pairs("warm_1m", "spacemap", pairs, WARM_TARGETS)
    results.rows += [
        Row("warm_1m", f"spacemap / {name}", "x", (), target)
        for name, target in WARM_TARGETS.items()
        if name not in pairs.ratios
    ]
    if "floor" in pairs.runs and "du" in pairs.runs:
        results.add_ratio("warm_1m", pairs, "floor", "du")


def cold_1m(bench: Bench, results: Results) -> None:
    """A million files after dropping the caches before every run."""
    if os.geteuid() != 0:
        reason = "dropping the caches needs root"
        results.not_measured("cold_1m", reason, {f"spacemap / {name}": target for name, target in COLD_TARGETS.items()})
        return
    tree = bench.tree(bench.million)
    floor = bench.floor(tree, COLD_FLOOR_THREADS)
    others = [bench.du.timed(tree), floor]
    pairs = run_pairs(bench.scan(tree), others, bench.cold_rounds, run_cold, warm_up=0)
    results.add_pairs("cold_1m", "spacemap", pairs, COLD_TARGETS)
    results.add_ratio("cold_1m", pairs, floor.name, "du")


def memory_1m(bench: Bench, results: Results) -> None:
    """Peak memory of all processes together; gdu with its tree kept, for comparison."""
    tree = bench.tree(bench.million)
    commands: list[tuple[Command, Target | None]] = [(bench.scan(tree), MEMORY_TARGET)]
    if bench.gdu_tree:
        commands.append((bench.gdu_tree.timed(tree), None))
    for command, target in commands:
        show_progress(f"memory of {command.name}")
        peaks = [measure_peak(command) for _ in range(min(MEMORY_ROUNDS, bench.rounds))]
        values = tuple(peak.pss_bytes / 1e6 for peak in peaks)
        results.rows.append(Row("memory_1m", f"peak PSS of {command.name}", "MB", values, target))
        highest = max(peaks, key=lambda peak: peak.pss_bytes)
        results.remarks.append(
            f"memory_1m: {command.name} had {highest.processes} processes at its peak; {highest.samples} samples"
        )


def python_1m(bench: Bench, results: Results) -> None:
    """The engine without C code against du."""
    tree = bench.tree(bench.million)
    subject = bench.scan(tree, name="spacemap, engine python", engine="python")
    pairs = run_pairs(subject, [bench.du.timed(tree)], bench.rounds)
    results.add_pairs("python_1m", subject.name, pairs, PYTHON_TARGETS)


def small_10k(bench: Bench, results: Results) -> None:
    """What starting costs: a small tree, and no tree at all."""
    tree = bench.tree(bench.small)
    scan = bench.scan(tree)
    version = Command("--version", (*bench.spacemap, "--version"))
    bare = Command("python -I -c pass", (sys.executable, "-I", "-c", "pass"))
    pairs = run_rotating([scan, version, bare], 3 * bench.rounds)
    for command, target in ((scan, SMALL_TARGET), (version, VERSION_TARGET), (bare, None)):
        walls = tuple(run.wall_s for run in pairs.runs[command.name])
        results.rows.append(Row("small_10k", command.name, "s", walls, target))
    results.add_timings("small_10k", pairs)


def huge_dir(bench: Bench, results: Results) -> None:
    """One directory with all the files."""
    tree = bench.tree(bench.huge)
    pairs = run_pairs(bench.scan(tree), [bench.floor(tree)], bench.rounds)
    results.add_pairs("huge_dir", "spacemap", pairs, HUGE_TARGETS)


def progress(bench: Bench, results: Results) -> None:
    """What drawing the progress on a terminal costs; both commands write to a terminal that is read."""
    tree = bench.tree(bench.million)
    loud = bench.scan(tree, "--progress", name="--progress")
    quiet = bench.scan(tree, "--quiet", name="--quiet")

    def run_on_terminal(command: Command) -> Run:
        with drained_terminal() as terminal:
            return run_once(command, stderr=terminal)

    # Two per cent is less than the noise of one pair, hence more rounds.
    pairs = run_pairs(loud, [quiet], 6 * bench.rounds, run_on_terminal)
    results.add_pairs("progress", "--progress", pairs, PROGRESS_TARGETS)


def snapshot_1m(bench: Bench, results: Results) -> None:
    """What keeping a scan costs: the snapshot written and on the disk, beside the scan itself."""
    tree = bench.tree(bench.million)
    shares, sizes = [], []
    with TemporaryDirectory(dir=bench.place) as directory:
        command = Command("scan and write", (sys.executable, KEPT, "scan", str(tree), f"{directory}/x.smap"))
        output = Path(directory) / "output"
        for number in range(-1, bench.rounds):
            show_progress(f"round {number + 1} of {bench.rounds}: {command.name}")
            run_once(command, output)
            told = json.loads(output.read_bytes())
            if number >= 0:
                shares.append(told["write_s"] / told["scan_s"])
                sizes.append(told["bytes_per_entry"])
    results.rows.append(Row("snapshot_1m", "write and sync / scan", "x", tuple(shares), WRITE_TARGET))
    results.rows.append(Row("snapshot_1m", "file, for each entry", "bytes", tuple(sizes), ENTRY_BYTES_TARGET))


def summary(bench: Bench, results: Results) -> None:
    """Totals from a kept snapshot: the same time and memory whatever its size."""
    with TemporaryDirectory(dir=bench.place) as directory:
        commands = []
        for entries in (bench.million.files, 10 * bench.million.files):
            file = f"{directory}/{entries}.smap"
            show_progress(f"generating {entries:,} entries")
            run_once(Command("generate", (sys.executable, KEPT, "generate", str(entries), file)))
            commands.append(Command(f"--summary of {entries:,} entries", (*bench.spacemap, "--summary", file)))
        pairs = run_rotating(commands, 3 * bench.rounds)
        for command in commands:
            walls = tuple(run.wall_s for run in pairs.runs[command.name])
            results.rows.append(Row("summary", command.name, "s", walls, SUMMARY_TARGET))
        for command in commands:
            peaks = tuple(measure_peak(command).pss_bytes / 1e6 for _ in range(min(MEMORY_ROUNDS, bench.rounds)))
            results.rows.append(Row("summary", f"peak PSS of {command.name}", "MB", peaks, SUMMARY_MEMORY_TARGET))
    results.add_timings("summary", pairs)


def sweep(bench: Bench, results: Results) -> None:
    """Times by number of threads, warm and (for root) cold: how `--threads 0` should choose."""
    tree = bench.tree(bench.million)
    scans = [bench.scan(tree, "--threads", str(threads), name=f"--threads {threads}") for threads in SWEEP_THREADS]
    floors = [bench.floor(tree, threads) for threads in SWEEP_THREADS]
    results.add_timings("sweep, warm", run_rotating([*scans, *floors], bench.rounds))
    if os.geteuid() == 0:
        results.add_timings("sweep, cold", run_rotating([*scans, *floors], bench.cold_rounds, run_cold))
    else:
        results.remarks.append("sweep, cold: not measured: dropping the caches needs root")


SCENARIOS: dict[str, Callable[[Bench, Results], None]] = {
    scenario.__name__: scenario
    for scenario in (
        warm_1m,
        cold_1m,
        memory_1m,
        python_1m,
        small_10k,
        huge_dir,
        progress,
        snapshot_1m,
        summary,
        cached_1m,
        checkpoint_1m,
        browse_start,
        browse_scan,
        browse_keys,
        delete_100k,
        duplicates_small,
        duplicates_large,
        duplicates_software,
        duplicates_memory,
        sweep,
    )
}
DEFAULT = tuple(name for name in SCENARIOS if name != "sweep")
