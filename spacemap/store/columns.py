"""From a Tree to the columns that are kept, and back: what can be worked out is, the rest is checked."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spacemap.store.blocks import Column
from spacemap.store.facts import RootTotals
from spacemap.store.schema import COLUMNS
from spacemap.store.validity import Values, check_columns, check_names, check_order
from spacemap.tree.columns import U8, U32, U64, Kind, Signed, Unsigned
from spacemap.tree.measure import Measure, root_size
from spacemap.tree.owners import UNKNOWN_OWNER, one_owner
from spacemap.tree.place import distinct
from spacemap.tree.tree import Directories, Folded, Links, Problems, Totals, Tree

Typed = TypeVar("Typed", bound=np.integer)

_UNSIGNED = tuple(np.dtype(f"u{width}") for width in (1, 2, 4, 8))
_SIGNED = tuple(np.dtype(f"i{width}") for width in (1, 2, 4, 8))
_KEPT_AS_THEY_ARE = ("kind", "flags", "apparent_size", "blocks", "mtime", "inode")
"""Of the entries: their width is part of the tree."""


def kept_columns(tree: Tree) -> dict[str, Values]:
    """Return the columns of a tree that are kept, each in the narrowest type that holds it, in their order."""
    columns: dict[str, Values] = {}
    for key in COLUMNS:
        table, _, name = key.partition(".")
        if table not in ("entries", "owners"):
            columns[key] = narrowed(getattr(getattr(tree, table), name))
        elif name in _KEPT_AS_THEY_ARE:
            columns[key] = getattr(tree, name)
    columns["entries.owner"] = tree.owner if len(tree.owners) > 1 else tree.owner[:0]
    columns["owners.uid"] = narrowed(tree.owners)
    columns["entries.name_length"] = narrowed(np.diff(tree.name_offset))
    columns["entries.names"] = np.frombuffer(tree.names, np.uint8)
    return {key: columns[key] for key in COLUMNS}


def as_blocks(columns: Mapping[str, Values]) -> list[Column]:
    """Return columns as the bytes that a file holds."""
    blocks = []
    for name, values in columns.items():
        little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
        blocks.append(Column(name, values.dtype.str[1:], little.view(np.uint8).data))
    return blocks


def narrowed(values: Values) -> Values:
    """Return the values in the narrowest type of their kind that holds them."""
    if not len(values):
        return values.astype(values.dtype.kind + "1")
    low, high = int(values.min()), int(values.max())
    for dtype in _SIGNED if values.dtype.kind == "i" else _UNSIGNED:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype, copy=False)
    raise AssertionError("unreachable: no type is wider than 64 bits")


def root_totals(tree: Tree) -> RootTotals:
    """Return the totals of a whole tree."""
    sums = tree.totals
    return RootTotals(
        entries=len(tree),
        apparent_bytes=root_size(tree, Measure.APPARENT),
        disk_bytes=root_size(tree, Measure.DISK),
        shared_bytes=int(sums.shared[0]),
        files=int(sums.files[0]),
        directories=int(sums.directories[0]) - (not tree.name(0)),
        unreadable_paths=len(distinct(tree.problems.entry)),
        newest_mtime=int(sums.newest_mtime[0]),
    )


def check_is_canonical(tree: Tree) -> None:
    """Raise AssertionError for a tree whose columns do not follow from the kept ones: no scan makes one."""
    own = tree.directories
    entry, first_child, parent = _shape(tree.kind, own.child_count)
    pairs = ((entry, own.entry), (first_child, own.first_child), (parent, tree.parent))
    if int(tree.name_offset[0]) or not all(np.array_equal(derived, column) for derived, column in pairs):
        raise AssertionError("the tree is not in canonical order")


def tree_from_columns(columns: Mapping[str, Values]) -> Tree:
    """Return the tree of kept columns; they are used as they are where the tree has the same type.

    Raises FormatError, its message without the path, for columns that make no tree.
    """
    columns = _completed(columns)
    check_columns(columns)

    def take(name: str, dtype: type[Typed]) -> npt.NDArray[Typed]:
        return _frozen(columns[name].astype(dtype, copy=False))

    kind = take("entries.kind", np.uint8)
    child_count = take("directories.child_count", np.uint32)
    entry, first_child, parent = _shape(kind, child_count)
    check_order(entry, first_child, child_count)
    tree = Tree(
        parent=parent,
        kind=kind,
        flags=take("entries.flags", np.uint8),
        apparent_size=_unsigned(columns["entries.apparent_size"]),
        blocks=_unsigned(columns["entries.blocks"]),
        mtime=_signed(columns["entries.mtime"]),
        inode=_unsigned(columns["entries.inode"]),
        owner=_unsigned(columns["entries.owner"]) if len(columns["entries.owner"]) else one_owner(len(kind)),
        owners=take("owners.uid", np.uint32),
        name_offset=_offsets(columns["entries.name_length"], len(columns["entries.names"])),
        names=take("entries.names", np.uint8).data.toreadonly(),
        directories=Directories(
            entry=entry,
            first_child=first_child,
            child_count=child_count,
            device=take("directories.device", np.uint64),
            mtime_ns=take("directories.mtime_ns", np.int64),
            ctime_ns=take("directories.ctime_ns", np.int64),
            skip=take("directories.skip", np.uint8),
        ),
        links=Links(
            entry=take("links.entry", np.uint32),
            device=take("links.device", np.uint64),
            link_count=take("links.link_count", np.uint32),
        ),
        problems=Problems(
            entry=take("problems.entry", np.uint32),
            operation=take("problems.operation", np.uint8),
            errno=take("problems.errno", np.uint32),
        ),
        folded=Folded(entry=take("folded.entry", np.uint32), file_count=take("folded.file_count", np.uint32)),
        totals=Totals(
            apparent=take("totals.apparent", np.uint64),
            disk=take("totals.disk", np.uint64),
            shared=take("totals.shared", np.uint64),
            files=take("totals.files", np.uint64),
            directories=take("totals.directories", np.uint64),
            problems=take("totals.problems", np.uint64),
            newest_mtime=take("totals.newest_mtime", np.int64),
        ),
    )
    check_names(tree)
    return tree


def _completed(columns: Mapping[str, Values]) -> Mapping[str, Values]:
    """Return columns with those that a former version did not have: owners are not known there."""
    if "owners.uid" in columns:
        return columns
    uid = np.array([UNKNOWN_OWNER], np.uint32)
    unknown: dict[str, Values] = {"entries.owner": np.zeros(0, np.uint8), "owners.uid": uid}
    return {**columns, **unknown}


def _shape(kind: U8, child_count: U32) -> tuple[U32, U32, U32]:
    """Return what follows from canonical order: ids and first children of the directories, parents of the entries."""
    entry = np.flatnonzero(kind == Kind.DIRECTORY).astype(np.uint32)
    first_child = (1 + np.cumsum(child_count, dtype=np.uint64) - child_count).astype(np.uint32)
    parent = np.zeros(len(kind), np.uint32)
    parent[1:] = np.repeat(entry, child_count)
    return _frozen(entry), _frozen(first_child), _frozen(parent)


def _offsets(length: Values, size: int) -> U32 | U64:
    """Return where names begin, given how long they are."""
    if size >= 1 << 32:
        return _frozen(np.cumsum(np.append(np.uint64(0), length), dtype=np.uint64))
    offset = np.zeros(len(length) + 1, np.uint32)
    np.cumsum(length, dtype=np.uint32, out=offset[1:])
    return _frozen(offset)


def _unsigned(values: Values) -> Unsigned:
    return _frozen(values.astype(f"u{values.itemsize}", copy=False))


def _signed(values: Values) -> Signed:
    return _frozen(values.astype(f"i{values.itemsize}", copy=False))


def _frozen(array: npt.NDArray[Typed]) -> npt.NDArray[Typed]:
    array.flags.writeable = False
    return array
