"""What was written once can be read for ever."""

from pathlib import Path

import pytest

import spacemap
from spacemap.tree.columns import Skip
from spacemap.tree.snapshot import Completeness
from tests.scan.comparison import as_bytes
from tests.store.golden import FORMATS, make
from tests.store.samples import before_owners, everything


def test_bytes_of_this_version(place: Path) -> None:
    """The bytes of a version never change: raise FORMAT_VERSION, then run `python -m tests.store.golden`."""
    for file in make(place):
        assert (FORMATS / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("file", sorted(FORMATS.iterdir()), ids=lambda file: file.name)
def test_every_version_opens(file: Path) -> None:
    """A file of any version holds what was put in it."""
    snapshot = spacemap.open_snapshot(file)
    tree = snapshot.tree
    sizes = {tree.path(entry): int(tree.apparent_size[entry]) for entry in range(len(tree))}

    assert {
        b"/root": 60,
        b"/root/a.py": 1000,
        b"/root/b.py": 1000,
        b"/root/bad\xff\\x41\n": 10,
        b"/root/gone": 0,
        b"/root/link": 4,
        b"/root/secret": 0,
        b"/root/sub": 0,
        b"/root/sub/": 2000,
        b"/root/sub/deep": 0,
        b"/root/sub/deep/er": 0,
        b"/root/sub/huge": 1 << 40,
        "/root/sub/宽.jpg".encode(): 5000,
    } == sizes
    assert (16384, 14, 5, 2) == tuple(
        int(getattr(tree.totals, name)[0]) for name in ("disk", "files", "directories", "problems")
    )
    assert [Skip.NONE, Skip.UNREADABLE, Skip.NONE, Skip.NONE, Skip.NONE] == tree.directories.skip.tolist()
    assert (Completeness.INTERRUPTED, ("a \udcfe note",), 10**30) == (
        snapshot.facts.completeness,
        snapshot.facts.notes,
        snapshot.facts.options["max_memory"],
    )
    expected = before_owners() if file.stem == "v1" else everything()
    assert as_bytes(expected) == as_bytes(snapshot)
