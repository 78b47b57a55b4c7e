"""Any sequence of edits between a scan and a rescan: `verified` sees them all, `fast` all but what it tells of."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacemap.scan import CacheTagged, MountBoundary, ScanOptions, scan
from spacemap.scan.rescan import Level, Rescan
from spacemap.store.snapshot import open_snapshot, write_snapshot
from spacemap.tree.columns import Flag, Kind
from spacemap.tree.snapshot import Snapshot
from tests.conftest import remove
from tests.scan.comparison import as_bytes
from tests.scan.edits import Edits, edited_tree, one_edit
from tests.scan.engines import QUICK

SETTLED_NS = 30_000_000
"""Stands for the two seconds: longer than a tick of the clock of a tmpfs, and short enough to wait for."""
VARIANTS = [
    ScanOptions(),
    ScanOptions(boundary=MountBoundary.STAY),
    ScanOptions(exclude=("*.iso", "/3/", "re:^2/[0-9]+$")),
    ScanOptions(prune=("prune", "4")),
    ScanOptions(max_depth=3),
    ScanOptions(cache_tagged=CacheTagged.EXCLUDE),
]
ROOTS = [["a", "b", "c", "lone"], ["."], ["b", "empty"]]
LARGE = 30_000
FAST = Rescan(Level.FAST, large_bytes=LARGE, recent_seconds=-86_400)

rounds = st.lists(st.tuples(st.booleans(), st.lists(one_edit, max_size=5)), min_size=1, max_size=4)


def settle() -> None:
    """Let the clock go past what counts as just changed."""
    until = time.monotonic_ns() + SETTLED_NS + 5_000_000
    while time.monotonic_ns() < until:
        os.sched_yield()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let directories be trusted that have not changed for 30 ms, and let no base be too stale."""
    monkeypatch.setattr("spacemap.scan.stale.GRANULARITY_NS", SETTLED_NS)
    monkeypatch.setattr("spacemap.scan.reuse.MOST_STALE", 1.0)


@settings(max_examples=60)
@given(options=st.sampled_from(VARIANTS), names=st.sampled_from(ROOTS), rounds=rounds)
def test_any_edits(
    clock: None,
    tmpfs_place: Path,
    options: ScanOptions,
    names: list[str],
    rounds: list[tuple[bool, list[tuple[str, int, int]]]],
) -> None:
    """Each rescan of a chain equals a full scan to the byte; `fast` differs in what it took on trust alone."""
    remove(tmpfs_place / "tree")
    top = edited_tree(tmpfs_place / "tree")
    roots = [top / name for name in names]
    edit = Edits(top, roots)
    settle()
    base = scan(roots, options)
    kept = 0
    for waits, edits in rounds:
        if waits:
            settle()
        for each in edits:
            edit(*each)
        full = scan(roots, options)
        results = [scan(roots, options._replace(engine=engine), base=base) for engine in QUICK]
        fast = scan(roots, options, base=base, rescan=FAST)
        expected = as_bytes(full)
        for each in results:
            assert expected == as_bytes(each)
            assert each.facts.base is not None
            kept += each.facts.base.kept_directories
        check_trust(base, fast, full)
        write_snapshot(tmpfs_place / "base.smap", results[len(edits) % len(results)])
        base = open_snapshot(tmpfs_place / "base.smap").load()

    assert kept > 0


def check_trust(base: Snapshot, fast: Snapshot, full: Snapshot) -> None:
    """Fail unless two trees differ only in files that `fast` may take over from its base, and counted."""
    one, other = fast.tree, full.tree
    assert fast.facts.base is not None
    for column in ("parent", "kind", "inode", "name_offset"):
        assert np.array_equal(getattr(one, column), getattr(other, column)), column
    assert bytes(one.names) == bytes(other.names)
    for column in ("device", "mtime_ns", "ctime_ns", "skip", "entry", "first_child", "child_count"):
        assert np.array_equal(getattr(one.directories, column), getattr(other.directories, column)), column
    differs = one.flags != other.flags
    for column in ("apparent_size", "blocks", "mtime"):
        differs |= getattr(one, column) != getattr(other, column)
    may_be_trusted = _trusted_paths(base)
    paths = {one.path(int(entry)) for entry in np.flatnonzero(differs)}

    assert paths <= may_be_trusted
    assert len(paths) <= fast.facts.base.trusted_entries


def _trusted_paths(base: Snapshot) -> set[bytes]:
    tree = base.tree
    is_wanted = (tree.kind == Kind.DIRECTORY) | (tree.mtime >= time.time() + 86_400) | (tree.apparent_size >= LARGE)
    is_wanted |= (tree.flags & np.uint8(Flag.LINKED)) != 0
    return {tree.path(int(entry)) for entry in np.flatnonzero(~is_wanted)}
