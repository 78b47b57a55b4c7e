"""The snapshot is the same to the byte, whoever listed it and with however many requests."""

import os
from pathlib import Path

import numpy as np
import pytest

from spacemap.scan import CacheTagged, EngineName, ScanOptions, Symlinks, Times, scan
from spacemap.tree.columns import Kind, Skip
from spacemap.tree.owners import UNKNOWN_OWNER
from spacemap.tree.tree import Tree
from tests.conftest import remove
from tests.scan.comparison import as_bytes, recomputed, told
from tests.scan.engines import each_engine, each_thread_count, needs_root
from tests.scan.specs import TREE_NAMES, Entry, at_root, make_tree, needs_tmpfs, read_spec, wide_tree

VARIANTS = {
    "plain": ScanOptions(),
    "no times": ScanOptions(times=Times.LEAVE),
    "follow": ScanOptions(symlinks=Symlinks.FOLLOW),
    "depth": ScanOptions(max_depth=2),
    "exclude": ScanOptions(exclude=("*5", "/wide/3/", "re:ordinary/.*c"), prune=("11", "docs")),
    "caches": ScanOptions(cache_tagged=CacheTagged.EXCLUDE),
}


@pytest.fixture(scope="module")
def everything(large_place: Path) -> Path:
    """Return one tree with every fixture that an ordinary file system holds, and 12,000 entries more."""
    entries = at_root(wide_tree(300, 40), "wide")
    for name in TREE_NAMES:
        spec = read_spec(name)
        if not needs_tmpfs(spec) and name != "levels":
            entries += at_root(spec, name)
    entries += [Entry("levels/d", "chain", levels=120, length=1), Entry("cache/x", content=5000)]
    root = make_tree(large_place / "tree", entries)
    (root / "cache/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    return root


@pytest.fixture(scope="module")
def truth(everything: Path) -> dict[str, dict[str, tuple[str, bytes]]]:
    """Return, for each variant, the columns that the python engine finds alone."""
    return {
        name: as_bytes(scan([everything], _with(options, EngineName.PYTHON, 1))) for name, options in VARIANTS.items()
    }


def _with(options: ScanOptions, engine: EngineName, threads: int) -> ScanOptions:
    return options._replace(engine=engine, threads=threads)


@pytest.mark.parametrize("variant", VARIANTS)
@each_engine
@each_thread_count
def test_same_bytes(
    everything: Path, truth: dict[str, dict[str, tuple[str, bytes]]], variant: str, engine: EngineName, threads: int
) -> None:
    """Every column of every variant has the same bytes for each engine and 1, 2 and 7 requests."""
    actual = as_bytes(scan([everything], _with(VARIANTS[variant], engine, threads)))

    assert truth[variant] == actual


@pytest.mark.parametrize("attempt", range(6))
def test_same_bytes_again(everything: Path, truth: dict[str, dict[str, tuple[str, bytes]]], attempt: int) -> None:
    """Workers that race differently each time find the same bytes."""
    actual = as_bytes(scan([everything], ScanOptions(threads=attempt * 5 + 1)))

    assert truth["plain"] == actual


@pytest.mark.parametrize("variant", VARIANTS)
def test_small_trees_in_workers(
    everything: Path, truth: dict[str, dict[str, tuple[str, bytes]]], variant: str, only_workers: None
) -> None:
    """It makes no difference whether the calling process begins to list, or workers do everything."""
    actual = as_bytes(scan([everything], _with(VARIANTS[variant], EngineName.AUTO, 3)))

    assert truth[variant] == actual


def test_totals_follow_from_entries(everything: Path) -> None:
    """What each directory adds up to follows from the entries of its subtree alone."""
    tree = scan([everything]).tree
    expected = recomputed(tree)

    actual = told(tree)

    assert expected == actual


@pytest.mark.parametrize("name", [name for name in TREE_NAMES if needs_tmpfs(read_spec(name))])
@each_engine
def test_same_bytes_on_tmpfs(tmpfs_place: Path, name: str, engine: EngineName) -> None:
    """Sizes and times that only a tmpfs holds are the same bytes for each engine."""
    root = make_tree(tmpfs_place / name, read_spec(name))
    expected = as_bytes(scan([root], ScanOptions(engine=EngineName.PYTHON)))

    actual = as_bytes(scan([root], ScanOptions(engine=engine)))

    assert expected == actual


OWNERS = {
    "one": [1000],
    "few": [0, 1000, 65_534],
    "large numbers": [0, 70_000, (1 << 32) - 2],
    "more than a byte counts": list(range(1000, 1300)),
}


@needs_root
@pytest.mark.parametrize("owners", OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize("variant", ["plain", "exclude", "follow"])
@each_engine
@each_thread_count
def test_owners(large_place: Path, owners: list[int], variant: str, engine: EngineName, threads: int) -> None:
    """Each entry has the owner that the file system names, however many there are; each engine keeps the same bytes."""
    entries = [Entry(f"{number % 9}/{number}", owner=owners[number % len(owners)]) for number in range(400)]
    entries += [Entry(f"{number}", "directory", owner=owners[-1]) for number in range(9)]
    entries += [Entry("0/symlink", "symlink", target="../1/1", owner=owners[0])]
    root = make_tree(large_place / "owned", entries)
    os.chown(root, owners[0], -1)
    try:
        snapshot = scan([root], _with(VARIANTS[variant], engine, threads))
        expected = as_bytes(scan([root], _with(VARIANTS[variant], EngineName.PYTHON, 1)))
        tree = snapshot.tree
        stat = os.stat if variant == "follow" else os.lstat
        known = {entry: stat(tree.path(entry)).st_uid for entry in range(len(tree)) if not _is_excluded(tree, entry)}
    finally:
        remove(root)

    assert expected == as_bytes(snapshot)
    assert known == {entry: int(tree.owners[tree.owner[entry]]) for entry in known}
    assert {UNKNOWN_OWNER} >= {int(tree.owners[tree.owner[entry]]) for entry in set(range(len(tree))) - known.keys()}
    assert tree.owners.tolist() == np.unique(tree.owners[tree.owner]).tolist()
    assert 1 == tree.owner.itemsize or len(owners) > 256
    assert len(tree.owners) > 1 or (0,) == tree.owner.strides


def _is_excluded(tree: Tree, entry: int) -> bool:
    return tree.kind[entry] == Kind.DIRECTORY and tree.directories.skip[tree.directory_row(entry)] == Skip.EXCLUDED


@each_engine
def test_a_large_directory(tmpfs_place: Path, engine: EngineName) -> None:
    """A directory whose names take several buffers, several chunks and a radix sort is the same bytes."""
    names = [f"{number * 7919 % 40_009:05}{'x' * (number % 13)}" for number in range(40_009)]
    root = make_tree(tmpfs_place / "tree", [Entry("d/" + name) for name in names])
    expected = sorted(name.encode() for name in names)

    tree = scan([root], ScanOptions(engine=engine, threads=2)).tree

    assert expected == [tree.name(entry) for entry in range(2, len(tree))]
