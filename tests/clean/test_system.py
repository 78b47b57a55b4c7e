"""The two calls that `os` has not, and what stands for them where the system or a file system has none."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacemap.clean import Method, remove, undo_last
from spacemap.clean.system import open_below, open_by_steps, rename_by_steps, rename_exclusively
from tests.clean.cleaning import journal_in, listing, own_places, planned, scanned, tree_in

each_opening = pytest.mark.parametrize("opening", [open_below, open_by_steps])
each_renaming = pytest.mark.parametrize("renaming", [rename_exclusively, rename_by_steps])


@pytest.fixture
def top(place: Path) -> Iterator[int]:
    """Return a descriptor of a directory with two others in it, a file and symlinks."""
    for path in ("one/deep", "two"):
        (place / path).mkdir(parents=True)
    (place / "one/file").write_text("file")
    (place / "link").symlink_to("one")
    (place / "one/up").symlink_to("..")
    descriptor = os.open(place, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@each_opening
def test_opening(top: int, opening: Callable[[int, bytes], int]) -> None:
    """A directory below is opened by its names, and is the one that they lead to."""
    descriptor = opening(top, b"one/deep")
    found, expected = os.fstat(descriptor), os.stat("one/deep", dir_fd=top)
    os.close(descriptor)

    assert os.path.samestat(expected, found)


@each_opening
@pytest.mark.parametrize("path", [b"link", b"link/deep", b"one/up/two", b"one/file", b"missing"])
def test_what_is_not_opened(top: int, opening: Callable[[int, bytes], int], path: bytes) -> None:
    """Neither a symlink at the end or on the way, nor a file; and no descriptor is left open."""
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match=".") as caught:
        opening(top, path)

    assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENOENT)
    assert len(before) == len(os.listdir("/proc/self/fd"))


@each_renaming
def test_renaming(place: Path, top: int, renaming: Callable[[bytes, int, bytes, int], None]) -> None:
    """Files, symlinks and whole directories get their new names, and stay what they were."""
    inodes = {name: os.lstat(place / name).st_ino for name in ("one", "link", "one/file")}
    renaming(b"file", os.open(place / "one", os.O_RDONLY), b"moved file", top)
    renaming(b"link", top, b"moved link", top)
    renaming(b"one", top, b"one", os.open(place / "two", os.O_RDONLY))

    assert ["moved file", "moved link", "two", "two/one", "two/one/deep", "two/one/up"] == listing(place)
    moved = {"one": "two/one", "link": "moved link", "one/file": "moved file"}
    assert inodes == {name: os.lstat(place / to).st_ino for name, to in moved.items()}


@each_renaming
@pytest.mark.parametrize("name", [b"one", b"link"])
@pytest.mark.parametrize("taken", ["file", "directory", "full", "symlink"])
def test_a_name_that_is_taken(
    place: Path, top: int, renaming: Callable[[bytes, int, bytes, int], None], name: bytes, taken: str
) -> None:
    """Nothing takes the place of anything, be it an empty directory or a symlink that leads nowhere."""
    target = place / "target"
    if taken in ("directory", "full"):
        target.mkdir()
    if taken == "full":
        (target / "precious").write_text("precious")
    elif taken == "file":
        target.write_text("precious")
    elif taken == "symlink":
        target.symlink_to("nowhere")
    before = [(path, os.lstat(place / path).st_ino) for path in listing(place)]
    with pytest.raises(FileExistsError):
        renaming(name, top, b"target", top)

    assert before == [(path, os.lstat(place / path).st_ino) for path in listing(place)]


@pytest.mark.parametrize("method", list(Method))
def test_a_system_without_these_calls(place: Path, monkeypatch: pytest.MonkeyPatch, method: Method) -> None:
    """Without them everything works the same."""
    monkeypatch.setattr("spacemap.clean.system._libc", None)
    own_places(place, monkeypatch)
    root = tree_in(place, "a/b/file", "a/file", "c", "way/precious")
    before = listing(root)
    plan = planned(scanned(root), "a", "c", "way/precious")
    (root / "way").rename(place / "moved")
    (root / "way").symlink_to(place / "moved")
    outcome = remove(plan, method, journal_in(place))

    assert (1, ["way"], ["precious"]) == (outcome.stayed_count, listing(root), listing(place / "moved"))
    if method is Method.TRASH:
        undo_last(journal_in(place))
        assert before[:-1] == listing(root)
