"""Directories that hold the same are one finding, the largest first, and their files are not told again."""

import os
from pathlib import Path

from tests.analyze.finding import paths, search, write

NAMES = ("one", "two/three", "two/four")


def _fill(directory: Path, seed: bytes = b"x") -> None:
    for number, name in enumerate(NAMES):
        write(directory / name, seed * (5000 + number))


def _groups(root: Path) -> list[set[bytes]]:
    snapshot, found = search(root)
    first = found.directories.first.tolist()
    entries = found.directories.entries
    return [
        {path.removeprefix(os.fsencode(root) + b"/") for path in paths(snapshot, entries[begin:end])}
        for begin, end in zip(first[:-1], first[1:], strict=True)
    ]


def test_a_whole_subtree_is_told_once(place: Path) -> None:
    """Equal subtrees are one group; neither what is below them nor their files are told once more."""
    _fill(place / "a")
    _fill(place / "b")
    _fill(place / "c/deep")
    snapshot, found = search(place)

    assert [{b"a", b"b", b"c/deep"}] == _groups(place)
    assert [] == found.told().tolist()
    assert 3 == len(found.groups)
    assert 2 * sum((place / "a" / name).stat().st_blocks * 512 for name in NAMES) == found.wasted


def test_a_copy_outside_is_told_beside(place: Path) -> None:
    """A file that is in equal directories and once more elsewhere is a group of the first of them and the other."""
    _fill(place / "a")
    _fill(place / "b")
    write(place / "z", b"x" * 5000)
    snapshot, found = search(place)
    (number,) = found.told().tolist()
    begin, end = found.groups.first[number : number + 2].tolist()
    told = [copy for copy in range(begin, end) if not found.copies.is_told[copy]]

    assert [os.fsencode(place / "a/one"), os.fsencode(place / "z")] == sorted(
        snapshot.tree.path(int(found.copies.entry[copy])) for copy in told
    )
    assert (place / "z").stat().st_blocks * 512 == int(found.groups.wasted[number])


def test_names_count(place: Path) -> None:
    """Directories with the same contents under other names are not equal; nor is one with something more in it."""
    _fill(place / "a")
    _fill(place / "b")
    (place / "b/one").rename(place / "b/other")
    _fill(place / "c")
    (place / "c/empty").touch()
    _fill(place / "d")
    os.mkfifo(place / "d/pipe")

    assert [{b"a/two", b"b/two", b"c/two", b"d/two"}] == _groups(place)


def test_symlinks_count_by_their_targets(place: Path) -> None:
    """Directories with a symlink are equal where it points to the same text."""
    for name, target in (("a", "same"), ("b", "same"), ("c", "other")):
        _fill(place / name)
        (place / name / "link").symlink_to(target)

    assert {b"a", b"b"} in _groups(place)
    assert {b"a", b"b", b"c"} not in _groups(place)


def test_links_of_the_same_files_waste_nothing(place: Path) -> None:
    """A directory of hard links to the files of another is no finding."""
    _fill(place / "a")
    for name in NAMES:
        (place / "b" / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(place / "a" / name, place / "b" / name)

    assert [] == _groups(place)


def test_empty_directories_are_no_finding(place: Path) -> None:
    """Directories without a byte in them are not told."""
    for name in "ab":
        (place / name / "below").mkdir(parents=True)
        (place / name / "empty").touch()

    assert [] == _groups(place)
