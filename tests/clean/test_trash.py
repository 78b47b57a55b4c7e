"""The trash: by the freedesktop specification, never onto something, never to another disk; and back again."""

import os
import re
from datetime import datetime
from pathlib import Path

import pytest

from spacemap.clean import make_plan, undo_last
from spacemap.errors import UsageError
from tests.clean.cleaning import (
    entry_of,
    is_canary_alive,
    journal_in,
    listing,
    own_places,
    planned,
    reasons,
    scanned,
    trash,
    tree_in,
)
from tests.scan.specs import Entry


@pytest.fixture
def bin_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the home trash is, on the file system of `place`."""
    return own_places(place, monkeypatch)


def test_moving_to_the_home_trash(place: Path, bin_path: Path) -> None:
    """A directory and a file are moved whole; information is written as the specification says, for the owner alone."""
    root = tree_in(place, "dir/a/file", "dir/file", "per%cent é", "keep")
    plan = planned(scanned(root), "dir", "per%cent é")
    outcome = trash(place, plan)

    assert (["keep"], 5, ()) == (listing(root), outcome.entries, outcome.stayed)
    assert ["dir", "dir/a", "dir/a/file", "dir/file", "per%cent é"] == listing(bin_path / "files")
    lines = (bin_path / "info/per%cent é.trashinfo").read_text("ascii").splitlines()
    assert ["[Trash Info]", f"Path={root}/per%25cent%20%C3%A9"] == lines[:2]
    assert re.fullmatch(r"DeletionDate=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", lines[2])
    assert abs(datetime.fromisoformat(lines[2][13:]) - datetime.now()).total_seconds() < 600
    assert [0o700] * 3 == [path.stat().st_mode & 0o777 for path in (bin_path, bin_path / "files", bin_path / "info")]
    assert is_canary_alive(place)


def test_undo_puts_everything_back(place: Path, bin_path: Path) -> None:
    """Undoing restores the very same tree, leaves nothing in the trash, and has nothing to do the second time."""
    root = tree_in(place, "dir/a/file", Entry("dir/link", "symlink", target="nowhere"), "sub/file")
    before = [(path, os.lstat(root / path).st_ino) for path in listing(root)]
    trash(place, planned(scanned(root), "dir", "sub/file"))
    outcome = undo_last(journal_in(place))

    assert before == [(path, os.lstat(root / path).st_ino) for path in listing(root)]
    assert (2, (), ["files", "info"]) == (outcome.entries, outcome.stayed, listing(bin_path))
    with pytest.raises(UsageError, match="nothing to undo"):
        undo_last(journal_in(place))


def test_undo_goes_back_step_by_step(place: Path, bin_path: Path) -> None:
    """Each undoing restores the last trash that was not restored yet."""
    root = tree_in(place, "a", "b")
    snapshot = scanned(root)
    trash(place, planned(snapshot, "a"))
    trash(place, planned(snapshot, "b"))
    seen = []
    for _ in range(2):
        undo_last(journal_in(place))
        seen.append(listing(root))

    assert [["b"], ["a", "b"]] == seen


def test_name_clashes(place: Path, bin_path: Path) -> None:
    """Of equal names all are kept beside each other, also next to what has no information, and each finds its way."""
    root = tree_in(place, "1/name", "2/name", "3/name", "4/name")
    (bin_path / "files").mkdir(parents=True)
    (bin_path / "files/name.2").write_text("of somebody else")
    for number in "1234":
        (root / number / "name").write_text(number)
    plan = planned(scanned(root), *(f"{number}/name" for number in "1234"))
    outcome = trash(place, plan)

    assert (4, ["name", "name.2", "name.3", "name.4", "name.5"]) == (outcome.entries, listing(bin_path / "files"))
    assert "of somebody else" == (bin_path / "files/name.2").read_text()
    assert [f"name{dot}.trashinfo" for dot in (".3", ".4", ".5", "")] == listing(bin_path / "info")
    undo_last(journal_in(place))
    assert list("1234") == [(root / number / "name").read_text() for number in "1234"]


def test_long_names(place: Path, bin_path: Path) -> None:
    """Names too long for the suffix of the information are shortened in the trash, and whole when they come back."""
    name = "n" * 255
    root = tree_in(place, f"1/{name}", f"2/{name}")
    trash(place, planned(scanned(root), f"1/{name}", f"2/{name}"))

    assert [name[:243] + ".2", name[:245]] == listing(bin_path / "files")
    undo_last(journal_in(place))
    assert ["1", f"1/{name}", "2", f"2/{name}"] == listing(root)


def test_odd_names(place: Path, bin_path: Path) -> None:
    """Newlines, undecodable bytes and dashes come back as they were."""
    names = [b"-rf", b"new\nline", b"bad\xff\x80", b"\\x41", b"%41", b".hidden"]
    root = tree_in(place)
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(root), name))).write_bytes(name)
    trash(place, planned(scanned(root), *names))
    info = b"".join(path.read_bytes() for path in (bin_path / "info").iterdir())

    assert ([], True) == (listing(root), info.isascii())
    undo_last(journal_in(place))
    assert {os.fsdecode(name): name for name in names} == {name: (root / name).read_bytes() for name in listing(root)}


def test_undo_onto_a_reused_name(place: Path, bin_path: Path) -> None:
    """What is there is never overwritten: the rest comes back, this stays in the trash until its name is free."""
    root = tree_in(place, "name", "dir/file", "other")
    trash(place, planned(scanned(root), "name", "dir", "other"))
    (root / "name").write_text("new")
    (root / "dir").mkdir()
    outcome = undo_last(journal_in(place))

    told = "its name is in use again; it stays in the trash"
    assert {"name": told, "dir": told} == reasons(outcome, root)
    assert ("new", ["dir", "name", "other"]) == ((root / "name").read_text(), listing(root))
    assert ["dir", "dir/file", "name"] == listing(bin_path / "files")
    (root / "name").unlink()
    (root / "dir").rmdir()
    assert 2 == undo_last(journal_in(place)).entries
    assert ["dir", "dir/file", "name", "other"] == listing(root)


def test_undo_without_the_directory(place: Path, bin_path: Path) -> None:
    """A directory that is gone is not made again, and one that became a symlink is not followed."""
    root = tree_in(place, "gone/file", "link/precious")
    trash(place, planned(scanned(root), "gone/file", "link/precious"))
    (root / "gone").rmdir()
    (root / "link").rmdir()
    (root / "link").symlink_to("../canary")
    outcome = undo_last(journal_in(place))

    assert {"gone/file", "link/precious"} == set(reasons(outcome, root))
    assert ["file", "precious"] == listing(bin_path / "files")
    assert is_canary_alive(place)


def test_undo_after_the_trash_was_emptied(place: Path, bin_path: Path) -> None:
    """What somebody removed from the trash, or put in its place there, is told; the rest comes back."""
    root = tree_in(place, "a", "b", "c")
    trash(place, planned(scanned(root), "a", "b", "c"))
    (bin_path / "files/a").unlink()
    (bin_path / "files/b").rename(bin_path / "files/former")
    (bin_path / "files/b").write_text("of somebody else")
    outcome = undo_last(journal_in(place))

    told = "it is not in the trash any more"
    assert ({"a": told, "b": told}, ["c"]) == (reasons(outcome, root), listing(root))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda top: (top / "sub/new").write_text("new"), "sub/new was added since the scan"),
        (lambda top: (top / "sub/file").write_text("grown"), "sub/file: it was modified since the scan"),
        (lambda top: (top / "empty/new").mkdir(), "empty/new was added since the scan"),
        (lambda top: (top / "new\n").write_text("new"), "new\\x0a was added since the scan"),
    ],
    ids=["added", "modified", "in an empty directory", "at the top"],
)
def test_a_changed_directory_is_not_moved(place: Path, bin_path: Path, change: object, told: str) -> None:
    """A directory goes whole, so it stays when anything in it is not what was planned; the reason says what."""
    root = tree_in(place, "dir/sub/file", "dir/file", Entry("dir/empty", "directory"), "other/file")
    plan = planned(scanned(root), "dir", "other")
    change(root / "dir")  # type: ignore[operator]
    before = listing(root / "dir")
    outcome = trash(place, plan)

    assert (before, False) == (listing(root / "dir"), (root / "other").exists())
    (reason,) = reasons(outcome, root).values()
    assert told in reason
    assert ["other", "other/file"] == listing(bin_path / "files")
    assert ["other.trashinfo"] == listing(bin_path / "info")


def test_what_went_by_itself_does_not_matter(place: Path, bin_path: Path) -> None:
    """A directory out of which something vanished is moved with the rest."""
    root = tree_in(place, "dir/sub/file", "dir/file", "dir/other")
    plan = planned(scanned(root), "dir")
    (root / "dir/sub/file").unlink()
    (root / "dir/sub").rmdir()
    (root / "dir/file").unlink()
    outcome = trash(place, plan)

    assert ((), ["dir", "dir/other"]) == (outcome.stayed, listing(bin_path / "files"))


def test_replaced_by_a_symlink(place: Path, bin_path: Path) -> None:
    """A symlink in the place of what was planned stays, and what it leads to."""
    root = tree_in(place, "dir/precious", "way/precious")
    plan = planned(scanned(root), "dir", "way/precious")
    (root / "dir").rename(place / "one")
    (root / "way").rename(place / "two")
    (root / "dir").symlink_to("../canary")
    (root / "way").symlink_to("../canary")
    outcome = trash(place, plan)

    assert ({"dir", "way/precious"}, ["dir", "way"]) == (set(reasons(outcome, root)), listing(root))
    assert is_canary_alive(place)


def test_a_part_of_the_trash_that_is_a_symlink(place: Path, bin_path: Path) -> None:
    """The parts of a trash may be no symlinks: then nothing is moved, and deleting is suggested."""
    root = tree_in(place, "a")
    (place / "elsewhere").mkdir()
    bin_path.mkdir(parents=True)
    (bin_path / "files").symlink_to(place / "elsewhere")
    outcome = trash(place, planned(scanned(root), "a"))

    (reason,) = reasons(outcome, root).values()
    assert (True, ["a"], []) == (
        reason.endswith("; delete it instead, or write a script"),
        listing(root),
        listing(place / "elsewhere"),
    )


def test_the_trash_is_not_trashed(place: Path, bin_path: Path) -> None:
    """What is in the trash already is not moved there again."""
    root = tree_in(place, "a")
    trash(place, planned(scanned(root), "a"))
    snapshot = scanned(bin_path)
    outcome = trash(place, make_plan(snapshot, [entry_of(snapshot, "files/a")]))

    assert {"files/a": "it is in the trash already; delete it instead, or write a script"} == reasons(outcome, bin_path)
