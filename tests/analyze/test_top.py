"""The largest files and directories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze import top
from spacemap.analyze.top import largest_directories, largest_files
from spacemap.tree.columns import Kind
from spacemap.tree.measure import Measure
from tests.trees import Leaf, tree_of


def test_largest_files() -> None:
    """Files come by falling size; links once, and neither directories, symlinks nor aggregates."""
    tree = tree_of(
        {
            "a": 10,
            "b": Leaf(50, inode=1),
            "c": Leaf(50, inode=1),
            "d": Leaf(99, kind=Kind.SYMLINK),
            "e": {"": Leaf(99, folded_files=3), "x": 20},
        }
    )
    actual = [tree.path(entry) for entry in largest_files(tree, 10, Measure.APPARENT).tolist()]

    assert [b"/root/b", b"/root/e/x", b"/root/a"] == actual


def test_measure_decides() -> None:
    """Which file is the largest depends on what is measured."""
    tree = tree_of({"dense": Leaf(100, disk=4096), "sparse": Leaf(2**40, disk=0)})
    actual = [tree.name(int(largest_files(tree, 1, measure)[0])) for measure in (Measure.DISK, Measure.APPARENT)]

    assert [b"dense", b"sparse"] == actual


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 20))
def test_largest_files_against_sorting(sizes: list[int], count: int) -> None:
    """Whatever the portions, the result is the head of the sorted list, equal sizes by id."""
    tree = tree_of({f"{number:03}": size for number, size in enumerate(sizes)})
    expected = [entry + 1 for entry in sorted(range(len(sizes)), key=lambda entry: -sizes[entry])[:count]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top, "_CHUNK", 7)
        actual = largest_files(tree, count, Measure.APPARENT).tolist()

    assert expected == actual


def test_largest_directories() -> None:
    """Directories come by the totals of their subtrees, the root left out, equal ones by id."""
    tree = tree_of({"a": {"x": {"f": 10}}, "b": {"f": 30}, "c": {"f": 10}})
    actual = [tree.path(entry) for entry in largest_directories(tree, 3, Measure.APPARENT).tolist()]

    assert [b"/root/b", b"/root/a", b"/root/c"] == actual


def test_largest_of_nothing() -> None:
    """A tree of one directory has no largest files or directories."""
    tree = tree_of({})
    actual = [largest_files(tree, 5, Measure.DISK).tolist(), largest_directories(tree, 5, Measure.DISK).tolist()]

    assert [[], []] == actual
