"""Any edits between a plan and its removal: nothing that differs from the plan ever goes."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spacemap.clean import Method, make_plan, remove, undo_last
from tests import conftest
from tests.clean.cleaning import journal_in, own_places, scanned
from tests.scan.edits import Edits, edited_tree, one_edit

State = dict[bytes, tuple[int, ...]]
chosen = st.lists(st.integers(0, 4000), min_size=1, max_size=8)


def state(top: Path) -> State:
    """Return what tells each path from what it was: for a directory its inode, for the rest size and times, too."""
    found: State = {}
    for place, below, files in os.walk(os.fsencode(top)):
        for name in (*below, *files):
            path = os.path.join(place, name)
            status = os.lstat(path)
            told = (status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode))
            if not stat.S_ISDIR(status.st_mode):
                # A link more or less changes the status of the others.
                changed = status.st_ctime_ns if status.st_nlink == 1 else 0
                told = (*told, status.st_size, status.st_mtime_ns, changed)
            found[path] = told
    return found


def is_same(path: bytes, former: State, now: State) -> bool:
    """Return whether a path leads to what it led to."""
    one, other = former.get(path), now.get(path)
    if one is None or other is None or one[:5] != other[:5]:
        return False
    # Where there were several links, or are, no moment of change tells anything.
    return len(one) <= 5 or not one[5] or not other[5] or one[5] == other[5]


def is_unchanged(path: bytes, former: State, now: State) -> bool:
    """Return whether a path, and the directory that it is in, are what they were.

    A directory farther up may be another: what was moved into it is what was planned, in its place.
    """
    above = os.path.dirname(path)
    return is_same(path, former, now) and (above not in former or is_same(above, former, now))


def is_unchanged_all_the_way(path: bytes, former: State, now: State) -> bool:
    """Return whether a path and all directories on the way to it are what they were."""
    above = os.path.dirname(path)
    return is_same(path, former, now) and (above not in former or is_unchanged_all_the_way(above, former, now))


@settings(max_examples=80)
@given(chosen=chosen, edits=st.lists(one_edit, max_size=6))
def test_nothing_that_differs_is_deleted(
    tmpfs_place: Path, chosen: list[int], edits: list[tuple[str, int, int]]
) -> None:
    """What goes was planned and is what the scan saw; what was planned and is what the scan saw goes."""
    conftest.remove(tmpfs_place / "tree")
    top = edited_tree(tmpfs_place / "tree")
    snapshot, former = scanned(top), state(top)
    plan = make_plan(snapshot, [number % len(snapshot.tree) for number in chosen])
    edit = Edits(top, [])
    for each in edits:
        edit(*each)
    before = state(top)
    remove(plan, Method.DELETE, journal_in(tmpfs_place))
    after = state(top)

    planned = [snapshot.tree.path(entry) for entry in plan.entries.tolist()]
    wanted = {path for path in former if any(path == each or path.startswith(each + b"/") for each in planned)}
    gone = before.keys() - after.keys()
    assert all(path in wanted and is_unchanged(path, former, before) for path in gone)
    # A scan tells its links apart from other files: where there were several, or are, its clock does not count.
    files = {path for path in wanted & before.keys() if not stat.S_ISDIR(before[path][2])}
    must_go = {path for path in files if is_unchanged_all_the_way(path, former, before)}
    must_go = {path for path in must_go if former[path][5] and before[path][5]}
    assert must_go <= gone
    assert {path: before[path][:2] for path in after} == {path: after[path][:2] for path in after}


@settings(max_examples=60)
@example(chosen=[1547], edits=[("new_inode", 0, 0)])
@given(chosen=chosen, edits=st.lists(one_edit, max_size=4))
def test_nothing_that_differs_is_trashed(
    tmpfs_place: Path, monkeypatch: pytest.MonkeyPatch, chosen: list[int], edits: list[tuple[str, int, int]]
) -> None:
    """What is moved holds nothing that the scan did not see, and undoing brings back all that was there before."""
    own_places(tmpfs_place, monkeypatch)
    conftest.remove(tmpfs_place / "tree")
    top = edited_tree(tmpfs_place / "tree")
    snapshot, former = scanned(top), state(top)
    plan = make_plan(snapshot, [number % len(snapshot.tree) for number in chosen])
    edit = Edits(top, [])
    for each in edits:
        edit(*each)
    before = state(top)
    outcome = remove(plan, Method.TRASH, journal_in(tmpfs_place))
    gone = before.keys() - state(top).keys()

    assert all(is_unchanged(path, former, before) for path in gone)
    if outcome.entries:
        undo_last(journal_in(tmpfs_place))
    assert {path: told[:5] for path, told in before.items()} == {path: told[:5] for path, told in state(top).items()}
