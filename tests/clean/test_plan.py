"""What becomes of chosen entries: nested ones once, what must stay refused, what is odd counted."""

from pathlib import Path

import pytest

from spacemap.clean import inspect, make_plan
from spacemap.scan import ScanOptions, Symlinks, Times
from spacemap.tree.columns import Flag, Skip
from spacemap.tree.tree import Tree
from tests.clean.cleaning import entry_of, planned, scanned, tree_in
from tests.scan.specs import Entry
from tests.trees import Folder, Leaf, snapshot_of, tree_of


def _ids(tree: Tree, *paths: bytes) -> list[int]:
    return [next(entry for entry in range(len(tree)) if tree.path(entry) == path) for path in paths]


def test_nested_entries_count_once() -> None:
    """What lies below a planned directory is not planned again; ids ascend, whatever order they came in."""
    tree = tree_of({"a": {"b": {"c": 1}, "d": 2}, "e": 3})
    chosen = _ids(tree, b"/root/e", b"/root/a/b/c", b"/root/a", b"/root/a/b", b"/root/e")
    plan = make_plan(snapshot_of(tree), chosen)

    assert _ids(tree, b"/root/a", b"/root/e") == plan.entries.tolist()
    assert (5, ()) == (plan.count, plan.refusals)


REFUSED = {
    b"/root/mounted": "it is a mount point",
    b"/root/other": "it is on another file system, which was not scanned",
    b"/root/view": "it is a second view of what is listed elsewhere",
    b"/root/folded": "it stands for small files that were folded to save memory; scan again without --max-memory",
    b"/root/followed": "it was reached through a symlink; scan again without --follow-symlinks",
    b"/root/followed/file": "it was reached through a symlink; scan again without --follow-symlinks",
    b"/root/unmeasured": "the scan could not measure it",
}


def test_refusals() -> None:
    """Each entry that must stay is refused with its own reason, and the others are planned."""
    tree = tree_of(
        {
            "mounted": Folder({"x": 1}, flags=Flag.MOUNT),
            "other": Folder(skip=Skip.OTHER_DEVICE),
            "view": Folder(skip=Skip.SECOND_VIEW),
            "folded": Leaf(folded_files=3),
            "followed": Folder({"file": 1}, flags=Flag.VIA_SYMLINK),
            "unmeasured": Leaf(flags=Flag.UNMEASURED),
            "good": 1,
        }
    )
    plan = make_plan(snapshot_of(tree), [0, *_ids(tree, *REFUSED, b"/root/good")])
    told = {tree.path(refusal.entry): refusal.reason for refusal in plan.refusals}

    assert {b"/root": "it is a root of the scan", **REFUSED} == told
    assert _ids(tree, b"/root/good") == plan.entries.tolist()


def test_roots_of_several_are_refused() -> None:
    """Each of several roots is a root, and so is the nameless entry above them."""
    tree = tree_of({"/one": {"a": 1}, "/two": {"b": 1}}, root="")
    plan = make_plan(snapshot_of(tree, "/one", "/two"), range(len(tree)))

    assert [0, 1, 2] == [refusal.entry for refusal in plan.refusals]
    assert [3, 4] == plan.entries.tolist()


def test_the_home_directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home directory and what holds it are refused; what is in it is not."""
    root = tree_in(place, "home/me/file", "home/other/file")
    monkeypatch.setenv("HOME", str(root / "home/me"))
    snapshot = scanned(root)
    above, itself, inside, beside = (
        entry_of(snapshot, path) for path in ("home", "home/me", "home/me/file", "home/other")
    )
    plan = make_plan(snapshot, [above, itself, inside, beside])

    assert [(above, "the home directory is in it"), (itself, "it is the home directory")] == list(plan.refusals)
    assert sorted([inside, beside]) == plan.entries.tolist()


@pytest.mark.parametrize(
    "options", [ScanOptions(times=Times.LEAVE), ScanOptions(symlinks=Symlinks.FOLLOW, times=Times.LEAVE)]
)
def test_a_scan_without_times(place: Path, options: ScanOptions) -> None:
    """Without times changes are not noticed, so nothing is planned."""
    snapshot = scanned(tree_in(place, "a/file"), options)
    plan = make_plan(snapshot, [entry_of(snapshot, "a")])

    assert ["the scan left times out, by which changes are noticed; scan again without --max-memory"] == [
        refusal.reason for refusal in plan.refusals
    ]


def test_an_id_that_is_none() -> None:
    """An id out of range is a mistake of the caller."""
    with pytest.raises(IndexError):
        make_plan(snapshot_of(tree_of({"a": 1})), [2])


def test_oddities() -> None:
    """Mounts and unlisted directories inside, and inodes with links outside the plan, are counted, each once."""
    tree = tree_of(
        {
            "a": {
                "mount": Folder({"x": 1}, flags=Flag.MOUNT),
                "other": Folder(skip=Skip.OTHER_DEVICE),
                "pruned": Folder(skip=Skip.PRUNED),
                "one": Leaf(10, inode=5),
                "two": Leaf(10, inode=5),
                "three": Leaf(10, inode=6),
                "four": Leaf(10, inode=7, link_count=2),
            },
            "b": Leaf(10, inode=6),
        }
    )
    snapshot = snapshot_of(tree)
    narrow = make_plan(snapshot, _ids(tree, b"/root/a")).oddities
    wide = make_plan(snapshot, _ids(tree, b"/root/a", b"/root/b")).oddities

    assert (2, 2, 1) == (narrow.mounts, narrow.linked_elsewhere, narrow.unlisted)
    assert 1 == wide.linked_elsewhere


def test_inspection(place: Path) -> None:
    """What changed since the scan, or went, is counted before anything is done."""
    root = tree_in(place, "a/file", "b", "c", Entry("d", "symlink", target="nowhere"), "e/f")
    plan = planned(scanned(root), "a", "b", "c", "d", "e/f")
    before = inspect(plan)
    (root / "b").write_text("other")
    (root / "c").unlink()
    (root / "e").rename(root / "moved")
    after = inspect(plan)

    assert (0, 0, 3) == (before.changed, before.other_owner, after.changed)
