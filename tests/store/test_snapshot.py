"""A snapshot file gives back what was written, to the byte and to the type."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from spacemap.scan import ScanOptions, Times, scan
from spacemap.store.columns import root_totals
from spacemap.store.schema import COLUMNS
from spacemap.store.snapshot import open_snapshot, write_snapshot
from spacemap.tree.snapshot import Snapshot
from tests.conftest import remove
from tests.scan.comparison import as_bytes
from tests.scan.processes import environment
from tests.scan.specs import TREE_NAMES, make_tree, read_spec
from tests.scan.trees import random_trees
from tests.store.samples import everything, several_roots
from tests.trees import Leaf, snapshot_of, tree_of


def _same(snapshot: Snapshot, file: Path) -> None:
    write_snapshot(file, snapshot)
    opened = open_snapshot(file)
    loaded = opened.load()

    assert as_bytes(snapshot) == as_bytes(loaded)
    assert (snapshot.roots, snapshot.facts) == (loaded.roots, loaded.facts)
    assert (opened.roots, opened.facts, opened.totals) == (snapshot.roots, snapshot.facts, root_totals(snapshot.tree))


@pytest.mark.parametrize("name", TREE_NAMES)
@pytest.mark.parametrize("times", Times)
def test_scanned_trees(tmpfs_place: Path, name: str, times: Times) -> None:
    """Every fixture tree, as a real scan found it, comes back."""
    root = make_tree(tmpfs_place / "tree", read_spec(name))

    _same(scan([root], ScanOptions(times=times)), tmpfs_place / "x.smap")


@pytest.mark.parametrize(
    "roots", [["ordinary", "links"], ["links/"], ["file"], ["file", "ordinary"]], ids=["two", "one", "file", "mixed"]
)
def test_scanned_roots(place: Path, roots: list[str]) -> None:
    """Several roots, and roots that are files, come back in their order."""
    for name in ("ordinary", "links"):
        make_tree(place / name, read_spec(name))
    (place / "file").write_bytes(b"x" * 5000)

    _same(scan([place / name for name in roots]), place / "x.smap")


@pytest.mark.parametrize("make", [everything, several_roots], ids=lambda make: make.__name__)
def test_every_table(place: Path, make: Callable[[], Snapshot]) -> None:
    """Links, problems, aggregates, odd names and odd facts come back."""
    _same(make(), place / "x.smap")


@settings(max_examples=40)
@given(spec=random_trees())
def test_random_trees(tmp_path: Path, spec: list) -> None:
    """Whatever a scan finds comes back."""
    root = make_tree(tmp_path / "tree", spec)
    try:
        _same(scan([root]), tmp_path / "x.smap")
    finally:
        remove(root)


def test_empty_tree(place: Path) -> None:
    """A root without entries comes back, its tables empty."""
    (place / "tree").mkdir()

    _same(scan([place / "tree"]), place / "x.smap")


def test_sums_beyond_64_bits(place: Path) -> None:
    """The totals of sparse giants are exact in the footer."""
    tree = tree_of({str(number): Leaf(2**63 - 1, disk=0) for number in range(3)})
    write_snapshot(place / "x.smap", snapshot_of(replace(tree, names=memoryview(tree.names))))

    assert 3 * (2**63 - 1) == open_snapshot(place / "x.smap").totals.apparent_bytes


def test_loaded_columns_are_read_only(place: Path) -> None:
    """No column of a loaded tree can be written to."""
    write_snapshot(place / "x.smap", everything())
    tree = open_snapshot(place / "x.smap").load().tree
    tables = (tree, tree.directories, tree.links, tree.problems, tree.folded, tree.totals)
    values = [getattr(table, field.name) for table in tables for field in fields(table)]
    columns = [value for value in values if isinstance(value, np.ndarray)]

    assert [] == [column for column in columns if column.flags.writeable]
    assert tree.names.readonly


def test_every_column_is_aligned_and_listed(place: Path) -> None:
    """Blocks stand in the order of the schema, each at a multiple of 64 bytes."""
    write_snapshot(place / "x.smap", everything())
    blocks = open_snapshot(place / "x.smap").blocks.blocks

    assert list(COLUMNS) == list(blocks)
    assert {0} == {block.offset % 64 for block in blocks.values()}


def test_tree_out_of_order_is_refused(place: Path) -> None:
    """A tree whose parents do not follow from canonical order would come back as another one: it is not written."""
    snapshot = everything()
    parent = np.zeros_like(snapshot.tree.parent)
    with pytest.raises(AssertionError):
        write_snapshot(place / "x.smap", replace(snapshot, tree=replace(snapshot.tree, parent=parent)))

    assert [] == os.listdir(place)


@pytest.mark.parametrize("mask", [0o022, 0o077], ids=oct)
def test_permissions_of_a_new_file(place: Path, mask: int) -> None:
    """A new file has the permissions that any file gets."""
    former = os.umask(mask)
    try:
        write_snapshot(place / "x.smap", everything())
    finally:
        os.umask(former)

    assert 0o666 & ~mask == stat.S_IMODE((place / "x.smap").stat().st_mode)


def test_replacing_keeps_permissions_and_symlinks(place: Path) -> None:
    """A file that is replaced keeps its permissions, and a symlink leads to the new content."""
    (place / "real").write_bytes(b"former")
    (place / "real").chmod(0o600)
    (place / "x.smap").symlink_to("real")
    write_snapshot(place / "x.smap", everything())

    assert (place / "x.smap").is_symlink()
    assert 0o600 == stat.S_IMODE((place / "real").stat().st_mode)
    assert everything().roots == open_snapshot(place / "real").roots
    assert ["real", "x.smap"] == sorted(os.listdir(place))


def test_totals_need_no_numpy(place: Path) -> None:
    """Opening a file and reading its totals imports no numpy."""
    write_snapshot(place / "x.smap", everything())
    program = (
        "import sys; from spacemap.store.snapshot import open_snapshot; "
        "print(open_snapshot(sys.argv[1]).totals.files, 'numpy' in sys.modules)"
    )
    actual = subprocess.run(
        [sys.executable, "-c", program, place / "x.smap"], capture_output=True, text=True, env=environment(), check=True
    ).stdout

    assert "14 False\n" == actual
