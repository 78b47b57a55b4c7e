"""Scenarios of what is twice: beside the tools that find duplicates, warm and cold, with the same answer."""

import json
import os
import shutil
import stat
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import twins
from bench import Bench, working
from measure import Command, Run, drop_caches, run_once, run_pairs, show_progress
from memory import measure_peak
from peers import find_program
from results import Results, Row, Target

SOFTWARE = Path("/usr")
PAGE = 4096
FASTER = Target(1.0, goal=0.6, below=True)
BOUND = Target(1.10)
SECOND = Target(0.15)
MEMORY = Target(250.0)
MEMORY_FILES = twins.MANY_FILES
PEERS: dict[str, tuple[str, ...]] = {
    "fclones": ("fclones", "group", "--hidden", "--no-ignore", "-s", "1"),
    "jdupes": ("jdupes", "-r", "-q"),
    "jdupes -Q": ("jdupes", "-r", "-q", "-Q"),
    "rmlint": ("rmlint", "-T", "df", "-o", "summary:stdout"),
    "czkawka": ("czkawka_cli", "dup", "-H", "-m", "1", "-W", "-d"),
}
Runner = Callable[[Command], Run]

FEW_ROUNDS = 2
"""Some of the peers take a minute for each round."""


def duplicates_small(bench: Bench, results: Results) -> None:
    """200,000 small files, three of ten of them copies."""
    _scenario("duplicates_small", bench, results, twins.tree_at(bench.place, "small", _part(bench)))


def duplicates_large(bench: Bench, results: Results) -> None:
    """3 GB in large files of few sizes, four of ten bytes in copies, most others with equal beginnings."""
    _scenario("duplicates_large", bench, results, twins.tree_at(bench.place, "large", _part(bench)))


def duplicates_software(bench: Bench, results: Results) -> None:
    """A tree of real software."""
    _scenario("duplicates_software", bench, results, SOFTWARE)


def duplicates_memory(bench: Bench, results: Results) -> None:
    """Peak memory where a million files share their sizes with others."""
    tree = twins.tree_at(bench.place, "many", _part(bench))
    with TemporaryDirectory(dir=bench.place) as cache:
        peak = measure_peak(_own(bench, tree, cache)).pss_bytes / 1e6
    results.rows.append(Row("duplicates_memory", f"peak PSS, {MEMORY_FILES:,} candidates", "MB", (peak,), MEMORY))


def _part(bench: Bench) -> float:
    return 1.0 if bench.million.files >= 1_000_000 else 0.1


def _own(bench: Bench, tree: Path, cache: str, name: str = "spacemap") -> Command:
    return Command(name, (*bench.spacemap, "--find-duplicates", "--quiet", "--fdupes", "--cache-dir", cache, str(tree)))


def _scenario(name: str, bench: Bench, results: Results, tree: Path) -> None:
    peers = []
    for peer, (program, *words) in PEERS.items():
        if found := find_program(program, bench.peer_directories):
            peers.append(Command(peer, (found, *words, str(tree))))
        else:
            results.remarks.append(f"{name}: {peer} is not installed")
    with TemporaryDirectory(dir=bench.place) as cache:
        subject = _own(bench, tree, cache)
        _compare_answers(name, bench, results, tree, cache)

        def run_warm(command: Command) -> Run:
            """A first run has no cache."""
            if command.name == subject.name:
                shutil.rmtree(cache, ignore_errors=True)
            return run_once(command)

        def run_cold(command: Command) -> Run:
            if command.name == subject.name:
                shutil.rmtree(cache, ignore_errors=True)
            drop_caches()
            return run_once(command)

        others = working(peers, results)
        pairs = run_pairs(subject, others, min(bench.rounds, FEW_ROUNDS), run_warm)
        results.add_pairs(f"{name}, warm", subject.name, pairs, dict.fromkeys(pairs.ratios, FASTER))
        again = _own(bench, tree, cache, "second run")
        _second(f"{name}, warm", results, subject, again, run_warm)
        if os.geteuid() != 0:
            results.not_measured(f"{name}, cold", "dropping the caches needs root", {"spacemap / all": FASTER})
            return
        pairs = run_pairs(subject, others, 1, run_cold, warm_up=0)
        results.add_pairs(f"{name}, cold", subject.name, pairs, dict.fromkeys(pairs.ratios, FASTER))
        _second(f"{name}, cold", results, subject, again, run_cold)


def _second(scenario: str, results: Results, first: Command, second: Command, runner: Runner) -> None:
    ratios = []
    for _ in range(FEW_ROUNDS):
        show_progress(f"{scenario}: second run")
        before = runner(first)
        ratios.append(runner(second).wall_s / before.wall_s)
    results.rows.append(Row(scenario, "second run / first", "x", tuple(ratios), SECOND))


def _compare_answers(name: str, bench: Bench, results: Results, tree: Path, cache: str) -> None:
    """Rows for the bytes that were read beside the bound, and for groups and files beside those of a peer."""
    output = Path(cache) / "report"
    command = (*bench.spacemap, "--find-duplicates", "--quiet", "--json", "--no-hashes", str(tree))
    run_once(Command("spacemap", command), output)
    totals = json.loads(output.read_bytes())["totals"]
    bound, groups, files = lower_bound(tree)
    results.rows.append(Row(name, "bytes read / bound", "x", (totals["bytes_read"] / bound,), BOUND))
    exact = Target(0, exact=True)
    results.rows.append(Row(name, "groups - those of page by page", "bytes", (totals["groups"] - groups,), exact))
    results.rows.append(Row(name, "files - those of page by page", "bytes", (totals["files"] - files,), exact))


def lower_bound(tree: Path) -> tuple[int, int, int]:
    """Bytes that reading page by page, all files of a size at the same pace, takes; groups, and files in them."""
    by_size: defaultdict[int, dict[tuple[int, int], str]] = defaultdict(dict)
    for directory, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            if status.st_size and stat.S_ISREG(status.st_mode):
                by_size[status.st_size][status.st_dev, status.st_ino] = path
    total = groups = files = 0
    for size, inodes in by_size.items():
        if len(inodes) < 2:
            continue
        for read, equal in _page_by_page(list(inodes.values()), size):
            total, groups, files = total + read, groups + (equal > 1), files + (equal if equal > 1 else 0)
    return total, groups, files


def _page_by_page(paths: Sequence[str], size: int) -> list[tuple[int, int]]:
    """Bytes read and files that are equal, for each content."""
    found = []
    parts = [(paths, 0)]
    while parts:
        members, offset = parts.pop()
        by_page: defaultdict[bytes, list[str]] = defaultdict(list)
        for path in members:
            with open(path, "rb", buffering=0) as file:
                file.seek(offset)
                by_page[file.read(PAGE)].append(path)
        end = min(offset + PAGE, size)
        for equal in by_page.values():
            if len(equal) == 1 or end == size:
                found.append((end * len(equal), len(equal)))
            else:
                parts.append((equal, end))
    return found


if __name__ == "__main__":
    print(lower_bound(Path(sys.argv[1])))
