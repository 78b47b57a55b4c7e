"""Parts of a tree: what is below a directory, which links count there, and entries found by name."""

import numpy as np
import pytest

from spacemap.tree.links import other_links
from spacemap.tree.subtree import find_child, names_below_root, nearest_entry, repeated_within, subtree_slices
from spacemap.tree.tree import Tree
from tests.trees import Folder, Leaf, tree_of


@pytest.fixture
def tree() -> Tree:
    """Return a tree with directories at several depths, and hard links across them."""
    return tree_of(
        {
            "a": {"deep": {"x": Leaf(5000, inode=7), "y": 1}, "empty": {}, "x": Leaf(5000, inode=7)},
            "b": {"z": Leaf(5000, inode=7), "other": {"one": 600, "two": {"three": 700}}},
            "c": 9,
            "outside": Leaf(4096, inode=8, link_count=2),
        }
    )


def _below(tree: Tree, directory: int) -> list[int]:
    return [entry for entry in range(len(tree)) if directory in (entry, *tree.ancestors(entry))]


def test_slices_are_the_subtree(tree: Tree) -> None:
    """The slices of a directory hold it and everything below it, and nothing else."""
    for directory in tree.directories.entry.tolist():
        actual = [entry for part in subtree_slices(tree, directory) for entry in range(part.start, part.stop)]

        assert _below(tree, directory) == actual


def test_sums_without_repeated_links_are_the_totals(tree: Tree) -> None:
    """What is left out of a subtree makes its sum the total of the directory, whichever links are inside."""
    for row, directory in enumerate(tree.directories.entry.tolist()):
        parts = subtree_slices(tree, directory)
        counted = np.setdiff1d(np.array(_below(tree, directory)), repeated_within(tree, parts))

        assert int(tree.totals.disk[row]) == int(tree.disk_usage(counted).sum())


def test_other_links(tree: Tree) -> None:
    """Every link knows the others; what has one name knows none."""
    paths = {tree.path(entry): entry for entry in range(len(tree))}
    actual = {tree.path(int(entry)) for entry in other_links(tree, paths[b"/root/a/x"])}

    assert {b"/root/a/deep/x", b"/root/b/z"} == actual
    assert [] == other_links(tree, paths[b"/root/c"]).tolist()
    assert [] == other_links(tree, paths[b"/root/outside"]).tolist()


def test_entries_are_found_by_name(tree: Tree) -> None:
    """The names that lead to an entry lead back to it; what is missing is told by how far the way went."""
    for entry in range(len(tree)):
        names = names_below_root(tree, entry)

        assert (entry, len(names)) == nearest_entry(tree, names)
    found, count = nearest_entry(tree, (b"a", b"gone", b"x"))
    assert (b"/root/a", 1) == (tree.path(found), count)


@pytest.mark.parametrize("name", [b"", b"A", b"aa", b"zz"])
def test_missing_names(tree: Tree, name: bytes) -> None:
    """A name that is not in a directory is not found there, nor is anything in a file."""
    assert find_child(tree, 0, name) is None
    assert find_child(tree_of({"f": 1}), 1, b"f") is None


def test_a_directory_alone() -> None:
    """A subtree without entries is the directory itself."""
    tree = tree_of({"skipped": Folder({})})

    assert [slice(1, 2)] == list(subtree_slices(tree, 1))
