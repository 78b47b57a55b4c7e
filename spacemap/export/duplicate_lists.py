"""Duplicates in other formats: JSON, CSV, and groups of lines as fdupes prints them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from spacemap.export.json_report import SCHEMA_VERSION, Json, encoded
from spacemap.tree.columns import EntryIds
from spacemap.tree.duplicates import Duplicates, LeftOut, Proof
from spacemap.tree.names import name_to_text
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.tree import Tree

_AT_ONCE = 4096

CSV_HEAD = ("group", "size", "wasted_space", "hash", "device", "inode", "links", "mtime_ns", "path")


class WasteRow(Protocol):
    """What copies of one category take."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def groups(self) -> int: ...
    @property
    def wasted(self) -> int: ...


class OverlapRow(Protocol):
    """Two directories with files in common."""

    @property
    def one(self) -> int: ...
    @property
    def other(self) -> int: ...
    @property
    def files(self) -> int: ...
    @property
    def bytes(self) -> int: ...


class Paths:
    """Paths of many entries of a tree, the directories of which are put together once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._offset = tree.name_offset
        self._above: dict[int, bytes] = {}

    def __call__(self, entry: int) -> bytes:
        """Return the path of an entry."""
        if entry == 0:
            return self._tree.path(0)
        parent = int(self._tree.parent[entry])
        above = self._above.get(parent)
        if above is None:
            above = self._tree.path(parent)
            above = self._above[parent] = above if above.endswith(b"/") or not above else above + b"/"
        begin, end = self._offset[entry], self._offset[entry + 1]
        return above + bytes(self._tree.names[int(begin) : int(end)])


@dataclass(frozen=True, slots=True)
class Listed:
    """What goes into a list."""

    snapshot: Snapshot
    found: Duplicates
    groups: EntryIds
    """Those to be listed, in this order."""
    directories: Sequence[int]
    categories: Sequence[WasteRow]
    overlaps: Sequence[OverlapRow]


def duplicates_json(listed: Listed) -> Iterator[bytes]:
    """Yield one JSON document with a newline; paths as `tree.names.name_to_text` writes them.

    `duplicates` leaves out files of `duplicate_directories`, which has them as a whole.
    """
    found, paths = listed.found, Paths(listed.snapshot.tree)
    roots: list[Json] = [name_to_text(root) for root in listed.snapshot.roots]
    effort = found.effort
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "scanned_path": roots[0],
        "scanned_paths": roots,
        "completeness": "complete" if found.is_complete else "interrupted",
        "totals": {
            "wasted_space": found.wasted,
            "groups": len(found.groups),
            "files": len(found.copies.entry),
            "directory_groups": len(found.directories),
            "empty_files": len(found.empty),
            "candidates": effort.candidates,
            "candidate_bytes": effort.candidate_bytes,
            "bytes_read": effort.bytes_read,
            "known_files": effort.known,
            "elapsed_seconds": round(effort.elapsed_ns / 1e9, 3),
        },
        "duplicates": [_group(paths, found, number) for number in listed.groups.tolist()],
        "duplicate_directories": [_directories(paths, found, number) for number in listed.directories],
        "by_category": [
            {"key": row.key, "label": row.label, "groups": row.groups, "wasted_space": row.wasted}
            for row in listed.categories
        ],
        "by_directory": [
            {"paths": _paths(paths, (row.one, row.other)), "files": row.files, "bytes": row.bytes}
            for row in listed.overlaps
        ],
        "empty_files": _paths(paths, found.empty.tolist()),
        "not_compared": _not_compared(paths, found),
        "notes": list(found.notes),
    }
    yield encoded(document) + b"\n"


def _group(paths: Paths, found: Duplicates, number: int) -> Json:
    groups, copies = found.groups, found.copies
    inodes: list[Json] = []
    all_paths: list[Json] = []
    for copy in told_copies(found, number):
        own = _paths(paths, found.links(copy).tolist())
        all_paths += own
        inodes.append(
            {
                "device": int(copies.device[copy]),
                "inode": int(copies.inode[copy]),
                "links": int(copies.link_count[copy]),
                "mtime_ns": int(copies.mtime_ns[copy]),
                "disk_bytes": int(copies.disk[copy]),
                "shared": bool(copies.is_shared[copy]),
                "paths": own,
            }
        )
    return {
        "size": int(groups.size[number]),
        "hash": _hash(found, number),
        "paths": all_paths,
        "wasted_space": int(groups.wasted[number]),
        "proof": Proof(int(groups.proof[number])).name.lower(),
        "inodes": inodes,
    }


def told_copies(found: Duplicates, number: int) -> list[int]:
    """Return the copies of a group that are not told with a directory."""
    begin, end = found.groups.first[number : number + 2].tolist()
    copies: list[int] = (np.flatnonzero(~found.copies.is_told[begin:end]) + begin).tolist()
    return copies


def _hash(found: Duplicates, number: int) -> str | None:
    return found.groups.digest[number].tobytes().hex() if found.groups.has_digest[number] else None


def _directories(paths: Paths, found: Duplicates, number: int) -> Json:
    directories = found.directories
    begin, end = directories.first[number : number + 2].tolist()
    return {
        "size": int(directories.size[number]),
        "files": int(directories.files[number]),
        "paths": _paths(paths, directories.entries[begin:end].tolist()),
        "wasted_space": int(directories.wasted[number]),
    }


def _not_compared(paths: Paths, found: Duplicates) -> list[Json]:
    left = found.not_compared
    return [
        {"path": name_to_text(paths(entry)), "reason": LeftOut(reason).name.lower(), "errno": number or None}
        for entry, reason, number in zip(left.entry.tolist(), left.reason.tolist(), left.errno.tolist(), strict=True)
    ]


def _paths(paths: Paths, entries: Sequence[int]) -> list[Json]:
    return [name_to_text(paths(entry)) for entry in entries]


def duplicates_csv(listed: Listed) -> Iterator[bytes]:
    """Yield a row for each path, with a line of headings; lines end as RFC 4180 has it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(CSV_HEAD)
    found, paths, copies = listed.found, Paths(listed.snapshot.tree), listed.found.copies
    for position, number in enumerate(listed.groups.tolist(), 1):
        size, wasted = int(found.groups.size[number]), int(found.groups.wasted[number])
        for copy in told_copies(found, number):
            identity = (copies.device[copy], copies.inode[copy], copies.link_count[copy], copies.mtime_ns[copy])
            for entry in found.links(copy).tolist():
                path = name_to_text(paths(entry))
                writer.writerow((position, size, wasted, _hash(found, number) or "", *map(int, identity), path))
    yield buffer.getvalue().encode("utf-8")


def duplicates_fdupes(listed: Listed) -> Iterator[bytes]:
    """Yield one raw path a line, and an empty line after each group, as fdupes prints them, some groups at a time.

    A name with a line break would be taken for two: such a path is left out, and with it a group of which one is left.
    """
    paths = Paths(listed.snapshot.tree)
    for begin in range(0, len(listed.groups), _AT_ONCE):
        yield b"".join(_lines(listed, paths, listed.groups[begin : begin + _AT_ONCE]))


def _lines(listed: Listed, paths: Paths, numbers: EntryIds) -> Iterator[bytes]:
    first, copies = listed.found.groups.first, listed.found.copies
    for low, high in zip(first[:-1][numbers].tolist(), first[1:][numbers].tolist(), strict=True):
        told = zip(copies.entry[low:high].tolist(), copies.is_told[low:high].tolist(), strict=True)
        plain = [path for path in (paths(entry) for entry, is_told in told if not is_told) if b"\n" not in path]
        if len(plain) > 1:
            yield b"".join(path + b"\n" for path in plain) + b"\n"
