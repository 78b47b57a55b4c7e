"""The order in which a plan is carried out, worked out from the tree alone: each directory after all that is in it."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from spacemap.clean.plan import Plan
from spacemap.tree.columns import Kind
from spacemap.tree.tree import Tree

MOST_FILES = 1024
"""Files in one step."""


class Begin(NamedTuple):
    """Find this directory again from its root: planned entries are in it."""

    directory: int


class Enter(NamedTuple):
    """Enter this directory of the one where the steps are."""

    directory: int


class Files(NamedTuple):
    """Remove these entries, none of them a directory, of the directory where the steps are."""

    directory: int
    entries: list[int]


class Leave(NamedTuple):
    """Leave this directory where it was entered, and remove it from the one above."""

    directory: int
    above: int


Step = Begin | Enter | Files | Leave


def plan_steps(plan: Plan) -> Iterator[Step]:
    """Yield the steps of a whole plan."""
    tree = plan.tree
    for parent, group in groupby(plan.entries.tolist(), lambda entry: int(tree.parent[entry])):
        yield Begin(parent)
        entries = list(group)
        yield from _files(tree, parent, [entry for entry in entries if tree.kind[entry] != Kind.DIRECTORY])
        for entry in entries:
            if tree.kind[entry] == Kind.DIRECTORY:
                yield from directory_steps(tree, entry)


def directory_steps(tree: Tree, top: int) -> Iterator[Step]:
    """Yield the steps for one directory, whatever its depth. A directory without entries is only left."""
    waiting: list[tuple[int, Iterator[int]]] = [(int(tree.parent[top]), iter([top]))]
    while waiting:
        above, directories = waiting[-1]
        directory = next(directories, None)
        if directory is None:
            waiting.pop()
            if waiting:
                yield Leave(above, waiting[-1][0])
            continue
        children = tree.children(directory)
        if not children:
            yield Leave(directory, above)
            continue
        yield Enter(directory)
        is_directory = tree.kind[children.start : children.stop] == Kind.DIRECTORY
        yield from _files(tree, directory, (children.start + np.flatnonzero(~is_directory)).tolist())
        waiting.append((directory, iter((children.start + np.flatnonzero(is_directory)).tolist())))


def _files(tree: Tree, directory: int, entries: list[int]) -> Iterator[Files]:
    # Neighbours by inode lie side by side on the disk: by name, removing takes up to twice as long.
    ids = np.array(entries, np.uint32)
    ordered = ids[np.argsort(tree.inode[ids], kind="stable")].tolist()
    for begin in range(0, len(ordered), MOST_FILES):
        yield Files(directory, ordered[begin : begin + MOST_FILES])
