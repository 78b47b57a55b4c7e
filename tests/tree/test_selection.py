"""A part of a tree: its sums are those of what matches, each inode once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacemap.tree.columns import BLOCK_SIZE, Flag, Kind
from spacemap.tree.measure import Measure
from spacemap.tree.rollup import roll_up
from spacemap.tree.selection import Hidden, select
from spacemap.tree.subtree import subtree_slices
from spacemap.tree.tree import Tree
from tests.trees import Folder, Leaf, Spec, tree_of

LEAVES = st.one_of(
    st.builds(Leaf, st.integers(0, 9000), mtime=st.integers(-5, 5)),
    st.builds(Leaf, st.just(5000), inode=st.integers(1, 3), link_count=st.sampled_from([None, 9]), mtime=st.just(3)),
    st.builds(Leaf, st.integers(0, 9000), folded_files=st.integers(1, 5)),
)
NAMES = st.sampled_from("abcdef")
FOLDERS: st.SearchStrategy[Spec] = st.recursive(
    st.builds(Folder, st.dictionaries(NAMES, LEAVES, max_size=4), apparent=st.just(100), disk=st.just(512)),
    lambda inner: st.builds(
        Folder,
        st.dictionaries(NAMES, st.one_of(LEAVES, inner), max_size=4),
        disk=st.just(4096),
        mtime=st.integers(-9, 9),
    ),
    max_leaves=8,
)
TREES = st.builds(lambda spec: tree_of(_one_count(spec)), FOLDERS)


def _one_count(spec: Folder) -> Folder:
    """Return the spec with one link count for each inode, as a file system has it."""
    entries = {
        name: Leaf(each.apparent, inode=each.inode, link_count=9 if each.inode == 1 else None, mtime=each.mtime)
        if isinstance(each, Leaf) and each.inode is not None
        else _one_count(each)
        if isinstance(each, Folder)
        else each
        for name, each in spec.entries.items()
    }
    return Folder(entries, spec.apparent, spec.disk, spec.mtime)


def _expected(tree: Tree, matching: np.ndarray, directory: int) -> dict[str, int]:
    """Return the sums of what matches in a subtree, found by looking at every entry of it."""
    inside = [e for part in subtree_slices(tree, directory) for e in range(part.start, part.stop) if matching[e]]
    links = {int(entry): (int(tree.inode[entry]), int(count)) for entry, count in zip(*_links(tree), strict=True)}
    seen: dict[int, list[int]] = {}
    for entry in inside:
        if entry in links:
            seen.setdefault(links[entry][0], []).append(entry)
    counted = [entry for entry in inside if entry not in links or seen[links[entry][0]][0] == entry]
    leaves = [entry for entry in inside if tree.kind[entry] != Kind.DIRECTORY]
    folded = dict(zip(tree.folded.entry.tolist(), tree.folded.file_count.tolist(), strict=True))
    others = [entry for entry in inside if tree.kind[entry] == Kind.DIRECTORY and entry != directory]
    shared = [e for e in counted if e in links and links[e][1] > len(seen[links[e][0]])]
    sums = {
        "apparent": sum(int(tree.apparent_size[entry]) for entry in counted),
        "disk": sum(int(tree.blocks[entry]) * BLOCK_SIZE for entry in counted),
        "shared": sum(int(tree.blocks[entry]) * BLOCK_SIZE for entry in shared),
        "files": sum(folded.get(entry, 1) for entry in leaves),
        "directories": 1 + len(others),
    }
    return sums | ({"newest_mtime": max(int(tree.mtime[entry]) for entry in inside)} if inside else {})


def _links(tree: Tree) -> tuple[list[int], list[int]]:
    return tree.links.entry.tolist(), tree.links.link_count.tolist()


@given(TREES, st.randoms(use_true_random=False))
def test_sums_of_what_matches(tree: Tree, random: object) -> None:
    """Every total of every directory is the sum over what matches in it; what holds nothing is known as such."""
    matching = np.array([random.random() < 0.5 for _ in range(len(tree))], np.bool_)
    selection = select(tree, matching)
    for row, directory in enumerate(tree.directories.entry.tolist()):
        expected = _expected(tree, matching, directory)

        assert expected == {name: int(getattr(selection.tree.totals, name)[row]) for name in expected}
        below = expected["files"] + expected["directories"] - 1
        assert bool(below or matching[directory]) == bool(selection.holds(np.array([directory]))[0])
    leaves = np.flatnonzero(tree.kind != Kind.DIRECTORY)
    assert matching[leaves].tolist() == selection.holds(leaves).tolist()


@given(TREES)
def test_everything_matches(tree: Tree) -> None:
    """When everything matches, nothing is different and nothing is hidden."""
    selection = select(tree, np.ones(len(tree), np.bool_))
    totals = roll_up(tree)
    for name in totals.__slots__:
        assert getattr(totals, name).tolist() == getattr(selection.tree.totals, name).tolist()
    assert tree.flags.tolist() == selection.tree.flags.tolist()
    assert 0 == selection.hidden(Measure.DISK).entries == selection.hidden(Measure.DISK).bytes


def test_another_link_counts_when_the_first_does_not_match() -> None:
    """Of the links that match, the first one stands for the inode; the others are repeated."""
    tree = tree_of({"a": Leaf(5000, inode=7), "b": Leaf(5000, inode=7), "c": Leaf(5000, inode=7)})
    matching = np.array([False, False, True, True])
    selection = select(tree, matching)

    assert 5120 == int(selection.tree.totals.disk[0])
    assert [False, False, False, True] == ((selection.tree.flags & Flag.REPEATED) != 0).tolist()
    assert Hidden(2, 4, 0, 5120) == selection.hidden(Measure.DISK)


def test_what_is_hidden() -> None:
    """Entries and bytes that do not match are counted, below a directory and in everything."""
    tree = tree_of({"d": Folder({"x": 1000, "y": Leaf(9, folded_files=4)}, disk=512), "z": 1000})
    matching = np.array([False, True, False, True, False])
    names = [tree.name(entry) for entry in range(5)]
    selection = select(tree, matching)

    assert [b"/root", b"d", b"z", b"x", b"y"] == names
    assert Hidden(4, 5, 512, 2048) == selection.hidden_below(1, Measure.DISK)
    assert Hidden(6, 8, 1536, 3072) == selection.hidden(Measure.DISK)
    assert 1 == selection.applied("text", Measure.DISK).directories


def test_several_roots_hide_no_entry_of_their_own() -> None:
    """What holds several roots is no entry, matching or not."""
    tree = tree_of({"/a": {"x": 1}, "/b": {}}, root="")
    selection = select(tree, np.array([False, True, True, False]))

    assert (1, 3) == (selection.hidden(Measure.DISK).entries, selection.hidden(Measure.DISK).of_entries)
