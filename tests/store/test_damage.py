"""What is not a whole snapshot file is refused in one line that says what is wrong and what to do."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from spacemap.errors import FormatError, SpacemapError
from spacemap.store.blocks import open_blocks, write_blocks
from spacemap.store.columns import as_blocks, kept_columns
from spacemap.store.schema import COLUMNS, LAYOUT, LAYOUTS
from spacemap.store.snapshot import open_snapshot, write_snapshot
from tests.store.samples import everything, several_roots, write_altered


@pytest.fixture
def whole(tmpfs_place: Path) -> bytes:
    """Return the bytes of a whole file."""
    write_snapshot(tmpfs_place / "whole", everything())
    return (tmpfs_place / "whole").read_bytes()


def _accepted(place: Path, variants: Iterator[tuple[object, bytes]]) -> list[object]:
    """Return the keys of the variants that were not refused with a line that names the file."""
    path, accepted = place / "x.smap", []
    for key, data in variants:
        path.write_bytes(data)
        try:
            open_snapshot(path).load()
        except FormatError as error:
            if str(error).startswith(repr(str(path))) and "; " in str(error) and "\n" not in str(error):
                continue
        accepted.append(key)
    return accepted


def test_truncated_at_every_byte(tmpfs_place: Path, whole: bytes) -> None:
    """A file that ends too early is refused, wherever it ends."""
    assert [] == _accepted(tmpfs_place, ((size, whole[:size]) for size in range(len(whole))))


def test_every_byte_flipped(tmpfs_place: Path, whole: bytes) -> None:
    """A single flipped bit is noticed in every byte of the file, also between the blocks."""

    def variants() -> Iterator[tuple[object, bytes]]:
        for place in range(len(whole)):
            yield place, whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]

    assert [] == _accepted(tmpfs_place, variants())


def test_bytes_added(tmpfs_place: Path, whole: bytes) -> None:
    """What follows the trailer, or stands before the header, is noticed."""
    assert [] == _accepted(tmpfs_place, iter([("end", whole + b"\0"), ("begin", b"\0" + whole), ("twice", whole * 2)]))


@pytest.mark.parametrize("name", COLUMNS)
def test_damaged_block_is_named(tmpfs_place: Path, whole: bytes, name: str) -> None:
    """A damaged block opens, since nothing of it is read yet; loading says which one it is."""
    path = tmpfs_place / "x.smap"
    path.write_bytes(whole)
    block = open_blocks(path, LAYOUTS).blocks[name]
    if not block.length:
        pytest.skip("an empty block has no byte to damage")
    path.write_bytes(whole[: block.offset] + bytes([whole[block.offset] ^ 1]) + whole[block.offset + 1 :])
    opened = open_snapshot(path)

    with pytest.raises(FormatError, match=f"block {name} does not match its checksum: the file is damaged; scan again"):
        opened.load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; scan again"),
        (b"\x7fELF" + bytes(500), "it is not a snapshot file of spacemap; name a file"),
        (b"\x89sm", "the header is cut off: the file is damaged"),
    ],
    ids=["empty", "foreign", "short"],
)
def test_foreign_files(tmpfs_place: Path, content: bytes, message: str) -> None:
    """A file that never was a snapshot is told so."""
    (tmpfs_place / "x.smap").write_bytes(content)

    with pytest.raises(FormatError, match=message):
        open_snapshot(tmpfs_place / "x.smap")


def test_newer_version(tmpfs_place: Path) -> None:
    """A file of a version to come is no damage: the line says to use a newer program."""
    with open(tmpfs_place / "x.smap", "wb") as file:
        write_blocks(file, LAYOUT._replace(version=99, schema=5), [], {})

    with pytest.raises(FormatError, match="it has version 99 of the format, .*; use a newer spacemap"):
        open_snapshot(tmpfs_place / "x.smap")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "directory"])
def test_no_regular_file(tmpfs_place: Path, make: Callable[[Path], None]) -> None:
    """A pipe or a directory is refused at once."""
    make(tmpfs_place / "x.smap")

    with pytest.raises(SpacemapError):
        open_snapshot(tmpfs_place / "x.smap")


def test_missing_file(tmpfs_place: Path) -> None:
    """A file that is not there is an error that names it."""
    with pytest.raises(SpacemapError, match="cannot be read: No such file or directory; check the path"):
        open_snapshot(tmpfs_place / "x.smap")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("entries.kind", np.full(13, 9, np.uint8)),
        ("entries.kind", np.full(13, 1, np.uint8)),
        ("entries.kind", np.zeros(0, np.uint8)),
        ("entries.flags", np.full(13, 64, np.uint8)),
        ("entries.mtime", np.zeros(12, np.int8)),
        ("entries.name_length", np.full(13, 1 << 40, np.uint64)),
        ("entries.name_length", np.full(13, 1, np.uint8)),
        ("entries.names", np.zeros(55, np.uint8)),
        ("entries.names", np.full(55, ord("/"), np.uint8)),
        ("entries.names", np.full(55, ord("."), np.uint8)),
        ("directories.child_count", np.array([0, 0, 7, 1, 5], np.uint8)),
        ("directories.child_count", np.array([7, 0, 4, 1, 1], np.uint8)),
        ("directories.child_count", np.array([2**64 - 1, 1, 12, 0, 0], np.uint64)),
        ("directories.child_count", np.array([7, 4, 0, 1, 0], np.uint8)),
        ("directories.skip", np.full(5, 200, np.uint8)),
        ("entries.owner", np.zeros(0, np.uint8)),
        ("entries.owner", np.full(12, 1, np.uint8)),
        ("entries.owner", np.full(13, 3, np.uint8)),
        ("owners.uid", np.zeros(0, np.uint8)),
        ("owners.uid", np.array([5], np.uint8)),
        ("owners.uid", np.array([0, 7, 7], np.uint8)),
        ("owners.uid", np.array([0, 7, 1 << 32], np.uint64)),
        ("links.entry", np.array([13, 14], np.uint8)),
        ("links.entry", np.array([2, 1], np.uint8)),
        ("links.link_count", np.array([1, 2**32], np.uint64)),
        ("problems.entry", np.array([99, 100], np.uint8)),
        ("problems.operation", np.array([0, 9], np.uint8)),
        ("problems.errno", np.array([1, 2**31], np.uint32)),
        ("folded.entry", np.array([2**63], np.uint64)),
        ("totals.disk", np.zeros(4, np.uint8)),
        ("totals.files", np.zeros(5, np.uint8)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_columns_that_make_no_tree(tmpfs_place: Path, column: str, values: np.ndarray) -> None:
    """Columns whose checksums are right and whose values lead astray are refused before anything follows them."""
    write_altered(tmpfs_place / "x.smap", everything(), **{column.replace(".", "__"): values})

    with pytest.raises(FormatError, match="the file is damaged"):
        open_snapshot(tmpfs_place / "x.smap").load()


def test_names_that_no_directory_has(tmpfs_place: Path) -> None:
    """Names with a slash, `.`, `..` and empty ones are refused; a whole path is for roots alone."""
    whole = kept_columns(several_roots().tree)["entries.names"]
    write_altered(tmpfs_place / "x.smap", several_roots(), entries__names=whole)
    assert several_roots().roots == open_snapshot(tmpfs_place / "x.smap").load().roots
    for name in (b"/", b"."):
        altered = np.append(whole[:-1], np.frombuffer(name, np.uint8))
        write_altered(tmpfs_place / "x.smap", several_roots(), entries__names=altered)

        with pytest.raises(FormatError, match="entries.names has"):
            open_snapshot(tmpfs_place / "x.smap").load()


FACTS = {"started_ns": True, "elapsed_ns": 1.5, "engine": 5, "options": [], "completeness": "half", "notes": "x"}


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_a_wrong_kind(tmpfs_place: Path, name: str) -> None:
    """A footer whose checksum is right and whose facts are not is refused."""
    write_snapshot(tmpfs_place / "whole", everything())
    footer = dict(open_blocks(tmpfs_place / "whole", LAYOUTS).footer)
    del footer["blocks"]
    footer["facts"] = footer["facts"] | {name: FACTS[name]}
    with open(tmpfs_place / "x.smap", "wb") as file:
        write_blocks(file, LAYOUT, as_blocks(kept_columns(everything().tree)), footer)

    with pytest.raises(FormatError, match="the footer cannot be right"):
        open_snapshot(tmpfs_place / "x.smap")
