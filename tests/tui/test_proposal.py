"""What is proposed to be removed, when that takes a word, and what is scanned again afterwards."""

import numpy as np
import pytest

from spacemap.tree.columns import Skip
from spacemap.tree.reclaim import Reclaim
from spacemap.tui import proposal
from spacemap.tui.proposal import GRAVE_BYTES, GRAVE_ENTRIES, changed_by, nearest_directories, propose
from tests.trees import Folder, Leaf, Spec, snapshot_of, tree_of

LINKED = Leaf(5000, inode=7)
SPEC: dict[str, Spec] = {
    "a": {"x": LINKED, "deep": {"y": 100}},
    "b": {"z": LINKED},
    "empty": {},
    "unread": Folder({}, skip=Skip.UNREADABLE),
    "large": Leaf(0, disk=GRAVE_BYTES),
    "small": Leaf(0, disk=GRAVE_BYTES - 512),
}


def _entry(path: str) -> int:
    tree = tree_of(SPEC)
    return next(entry for entry in range(len(tree)) if tree.path(entry) == b"/root/" + path.encode())


def _proposal(*paths: str) -> proposal.Proposal:
    return propose(snapshot_of(tree_of(SPEC)), np.array([_entry(path) for path in paths]))


def test_the_largest_come_first() -> None:
    """What is below another is left out, and the largest is named first."""
    proposed = _proposal("a/deep", "a", "b", "small")

    assert [_entry("small"), _entry("a"), _entry("b")] == proposed.entries.tolist()
    assert Reclaim(7, GRAVE_BYTES - 512 + 5120 + 512, 0) == proposed.total


@pytest.mark.parametrize(
    ("paths", "is_grave"),
    [
        (("a/x",), False),
        (("small",), False),
        (("large",), True),
        (("small", "a/x"), True),
        (("empty",), False),
        (("unread",), True),
        (("a",), True),
    ],
    ids=str,
)
def test_what_takes_a_word(paths: tuple[str, ...], is_grave: bool) -> None:
    """A directory with something in it, or nobody knows what, and whatever is large takes more than a choice."""
    assert is_grave == _proposal(*paths).is_grave


@pytest.mark.parametrize(("count", "is_grave"), [(GRAVE_ENTRIES - 1, False), (GRAVE_ENTRIES, True)])
def test_many_files_take_a_word(count: int, is_grave: bool) -> None:
    """So do many files, however small."""
    tree = tree_of({f"f{number}": 1 for number in range(count)})

    assert is_grave == propose(snapshot_of(tree), np.arange(1, len(tree))).is_grave


def test_what_changes_with_a_removal() -> None:
    """The directories that lose an entry, and those that hold other links of what goes."""
    assert {b"/root/a", b"/root/b"} == changed_by(_proposal("a/x"))
    assert {b"/root", b"/root/b"} == changed_by(_proposal("a"))
    assert {b"/root/a"} == changed_by(_proposal("a/deep"))


def test_the_nearest_directories() -> None:
    """A path that the tree has not is told by the directory on the way there; what is outside is left out."""
    paths = [b"/root", b"/root/a/deep", b"/root/a/deep/y", b"/root/b/new/files", b"/rooted", b"/", b"/root/large/x"]

    actual = nearest_directories(snapshot_of(tree_of(SPEC), "/root"), paths)
    assert (b"/root", b"/root/a/deep", b"/root/b") == actual


def test_the_nearest_directories_of_several_roots() -> None:
    """Each root is a directory of its own; the directory without a name that holds them is none."""
    snapshot = snapshot_of(tree_of({"/a": {"x": {}}, "/b": {}}, root=""), "/a", "/b")

    assert (b"/a/x", b"/b") == nearest_directories(snapshot, [b"/a/x/new", b"/b/c", b"/c"])
