"""Directories that hold the same: equal names, all the way down, with equal contents."""

import os
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import U64, Flag, Kind, Mask, Skip
from spacemap.tree.subtree import subtree_slices
from spacemap.tree.tree import Tree

Contents = npt.NDArray[np.int64]
"""For each entry a number, equal where contents are; -1 of what is equal to nothing else, or not known."""

EMPTY = 0
"""The content of an empty file."""
_ODD = np.uint8(Flag.FOLDED | Flag.UNMEASURED | Flag.VIA_SYMLINK | Flag.MOUNT)


class EqualDirectories(NamedTuple):
    """Directories that hold the same, the first by id first."""

    entries: list[int]
    size: int
    """Bytes of the files in each, every link counted."""
    files: int
    wasted: int
    """Bytes of disk usage of the files in all but the first."""


def equal_directories(tree: Tree, contents: Contents, wasted: U64) -> tuple[list[EqualDirectories], Mask]:
    """Return groups of equal directories, the one with the most waste first, and a mask of what is in their copies.

    `contents` of directories are filled in here. `wasted` is what a copy of each entry takes; of an inode one entry
    has it. What is in a copy that was told is told no more, so no byte is told twice.
    """
    groups = _groups(tree, contents)
    told = np.zeros(len(tree), np.bool_)
    found = []
    sized = sorted(((_size(tree, members[0]), members) for members in groups), key=lambda each: (-each[0][0], each[1]))
    for (size, files), members in sized:
        left = [member for member in members if not told[member]]
        if len(left) < 2 or not size:
            continue
        parts = [part for member in left[1:] for part in subtree_slices(tree, member)]
        waste = sum(int(wasted[part].sum(dtype=np.uint64)) for part in parts)
        if not waste:  # other links of the same files
            continue
        for part in parts:
            told[part] = True
        found.append(EqualDirectories(left, size, files, waste))
    return sorted(found, key=lambda group: (-group.wasted, group.entries)), told


def _groups(tree: Tree, contents: Contents) -> list[list[int]]:
    """Return the directories that hold the same, at least two in each group; give each directory its content."""
    directories = tree.directories
    by_content: defaultdict[int, list[int]] = defaultdict(list)
    numbers: dict[bytes, int] = {}
    targets: dict[bytes, int] = {}
    unused = int(contents.max(initial=EMPTY)) + 1
    odd = (tree.flags & _ODD) != 0
    # Deepest first. Bound: the directories all of whose files are twice.
    for row in _hopeful(tree, contents, odd):
        entry, first = int(directories.entry[row]), int(directories.first_child[row])
        end = first + int(directories.child_count[row])
        _read_symlinks(tree, contents, first, end, targets)
        within = contents[first:end]
        if (within == -1).any():
            continue
        key = _key(tree, contents, first, end)
        number = numbers.setdefault(key, unused + len(numbers))
        contents[entry] = number
        by_content[number].append(entry)
    return [sorted(members) for members in by_content.values() if len(members) > 1]


def _hopeful(tree: Tree, contents: Contents, odd: Mask) -> list[int]:
    """Return the rows of directories that may be equal to others by what is in them itself, the deepest first."""
    directories = tree.directories
    is_file = (tree.kind != Kind.DIRECTORY) & (tree.kind != Kind.SYMLINK)
    hopeless = np.zeros(len(tree), np.bool_)
    hopeless[tree.parent[(is_file & (contents == -1)) | odd]] = True
    hopeless[odd] = True
    usable = (directories.skip == Skip.NONE) & (directories.child_count > 0) & ~hopeless[directories.entry]
    usable[0] = False
    rows: list[int] = np.flatnonzero(usable)[::-1].tolist()
    return rows


def _key(tree: Tree, contents: Contents, first: int, end: int) -> bytes:
    """Return bytes that are equal where names, kinds and contents of all children are."""
    offset = tree.name_offset[first : end + 1].astype(np.int64)
    names = bytes(tree.names[int(offset[0]) : int(offset[-1])])
    return b"".join(
        (
            (end - first).to_bytes(4, "little"),
            np.diff(offset).tobytes(),
            contents[first:end].tobytes(),
            tree.kind[first:end].tobytes(),
            names,
        )
    )


def _read_symlinks(tree: Tree, contents: Contents, first: int, end: int, targets: dict[bytes, int]) -> None:
    """Give symlinks a content, where everything beside them has one: -2 and less, by what they point to."""
    links = np.flatnonzero(tree.kind[first:end] == Kind.SYMLINK)
    others = np.flatnonzero(tree.kind[first:end] != Kind.SYMLINK)
    if not len(links) or (contents[first + others] == -1).any():
        return
    for entry in (links + first).tolist():
        with suppress(OSError):  # it is gone, and its directory equal to nothing
            target = os.readlink(tree.path(entry))
            contents[entry] = -2 - targets.setdefault(target, len(targets))


def _size(tree: Tree, directory: int) -> tuple[int, int]:
    """Return bytes and number of the files below a directory, every link counted."""
    size = files = 0
    for part in subtree_slices(tree, directory):
        is_file = tree.kind[part] == Kind.FILE
        size += int(tree.apparent_size[part][is_file].sum(dtype=np.uint64))
        files += int(np.count_nonzero(is_file))
    return size, files
