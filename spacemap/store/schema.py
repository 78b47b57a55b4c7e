"""The columns of a kept tree: their names and kinds, in the order of the blocks. Imports no numpy.

What follows from other columns is not kept, so it cannot contradict them: the parent of an entry and the first child
of a directory follow from canonical order and the numbers of children, the ids of directories from the kinds, where
a name begins from the lengths before it.
"""

from xxhash import xxh3_64_intdigest

from spacemap.store.blocks import Layout

FORMAT_VERSION = 2
"""Stable on disk: whatever changes in the bytes of a file needs the next number."""

COLUMNS = {
    "entries.kind": "u",
    "entries.flags": "u",
    "entries.apparent_size": "u",
    "entries.blocks": "u",
    "entries.mtime": "i",
    "entries.inode": "u",
    "entries.owner": "u",
    "entries.name_length": "u",
    "entries.names": "u",
    "directories.child_count": "u",
    "directories.device": "u",
    "directories.mtime_ns": "i",
    "directories.ctime_ns": "i",
    "directories.skip": "u",
    "owners.uid": "u",
    "links.entry": "u",
    "links.device": "u",
    "links.link_count": "u",
    "problems.entry": "u",
    "problems.operation": "u",
    "problems.errno": "u",
    "folded.entry": "u",
    "folded.file_count": "u",
    "totals.apparent": "u",
    "totals.disk": "u",
    "totals.shared": "u",
    "totals.files": "u",
    "totals.directories": "u",
    "totals.problems": "u",
    "totals.newest_mtime": "i",
}
"""By name, `u` for unsigned and `i` for signed integers of any width; `entries.names` are bytes. Stable on disk."""

_SINCE = {"entries.owner": 2, "owners.uid": 2}
"""The version that brought a column, where it was not the first."""


def _layout(version: int) -> Layout:
    columns = {name: kind for name, kind in COLUMNS.items() if _SINCE.get(name, 1) <= version}
    return Layout(version, xxh3_64_intdigest(repr(list(columns.items())).encode()), columns)


LAYOUTS = {version: _layout(version) for version in range(1, FORMAT_VERSION + 1)}
"""What is read, by version."""
LAYOUT = LAYOUTS[FORMAT_VERSION]
"""What is written."""
