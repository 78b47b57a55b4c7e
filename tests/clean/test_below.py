"""What is below planned directories, compared with the disk: real changes of real files."""

import os
from pathlib import Path

import pytest

from spacemap.clean import Below, Plan, look_below, make_plan
from spacemap.scan import scan
from spacemap.tree.subtree import nearest_entry
from tests.scan.specs import make_tree, read_spec

USER = os.getuid()


@pytest.fixture
def top(place: Path) -> Path:
    """Return a tree of two directories and a file."""
    for name in ("docs/a.txt", "docs/deep/b.py", "docs/deep/er/c", "other/x", "file"):
        path = place / "top" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 5000)
    return place / "top"


def _plan(top: Path, *paths: bytes) -> Plan:
    snapshot = scan([top])
    return make_plan(snapshot, [nearest_entry(snapshot.tree, path.split(b"/"))[0] for path in paths])


def _seen(plan: Plan, user: int = USER) -> Below:
    return look_below(plan, user, lambda *_: None)


def test_nothing_has_changed(top: Path) -> None:
    """What is as it was is only counted, and planned entries themselves are left out."""
    plan = _plan(top, b"docs", b"file")

    assert Below(5, 0, 0, 0) == _seen(plan)
    assert Below(0, 0, 0, 0) == _seen(_plan(top, b"file"))


def test_changes_far_below(top: Path) -> None:
    """A file that was written or is gone, and a directory with something else in it, are told of; others are not."""
    plan = _plan(top, b"docs")
    (top / "docs/a.txt").write_bytes(b"longer" * 5000)
    (top / "docs/deep/er/c").unlink()
    (top / "docs/deep/new").write_bytes(b"")
    (top / "other/x").write_bytes(b"not planned")

    # `er` lost an entry, and `deep` got one.
    assert Below(5, 2, 2, 0) == _seen(plan)


def test_a_directory_that_was_replaced_by_a_symlink(top: Path, place: Path) -> None:
    """Where a directory leads elsewhere now, everything in it has changed, whatever is there."""
    plan = _plan(top, b"docs")
    (top / "docs/deep").rename(place / "deep")
    (top / "docs/deep").symlink_to(place / "deep")
    below = _seen(plan)

    assert 1 <= below.changed_directories
    assert (place / "deep/b.py").exists()


def test_a_directory_that_is_gone(top: Path) -> None:
    """A planned directory that was moved away has changed with everything in it."""
    plan = _plan(top, b"docs")
    (top / "docs").rename(top / "elsewhere")

    assert Below(5, 2, 3, 0) == _seen(plan)


def test_other_owners(top: Path) -> None:
    """Entries below are counted that belong to somebody else than who asks."""
    assert 5 == _seen(_plan(top, b"docs"), USER + 1).other_owner


def test_giving_up(top: Path) -> None:
    """Whoever is told of progress may end the comparison; there is progress for it."""
    plan = _plan(top, b"docs")

    def on_progress(compared: int, count: int) -> None:
        assert 0 <= compared <= count == 5
        raise InterruptedError

    with pytest.raises(InterruptedError):
        look_below(plan, USER, on_progress)


@pytest.mark.parametrize("spec", ["hostile", "loops", "levels", "links"])
def test_hostile_trees(large_place: Path, spec: str) -> None:
    """Hostile names, loops of symlinks, many levels and hard links are as they were right after a scan."""
    make_tree(large_place / spec, read_spec(spec))
    plan = _plan(large_place, spec.encode())

    assert (0, 0) == (_seen(plan).changed_directories, _seen(plan).changed_files)
