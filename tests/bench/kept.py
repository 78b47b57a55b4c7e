"""Snapshot files for the scenarios: one of a scan, with the time that writing takes, and generated ones of any size.

`kept.py scan TREE FILE` scans, writes, and prints as JSON what that took; `kept.py generate ENTRIES FILE` writes;
`kept.py stop TREE FILE` leaves the checkpoint of a scan that was stopped after nine tenths.
"""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from spacemap import ScanOptions, Snapshot, scan, write_snapshot
from spacemap.scan import Progress
from spacemap.scan.checkpoint import Checkpointing
from spacemap.store.columns import tree_from_columns
from spacemap.tree.rollup import roll_up
from spacemap.tree.snapshot import Completeness, Facts

PER_DIRECTORY = 13
STOPPED_SHARE = 0.88
"""The workers send what they have when they are stopped, which is some hundredths more."""
NAME_LENGTH = 14


def main(words: list[str]) -> None:
    """Do what the module's docstring says."""
    what, source, file = words
    if what == "stop":
        stop(source, file)
        return
    if what == "generate":
        write_snapshot(file, generated(int(source)))
        return
    started = time.perf_counter()
    snapshot = scan([source])
    scanned = time.perf_counter()
    write_snapshot(file, snapshot)
    written = time.perf_counter()
    numbers = {
        "scan_s": scanned - started,
        "write_s": written - scanned,
        "bytes_per_entry": Path(file).stat().st_size / len(snapshot.tree),
    }
    sys.stdout.write(json.dumps(numbers))


def stop(tree: str, file: str) -> None:
    """Scan until nine tenths of the entries are there; again, where all of them were there before anybody looked."""
    entries = len(scan([tree]).tree)

    def interrupt(progress: Progress) -> None:
        if progress.entries >= STOPPED_SHARE * entries:
            raise KeyboardInterrupt

    while not os.path.exists(file):
        stopped = scan([tree], ScanOptions(threads=1), interrupt, checkpoint=Checkpointing(file))
    sys.stderr.write(f"stopped after {len(stopped.tree) / entries:.3f} of the entries\n")


def generated(entries: int) -> Snapshot:
    """Return a snapshot of directories below one root, with files of pseudo-random sizes in them."""
    directories = max(entries // PER_DIRECTORY, 2)
    files = entries - directories
    chance = np.random.default_rng(entries)
    kind = np.ones(entries, np.uint8)
    kind[:directories] = 0
    child_count = np.full(directories, files // (directories - 1), np.uint32)
    child_count[0] = directories - 1
    child_count[1 : 1 + files % (directories - 1)] += 1
    sizes = chance.integers(0, 1 << 30, entries, np.uint32)
    root = b"/generated"
    digits = chance.integers(ord("a"), ord("z"), (entries - 1) * NAME_LENGTH, np.uint8)
    length = np.full(entries, NAME_LENGTH, np.uint8)
    length[0] = len(root)
    moments = np.full(directories, 1_700_000_000 * 10**9)
    none = np.zeros(0, np.uint8)
    names = ("apparent", "disk", "shared", "files", "directories", "problems", "newest_mtime")
    columns = {
        "entries.kind": kind,
        "entries.flags": np.zeros(entries, np.uint8),
        "entries.apparent_size": sizes,
        "entries.blocks": sizes // np.uint32(512),
        "entries.mtime": np.full(entries, 1_700_000_000, np.int32),
        "entries.inode": np.arange(entries, dtype=np.uint32),
        "entries.name_length": length,
        "entries.names": np.concatenate([np.frombuffer(root, np.uint8), digits]),
        "directories.child_count": child_count,
        "directories.device": np.ones(directories, np.uint8),
        "directories.mtime_ns": moments,
        "directories.ctime_ns": moments,
        "directories.skip": np.zeros(directories, np.uint8),
        **{f"links.{name}": none for name in ("entry", "device", "link_count")},
        **{f"problems.{name}": none for name in ("entry", "operation", "errno")},
        **{f"folded.{name}": none for name in ("entry", "file_count")},
        **{f"totals.{name}": np.zeros(directories, np.uint8) for name in names},
    }
    tree = tree_from_columns(columns)
    moment = 1_700_000_000 * 10**9
    facts = Facts(moment, moment, 1, "generated", 0, 1, os.uname().nodename, {}, Completeness.COMPLETE, ())
    return Snapshot(replace(tree, totals=roll_up(tree)), (root,), facts)


if __name__ == "__main__":
    main(sys.argv[1:])
