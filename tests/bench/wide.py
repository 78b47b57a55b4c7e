"""Keys of the browser in a directory of a million entries: JSON on stdout, milliseconds from key to painted screen.

Run in a process of its own by the scenario `browse_keys`.
"""

import asyncio
import json
import statistics
import sys
import time

import numpy as np

from spacemap.analyze.categories import default_categories
from spacemap.config import Settings
from spacemap.tree.owners import one_owner
from spacemap.tree.rollup import roll_up
from spacemap.tree.snapshot import Completeness, Facts, Snapshot
from spacemap.tree.tree import Directories, Folded, Links, Problems, Totals, Tree
from spacemap.tui.app import Browser
from spacemap.tui.jobs import Jobs
from spacemap.tui.subject import Kept, Setting

ROUNDS = 5
KEYS = {
    "move": ("j", "k", "end", "home", "pagedown"),
    "sort": ("n", "s", "C", "M", "t", "a"),
    "treemap": ("v", "right", "down", "g", "s", "s", "escape"),
    "search": ("slash", "f", "i", "1", "7"),
    "filter": ("f", *"name:*17*", "space", *"size>64K"),
}


def wide_tree(count: int) -> Tree:
    """Return a root with so many files in it."""
    random = np.random.default_rng(7)
    entry = np.zeros(1, np.uint32)
    blocks = np.append(8, random.pareto(1.2, count) * 8).astype(np.uint32)
    names = [b"/wide", *(b"file-%08d.txt" % number for number in range(count))]
    offset = np.zeros(count + 2, np.uint32)
    np.cumsum([len(name) for name in names], out=offset[1:])
    none32, none64 = np.zeros(0, np.uint32), np.zeros(0, np.uint64)
    tree = Tree(
        parent=np.zeros(count + 1, np.uint32),
        kind=np.append(0, np.ones(count)).astype(np.uint8),
        flags=np.zeros(count + 1, np.uint8),
        apparent_size=blocks * np.uint32(500),
        blocks=blocks,
        mtime=random.integers(1_500_000_000, 1_700_000_000, count + 1).astype(np.int32),
        inode=np.arange(count + 1, dtype=np.uint32),
        owner=one_owner(count + 1),
        owners=np.zeros(1, np.uint32),
        name_offset=offset,
        names=memoryview(b"".join(names)),
        directories=Directories(
            entry=entry,
            first_child=np.ones(1, np.uint32),
            child_count=np.full(1, count, np.uint32),
            device=np.ones(1, np.uint64),
            mtime_ns=np.zeros(1, np.int64),
            ctime_ns=np.zeros(1, np.int64),
            skip=np.zeros(1, np.uint8),
        ),
        links=Links(none32, none64, none32),
        problems=Problems(none32, np.zeros(0, np.uint8), none32),
        folded=Folded(none32, none32),
        totals=Totals.none(),
    )
    object.__setattr__(tree, "totals", roll_up(tree))
    return tree


def snapshot_of(count: int) -> Snapshot:
    """Return a wide tree as a scan would."""
    facts = Facts(0, 0, 0, "native", 0, 0, "host", {}, Completeness.COMPLETE, ())
    return Snapshot(wide_tree(count), (b"/wide",), facts)


async def measure(count: int) -> dict[str, list[float]]:
    """Return, for each group of keys, the median of each key in milliseconds."""
    snapshot = snapshot_of(count)
    jobs = Jobs()
    jobs.load(b"", lambda _: snapshot)
    app = Browser(jobs, Kept(b"", lambda _: ""), Setting(Settings(default_categories())))
    taken: dict[str, list[float]] = {}
    async with app.run_test(size=(120, 50)) as pilot:
        while app.browsing.session is None:
            await pilot.pause(0.01)
        for group, keys in KEYS.items():
            rounds = []
            for _ in range(ROUNDS):
                row = []
                for key in keys:
                    started = time.perf_counter()
                    app.simulate_key(key)
                    await pilot.pause()
                    row.append((time.perf_counter() - started) * 1000)
                rounds.append(row)
                if group in ("search", "filter"):
                    await pilot.press("escape")
            taken[group] = [statistics.median(column) for column in zip(*rounds, strict=True)]
    return taken


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
