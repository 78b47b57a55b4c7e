"""Where duplicates are: by category, and which two directories have most in common."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spacemap.analyze.categories import Category
from spacemap.analyze.classify import classify
from spacemap.tree.duplicates import Duplicates, waste
from spacemap.tree.tree import Tree


class CategoryWaste(NamedTuple):
    """What copies of one category take."""

    key: str
    label: str
    groups: int
    wasted: int
    """Bytes of disk usage."""


class Overlap(NamedTuple):
    """Two directories that hold files with equal contents themselves."""

    one: int
    """Entry id."""
    other: int
    """May be the same one."""
    files: int
    bytes: int
    """Apparent size of the files that the other has, too."""


def waste_by_category(tree: Tree, found: Duplicates, categories: Sequence[Category]) -> list[CategoryWaste]:
    """Return what copies take by category of the first of them, the most first.

    All groups count, also those that are told with their directories.
    """
    first = found.groups.first[:-1]
    if not len(first):
        return []
    category = classify(tree, categories)[found.copies.entry[first]]
    disk = waste(found.copies.disk, ~found.copies.is_shared, first)
    groups = np.bincount(category, minlength=len(categories))
    wasted = np.bincount(category, weights=disk.astype(np.float64), minlength=len(categories))
    rows = [
        CategoryWaste(each.key, each.label, int(groups[i]), int(wasted[i]))
        for i, each in enumerate(categories)
        if groups[i]
    ]
    return sorted(rows, key=lambda row: (-row.wasted, row.key))


def largest_overlaps(tree: Tree, found: Duplicates, count: int) -> list[Overlap]:
    """Return the pairs of directories with most in common; of a group, each copy is paired with the first."""
    groups, copies = found.groups, found.copies
    sizes = np.repeat(groups.size, np.diff(groups.first))
    one = tree.parent[copies.entry[np.repeat(groups.first[:-1], np.diff(groups.first))]].astype(np.uint64)
    other = tree.parent[copies.entry].astype(np.uint64)
    is_pair = np.ones(len(sizes), np.bool_)
    is_pair[groups.first[:-1]] = False
    key = (np.minimum(one, other) << np.uint64(32) | np.maximum(one, other))[is_pair]
    pairs, inverse, files = np.unique(key, return_inverse=True, return_counts=True)
    size = np.bincount(inverse, weights=sizes[is_pair].astype(np.float64), minlength=len(pairs))
    order = np.argsort(-size, kind="stable")[:count]
    return [
        Overlap(int(pairs[i]) >> 32, int(pairs[i]) & 0xFFFFFFFF, int(files[i]), int(size[i])) for i in order.tolist()
    ]
