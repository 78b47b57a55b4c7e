"""Small trees by hand: a nested spec becomes a Tree in canonical order, its totals found by brute force."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from spacemap.tree.columns import BLOCK_SIZE, Flag, Kind, Operation, Skip
from spacemap.tree.snapshot import Completeness, Facts, Snapshot
from spacemap.tree.tree import Directories, Folded, Links, Problems, Totals, Tree

Name = str | bytes


@dataclass(frozen=True)
class Leaf:
    """Anything that is not a directory; `disk` is the apparent size rounded up to blocks unless given."""

    apparent: int = 0
    disk: int | None = None
    kind: Kind = Kind.FILE
    mtime: int = 0
    inode: int | None = None
    """Leaves with equal device and inode are links to one file."""
    device: int = 1
    link_count: int | None = None
    """As many as there are in the tree unless given."""
    owner: int = 0
    flags: Flag = Flag(0)
    folded_files: int = 0
    """Above 0 for an aggregate of so many small files."""
    problem: tuple[Operation, int] | None = None


@dataclass(frozen=True)
class Folder:
    """A directory that is more than its entries."""

    entries: Mapping[Name, "Spec"] = field(default_factory=dict)
    apparent: int = 0
    disk: int = 0
    mtime: int = 0
    owner: int = 0
    skip: Skip = Skip.NONE
    flags: Flag = Flag(0)
    problem: tuple[Operation, int] | None = None


Spec = int | Leaf | Folder | Mapping[Name, "Spec"]
"""A number is a file of that apparent size."""


@dataclass
class _Row:
    name: bytes
    parent: int
    spec: Leaf | Folder
    inode: int = 0
    first_child: int = 0
    child_count: int = 0

    @property
    def disk(self) -> int:
        if self.spec.disk is None:
            return -(-self.spec.apparent // BLOCK_SIZE) * BLOCK_SIZE
        return self.spec.disk


def tree_of(spec: Mapping[Name, Spec] | Folder, root: Name = "/root") -> Tree:
    """Return the tree of a spec; a root without a name holds several roots."""
    rows = _rows(spec, _raw(root))
    groups = _link_groups(rows)
    flags = [int(row.spec.flags) for row in rows]
    for members in groups.values():
        for member in members:
            flags[member] |= Flag.LINKED | (Flag.REPEATED if member != members[0] else 0)
    for index, row in enumerate(rows):
        if isinstance(row.spec, Leaf) and row.spec.folded_files:
            flags[index] |= Flag.FOLDED
    folders = [index for index, row in enumerate(rows) if isinstance(row.spec, Folder)]
    names = b"".join(row.name for row in rows)
    owners, owner = np.unique([row.spec.owner for row in rows], return_inverse=True)
    return Tree(
        parent=_array([row.parent for row in rows], np.uint32),
        kind=_array([Kind.DIRECTORY if isinstance(r.spec, Folder) else r.spec.kind for r in rows], np.uint8),
        flags=_array(flags, np.uint8),
        apparent_size=_narrow([row.spec.apparent for row in rows]),
        blocks=_narrow([row.disk // BLOCK_SIZE for row in rows]),
        mtime=_array([row.spec.mtime for row in rows], np.int64),
        inode=_array([row.inode for row in rows], np.uint64),
        owner=_array(owner, np.min_scalar_type(len(owners) - 1).type),
        owners=_array(owners, np.uint32),
        name_offset=_array(np.cumsum([0, *(len(row.name) for row in rows)]), np.uint32),
        names=names,
        directories=_directories(rows, folders),
        links=_links(rows, groups),
        problems=_problems(rows),
        folded=_folded(rows),
        totals=_totals(rows, folders, groups),
    )


def snapshot_of(tree: Tree, *roots: Name, **facts: object) -> Snapshot:
    """Return a snapshot of a tree with facts that never change, but for those given."""
    known = {
        "started_ns": 1_700_000_000_123_000_000,
        "finished_ns": 1_700_000_001_623_000_000,
        "elapsed_ns": 1_500_000_000,
        "engine": "python",
        "workers": 0,
        "requests": 1,
        "host": "host",
        "options": {"max_depth": None},
        "completeness": Completeness.COMPLETE,
        "notes": (),
    }
    return Snapshot(tree, tuple(map(_raw, roots)) or (tree.name(0),), Facts(**(known | facts)))


def _raw(name: Name) -> bytes:
    return name.encode() if isinstance(name, str) else name


def _rows(spec: Mapping[Name, Spec] | Folder, root: bytes) -> list[_Row]:
    """Return the entries breadth-first by directory, names ascending by raw bytes."""
    rows = [_Row(root, 0, spec if isinstance(spec, Folder) else Folder(spec))]
    for index, row in enumerate(rows):
        row.inode = 1000 + index
        if isinstance(row.spec, Leaf):
            row.inode = row.inode if row.spec.inode is None else row.spec.inode
            continue
        row.first_child, row.child_count = len(rows), len(row.spec.entries)
        for name, child in sorted((_raw(name), child) for name, child in _each(row.spec.entries)):
            rows.append(_Row(name, index, child))
    return rows


def _each(entries: Mapping[Name, Spec]) -> Iterable[tuple[Name, Leaf | Folder]]:
    for name, spec in entries.items():
        if isinstance(spec, int):
            yield name, Leaf(spec)
        else:
            yield name, spec if isinstance(spec, Leaf | Folder) else Folder(spec)


def _link_groups(rows: list[_Row]) -> dict[tuple[int, int], list[int]]:
    """Return the ids of each inode that has several links, in this tree or outside it."""
    groups = defaultdict(list)
    for index, row in enumerate(rows):
        if isinstance(row.spec, Leaf) and row.spec.inode is not None:
            groups[row.spec.device, row.spec.inode].append(index)
    return {
        key: members
        for key, members in groups.items()
        if len(members) > 1 or (rows[members[0]].spec.link_count or 1) > 1
    }


def _directories(rows: list[_Row], folders: list[int]) -> Directories:
    mtime_ns = [rows[index].spec.mtime * 10**9 for index in folders]
    return Directories(
        entry=_array(folders, np.uint32),
        # As in a built tree: a directory without entries begins where the next one does.
        first_child=_array([rows[index].first_child for index in folders], np.uint32),
        child_count=_array([rows[index].child_count for index in folders], np.uint32),
        device=_array([1] * len(folders), np.uint64),
        mtime_ns=_array(mtime_ns, np.int64),
        ctime_ns=_array(mtime_ns, np.int64),
        skip=_array([rows[index].spec.skip for index in folders], np.uint8),
    )


def _links(rows: list[_Row], groups: Mapping[tuple[int, int], list[int]]) -> Links:
    linked = sorted((index, key[0], members) for key, members in groups.items() for index in members)
    return Links(
        entry=_array([index for index, _, _ in linked], np.uint32),
        device=_array([device for _, device, _ in linked], np.uint64),
        link_count=_array([rows[index].spec.link_count or len(members) for index, _, members in linked], np.uint32),
    )


def _problems(rows: list[_Row]) -> Problems:
    found = [(index, *row.spec.problem) for index, row in enumerate(rows) if row.spec.problem]
    return Problems(
        entry=_array([index for index, _, _ in found], np.uint32),
        operation=_array([operation for _, operation, _ in found], np.uint8),
        errno=_array([errno for _, _, errno in found], np.uint32),
    )


def _folded(rows: list[_Row]) -> Folded:
    found = [
        (index, row.spec.folded_files)
        for index, row in enumerate(rows)
        if isinstance(row.spec, Leaf) and row.spec.folded_files
    ]
    return Folded(
        entry=_array([index for index, _ in found], np.uint32),
        file_count=_array([count for _, count in found], np.uint32),
    )


def _totals(rows: list[_Row], folders: list[int], groups: Mapping[tuple[int, int], list[int]]) -> Totals:
    subtrees = {folder: [] for folder in folders}
    for index in range(len(rows)):
        above = index
        if index in subtrees:
            subtrees[index].append(index)
        while above != 0:
            above = rows[above].parent
            subtrees[above].append(index)
    group_of = {member: members for members in groups.values() for member in members}

    def counted(members: list[int]) -> list[int]:
        inside = set(members)
        return [m for m in members if m == min(i for i in group_of.get(m, [m]) if i in inside)]

    def shared(members: list[int]) -> int:
        inside = set(members)
        return sum(
            rows[m].disk
            for m in counted(members)
            if m in group_of
            and (rows[m].spec.link_count or len(group_of[m])) > sum(other in inside for other in group_of[m])
        )

    def files(members: list[int]) -> int:
        return sum(max(rows[m].spec.folded_files, 1) for m in members if isinstance(rows[m].spec, Leaf))

    every = [subtrees[folder] for folder in folders]
    # As in a built tree, sums are modulo 2^64.
    return Totals(
        apparent=_array([sum(rows[m].spec.apparent for m in counted(s)) % 2**64 for s in every], np.uint64),
        disk=_array([sum(rows[m].disk for m in counted(s)) % 2**64 for s in every], np.uint64),
        shared=_array([shared(s) % 2**64 for s in every], np.uint64),
        files=_array([files(s) for s in every], np.uint64),
        directories=_array([sum(isinstance(rows[m].spec, Folder) for m in s) for s in every], np.uint64),
        problems=_array([sum(rows[m].spec.problem is not None for m in s) for s in every], np.uint64),
        newest_mtime=_array([max(rows[m].spec.mtime for m in s) for s in every], np.int64),
    )


def _array(values: object, dtype: type[np.generic]) -> np.ndarray:
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def _narrow(values: list[int]) -> np.ndarray:
    return _array(values, np.uint64 if max(values) >= 1 << 32 else np.uint32)
