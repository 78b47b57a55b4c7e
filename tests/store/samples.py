"""Snapshots that have something in every table, made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from spacemap.store.blocks import atomic_file, write_blocks
from spacemap.store.columns import as_blocks, kept_columns, root_totals
from spacemap.store.facts import facts_to_json, roots_to_json, totals_to_json
from spacemap.store.schema import LAYOUT
from spacemap.tree.columns import Flag, Kind, Operation, Skip
from spacemap.tree.owners import UNKNOWN_OWNER, one_owner
from spacemap.tree.snapshot import BaseUse, Completeness, Snapshot
from tests.trees import Folder, Leaf, snapshot_of, tree_of

SPEC = Folder(
    {
        "a.py": Leaf(1000, disk=4096, mtime=1_600_000_000, inode=9, link_count=3),
        "b.py": Leaf(1000, disk=4096, mtime=1_600_000_000, inode=9, link_count=3),
        b"bad\xff\\x41\n": Leaf(10, mtime=-5, owner=1000),
        "gone": Leaf(problem=(Operation.STAT, 2), flags=Flag.UNMEASURED, owner=UNKNOWN_OWNER),
        "link": Leaf(4, disk=0, kind=Kind.SYMLINK),
        "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
        "sub": {"": Leaf(2000, folded_files=7), "宽.jpg": 5000, "huge": Leaf(1 << 40, disk=512), "deep": {"er": {}}},
    },
    apparent=60,
    disk=4096,
    mtime=1_700_000_000,
)
OPTIONS = {"max_depth": None, "exclude": ["*.iso", "\udcff\\"], "times": "read", "max_memory": 10**30, "kernel_fs": "é"}


def everything() -> Snapshot:
    """Return a snapshot with links, problems, aggregates, odd names, and facts that JSON alone cannot hold."""
    tree = tree_of(SPEC)
    tree = replace(tree, names=memoryview(tree.names))
    base = BaseUse("fast", 1_600_000_000_000_000_001, 3, 2, 10**20)
    notes = ("a \udcfe note",)
    return snapshot_of(tree, options=OPTIONS, notes=notes, completeness=Completeness.INTERRUPTED, base=base)


def before_owners() -> Snapshot:
    """Return the same as a file of version 1 holds it."""
    snapshot = everything()
    tree = replace(snapshot.tree, owner=one_owner(len(snapshot.tree)), owners=np.array([UNKNOWN_OWNER], np.uint32))
    return replace(snapshot, tree=tree)


def several_roots() -> Snapshot:
    """Return a snapshot of two roots below a nameless one, given in another order than they sort."""
    tree = tree_of({"/b": {"x": 1}, b"/a\xff": {}}, root="")
    return snapshot_of(replace(tree, names=memoryview(tree.names)), "/b", b"/a\xff")


def write_altered(path: Path, snapshot: Snapshot, **columns: object) -> None:
    """Write a file whose checksums are right and whose columns are not; `__` stands for the dot in their names."""
    kept = kept_columns(snapshot.tree) | {name.replace("__", "."): values for name, values in columns.items()}
    footer = {
        "facts": facts_to_json(snapshot.facts),
        "roots": roots_to_json(snapshot.roots),
        "totals": totals_to_json(root_totals(snapshot.tree)),
    }
    with atomic_file(path) as file:
        write_blocks(file, LAYOUT, as_blocks(kept), footer)
