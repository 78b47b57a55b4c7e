"""What removing entries would free, against an oracle that walks, and against what `du` says of real trees."""

import os
import subprocess
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacemap.scan import scan
from spacemap.tree.columns import Flag
from spacemap.tree.reclaim import Reclaim, covered, other_holders, outermost, reclaim, shared_alone
from spacemap.tree.subtree import nearest_entry
from spacemap.tree.tree import Tree
from tests.scan.measure_by_du import du
from tests.scan.specs import make_tree
from tests.scan.trees import random_trees
from tests.trees import Folder, Leaf, Spec, tree_of

inodes = st.integers(0, 3)
leaves = st.one_of(
    st.integers(0, 9000),
    # One of the inodes always has links outside the tree.
    st.builds(lambda inode: Leaf((inode + 1) * 5000, inode=inode, link_count=9 if inode == 3 else None), inodes),
    st.builds(lambda count: Leaf(3000, folded_files=count), st.integers(1, 5)),
)
specs = st.recursive(
    st.dictionaries(st.sampled_from("abcdef"), leaves, max_size=4),
    lambda below: st.dictionaries(st.sampled_from("abcdef"), st.one_of(leaves, below), max_size=4),
    max_leaves=20,
)


def _tree(spec: dict[str, Spec]) -> Tree:
    return tree_of(Folder(spec, disk=4096))


def _below(tree: Tree, entries: list[int]) -> list[int]:
    return [entry for entry in range(len(tree)) if {entry, *tree.ancestors(entry)} & set(entries)]


def _oracle(tree: Tree, entries: list[int]) -> Reclaim:
    """Return the same by looking at every entry, one by one."""
    counts = {}
    links = zip(tree.links.entry.tolist(), tree.links.device.tolist(), tree.links.link_count.tolist(), strict=True)
    for entry, device, count in links:
        counts[entry] = ((device, int(tree.inode[entry])), count)
    gone = _below(tree, entries)
    folded = dict(zip(tree.folded.entry.tolist(), tree.folded.file_count.tolist(), strict=True))
    inodes: dict[object, list[int]] = {}
    for entry in gone:
        inodes.setdefault(counts[entry][0] if entry in counts else entry, []).append(entry)
    disk = sum(int(tree.disk_usage()[members[0]]) for members in inodes.values())
    shared = sum(
        int(tree.disk_usage()[members[0]])
        for members in inodes.values()
        if members[0] in counts and counts[members[0]][1] > len(members)
    )
    return Reclaim(sum(folded.get(entry, 1) for entry in gone), disk, shared)


@given(specs, st.lists(st.integers(0, 40), max_size=8))
def test_as_one_would_count(spec: dict[str, Spec], chosen: list[int]) -> None:
    """Whatever is chosen, nested or twice, the sums are those of one who looks at every entry."""
    tree = _tree(spec)
    entries = np.array([number % len(tree) for number in chosen], np.int64)

    assert _oracle(tree, entries.tolist()) == reclaim(tree, entries)


@given(specs, st.lists(st.integers(0, 40), max_size=8), st.lists(st.integers(0, 40), max_size=8))
def test_outermost_and_covered(spec: dict[str, Spec], chosen: list[int], asked: list[int]) -> None:
    """Outermost are those below no other; covered is what is chosen or below it."""
    tree = _tree(spec)
    entries = [number % len(tree) for number in chosen]
    candidates = [number % len(tree) for number in asked]
    expected = sorted({entry for entry in entries if not set(tree.ancestors(entry)) & set(entries) - {entry}})
    below = set(_below(tree, entries))

    assert expected == outermost(tree, np.array(entries, np.int64)).tolist()
    actual = covered(tree, np.array(candidates, np.int64), np.array(entries, np.int64)).tolist()
    assert [entry in below for entry in candidates] == actual


@given(specs)
def test_each_alone(spec: dict[str, Spec]) -> None:
    """What an entry alone would not free is what the sums of it alone say."""
    tree = _tree(spec)
    alone = [reclaim(tree, np.array([entry])).shared for entry in range(len(tree))]

    assert alone == shared_alone(tree, np.arange(len(tree))).tolist()


def test_holders_of_other_links() -> None:
    """Directories that keep a link to what goes are told, those that lose theirs with it are not."""
    linked = Leaf(5000, inode=7)
    tree = tree_of({"a": {"x": linked, "y": linked}, "b": {"z": linked}, "c": {"w": Leaf(9, inode=8, link_count=2)}})
    entry = {tree.path(each): each for each in range(len(tree))}

    def holders(*paths: bytes) -> list[bytes]:
        return [tree.path(int(each)) for each in other_holders(tree, np.array([entry[path] for path in paths]))]

    assert [b"/root/a", b"/root/b"] == holders(b"/root/a/x")
    assert [b"/root/b"] == holders(b"/root/a")
    assert [] == holders(b"/root/a", b"/root/b")
    assert [] == holders(b"/root/c")
    assert [] == other_holders(tree_of({"a": 1}), np.array([1])).tolist()


def test_a_link_reached_through_a_symlink_is_no_link() -> None:
    """Removing a symlink to a file and its only name frees it; removing one of two names does not."""
    via = Leaf(5000, inode=7, flags=Flag.VIA_SYMLINK, link_count=1)
    tree = tree_of({"a": Leaf(5000, inode=7, link_count=1), "b": via})

    assert Reclaim(1, 5120, 5120) == reclaim(tree, np.array([2]))
    assert Reclaim(2, 5120, 0) == reclaim(tree, np.array([1, 2]))


@given(random_trees(["a", "b", "c", "d", "é"]), st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_du_before_and_after(tmp_path_factory: object, drawn: list[object], chosen: list[int]) -> None:
    """On a real tree, what removing frees is the difference of what `du` says before and after."""
    place = tmp_path_factory.mktemp("reclaim")
    root = make_tree(place / "tree", drawn)
    tree = scan([root]).tree
    if len(tree) == 1:
        return
    entries = outermost(tree, np.array([1 + number % (len(tree) - 1) for number in chosen]))
    told = reclaim(tree, entries)
    directories = {os.path.dirname(tree.path(entry)) for entry in entries.tolist()}
    before, blocks = du(root), _own_blocks(directories, tree)
    _remove([tree.path(entry) for entry in entries.tolist()])
    # A directory that loses names may shrink where its file system does that.
    shrunk = blocks - sum(os.lstat(path).st_blocks * 512 for path in directories)

    assert told.exclusive == before - du(root) - shrunk
    assert told.disk - told.shared == told.exclusive


def _own_blocks(directories: set[bytes], tree: Tree) -> int:
    root = tree.path(0)
    total = 0
    for path in directories:
        names = path[len(root) :].strip(b"/")
        entry, _ = nearest_entry(tree, names.split(b"/") if names else [])
        total += int(tree.disk_usage()[entry])
    return total


def _remove(paths: list[bytes]) -> None:
    subprocess.run(["rm", "-rf", "--", *paths], check=True, cwd=Path("/"))
