"""What must hold for columns that were read, so that nothing goes astray in them: vectorised, and before their use."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spacemap.errors import FormatError
from spacemap.store.blocks import damaged
from spacemap.store.schema import COLUMNS
from spacemap.tree.columns import U32, Flag, Kind, Operation, Skip
from spacemap.tree.tree import Tree

Values = npt.NDArray[np.integer]

MAX_ENTRIES = 1 << 32
_MAX_U32 = (1 << 32) - 1
_BOUNDS = {
    "entries.kind": (0, max(Kind)),
    "entries.flags": (0, sum(Flag)),
    "entries.name_length": (0, 0xFFFF),
    "entries.names": (1, 0xFF),
    "directories.child_count": (0, _MAX_U32),
    "directories.skip": (0, max(Skip)),
    "owners.uid": (0, _MAX_U32),
    "links.link_count": (0, _MAX_U32),
    "problems.operation": (min(Operation), max(Operation)),
    "problems.errno": (0, (1 << 31) - 1),
    "folded.file_count": (0, _MAX_U32),
}
"""The least and the greatest value of a column; no name holds a NUL."""
_OF_THEIR_OWN_LENGTH = ("entries.names", "entries.owner")
_SLASH = ord("/")
_DOT = ord(".")


def misfit(column: str, what: str) -> FormatError:
    """Return the error for a column whose values cannot be right."""
    return damaged(f"column {column} {what}")


def check_columns(columns: Mapping[str, Values]) -> None:
    """Raise FormatError unless the columns make a tree: by their lengths, their values and the ids in them."""
    _check_lengths(columns)
    _check_values(columns)
    _check_owners(columns["entries.owner"], columns["owners.uid"], len(columns["entries.kind"]))
    kind, child_count = columns["entries.kind"], columns["directories.child_count"]
    if kind[0] != Kind.DIRECTORY or np.count_nonzero(kind == Kind.DIRECTORY) != len(child_count):
        raise misfit("entries.kind", "has other directories than their table")
    is_skipped = columns["directories.skip"] != Skip.NONE
    if int(child_count.sum(dtype=np.uint64)) != len(kind) - 1 or child_count[is_skipped].any():
        raise misfit("directories.child_count", "does not fit the entries")
    if int(columns["entries.name_length"].sum(dtype=np.uint64)) != len(columns["entries.names"]):
        raise misfit("entries.name_length", "does not fit the names")


def _check_lengths(columns: Mapping[str, Values]) -> None:
    if not 0 < len(columns["entries.kind"]) <= MAX_ENTRIES:
        raise misfit("entries.kind", "is empty or too long")
    length = {"totals": len(columns["directories.skip"])}
    for name in COLUMNS:
        table = name.partition(".")[0]
        if name not in _OF_THEIR_OWN_LENGTH and len(columns[name]) != length.setdefault(table, len(columns[name])):
            raise misfit(name, "has another length than its table")


def _check_values(columns: Mapping[str, Values]) -> None:
    for name, (least, greatest) in _BOUNDS.items():
        values = columns[name]
        if len(values) and not least <= int(values.min()) <= int(values.max()) <= greatest:
            raise misfit(name, "holds values that this version does not know")
    size = len(columns["entries.kind"])
    for name, gap in (("links.entry", 1), ("problems.entry", 0), ("folded.entry", 1)):
        ids = columns[name]
        if len(ids) and (int(ids.max()) >= size or int(np.diff(ids.astype(np.int64)).min(initial=gap)) < gap):
            raise misfit(name, "does not ascend within the entries")


def _check_owners(owner: Values, uids: Values, size: int) -> None:
    if not len(uids) or int(np.diff(uids.astype(np.int64)).min(initial=1)) < 1:
        raise misfit("owners.uid", "is empty or does not ascend")
    if len(owner) != (size if len(uids) > 1 else 0) or int(owner.max(initial=0)) >= len(uids):
        raise misfit("entries.owner", "does not fit the owners")


def check_order(entry: U32, first_child: U32, child_count: U32) -> None:
    """Raise FormatError where a directory would stand behind its own entries."""
    filled = child_count > 0
    if np.any(first_child[filled] <= entry[filled]):
        raise misfit("directories.child_count", "puts a directory below itself")


def check_names(tree: Tree) -> None:
    """Raise FormatError for names that no directory can have: empty, `.`, `..`, or with a slash in them.

    The roots have whole paths; only an aggregate, and the directory that holds several roots, have no name.
    """
    offset = tree.name_offset
    first, length = offset[:-1], np.diff(offset)
    roots = 1 if length[0] else 1 + int(tree.directories.child_count[0])
    nameless = length == 0
    nameless[0] = False
    if np.any(nameless & ((tree.flags & np.uint8(Flag.FOLDED)) == 0)):
        raise misfit("entries.name_length", "leaves an entry without a name")
    names = np.frombuffer(tree.names, np.uint8)
    if np.any(names[int(offset[roots]) :] == _SLASH):
        raise misfit("entries.names", "has a slash in a name")
    short = np.flatnonzero((length == 1) | (length == 2))
    begin = first[short]
    if np.any((names[begin] == _DOT) & (names[begin + length[short] - 1] == _DOT)):
        raise misfit("entries.names", "has a name that is a dot or two")


def check_roots(tree: Tree, roots: tuple[bytes, ...]) -> None:
    """Raise FormatError unless the roots of a snapshot are those of its tree."""
    kept = [tree.name(0)] if tree.name(0) else [tree.name(entry) for entry in tree.children(0)]
    if sorted(roots) != sorted(kept):
        raise damaged("the roots are not those of the tree")
