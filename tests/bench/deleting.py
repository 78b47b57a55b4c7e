"""Deleting 100,000 files beside `rm -rf`; `deleting.py TREE JOURNAL` deletes all of a tree and prints the seconds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import Bench
from measure import Command, run_once, show_progress
from results import Results, Row, Target

DIRECTORIES, FILES = 1000, 100
CONTENT = b"x" * 100
RM = Target(1.5)


def main(tree: str, journal: str) -> None:
    """Do what the module's docstring says; what comes before the removal, as in the browser, is not measured."""
    from spacemap import scan
    from spacemap.clean import Journal, Method, make_plan, remove

    snapshot = scan([tree])
    started = time.perf_counter()
    plan = make_plan(snapshot, range(1, len(snapshot.tree)))
    outcome = remove(plan, Method.DELETE, Journal(journal))
    seconds = time.perf_counter() - started
    if outcome.stayed_count or os.listdir(tree):
        raise SystemExit(f"{outcome.stayed_count} entries stayed")
    sys.stdout.write(json.dumps(seconds))


def delete_100k(bench: Bench, results: Results) -> None:
    """The same files, written anew for each, deleted by a plan that is compared and told to a journal, and by rm."""
    pairs = []
    with TemporaryDirectory(dir=bench.place) as place:
        for number in range(bench.rounds):
            seconds = {}
            for name in ("spacemap", "rm") if number % 2 else ("rm", "spacemap"):
                show_progress(f"round {number + 1} of {bench.rounds}: {name}")
                tree = _make(Path(place) / name)
                if name == "rm":
                    seconds[name] = run_once(Command("rm -rf", ("rm", "-rf", str(tree)))).wall_s
                else:
                    command = [sys.executable, __file__, str(tree), f"{place}/journal"]
                    seconds[name] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            pairs.append(seconds)
    ratios = tuple(pair["spacemap"] / pair["rm"] for pair in pairs)
    results.rows.append(Row("delete_100k", "remove() / rm -rf", "x", ratios, RM))
    for name in ("spacemap", "rm"):
        results.rows.append(Row("delete_100k", name, "s", tuple(pair[name] for pair in pairs)))


def _make(tree: Path) -> Path:
    """Make a tree anew, and bring it to the disk."""
    tree.mkdir(exist_ok=True)
    for directory in range(DIRECTORIES):
        place = tree / f"directory {directory:04}"
        place.mkdir()
        for number in range(FILES):
            # Names that are not in the order of the inodes.
            (place / f"{number * 7919 % 10007:05}.dat").write_bytes(CONTENT)
    os.sync()
    return tree


if __name__ == "__main__":
    main(*sys.argv[1:])
