"""A snapshot as JSON: every entry comes back to the byte, and what was altered is refused."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from spacemap.errors import FormatError, SpacemapError
from spacemap.export.json_snapshot import open_snapshot, read_json, snapshot_json, write_json
from spacemap.scan import scan
from spacemap.store.snapshot import write_snapshot
from spacemap.tree.names import text_to_name
from spacemap.tree.snapshot import Snapshot
from tests.conftest import remove
from tests.scan.comparison import as_bytes
from tests.scan.specs import TREE_NAMES, make_tree, read_spec
from tests.scan.trees import random_trees
from tests.store.samples import everything, several_roots
from tests.trees import snapshot_of, tree_of

REPORT = b'{\n  "schema_version": 1\n}\n'


def _same(snapshot: Snapshot, file: Path) -> None:
    write_json(file, snapshot, REPORT)
    read = read_json(file)

    assert as_bytes(snapshot) == as_bytes(read)
    assert (snapshot.roots, snapshot.facts) == (read.roots, read.facts)


@pytest.mark.parametrize("name", TREE_NAMES)
def test_scanned_trees(tmpfs_place: Path, name: str) -> None:
    """Every fixture tree, as a real scan found it, comes back."""
    _same(scan([make_tree(tmpfs_place / "tree", read_spec(name))]), tmpfs_place / "x.json")


@pytest.mark.parametrize("make", [everything, several_roots], ids=lambda make: make.__name__)
def test_every_table(place: Path, make: Callable[[], Snapshot]) -> None:
    """Links, problems, aggregates, odd names and odd facts come back."""
    _same(make(), place / "x.json")


@settings(max_examples=40)
@given(spec=random_trees())
def test_random_trees(tmp_path: Path, spec: list) -> None:
    """Whatever a scan finds comes back."""
    root = make_tree(tmp_path / "tree", spec)
    try:
        _same(scan([root]), tmp_path / "x.json")
    finally:
        remove(root)


def test_members() -> None:
    """A program finds names as reversible texts, parents by id, and columns of numbers of equal length."""
    kept = json.loads(snapshot_json(everything()))
    entries = kept["entries"]

    assert ("spacemap snapshot", 2, ["/root"]) == (kept["format"], kept["version"], kept["roots"])
    assert {"bad\\xff\\\\x41\n", "宽.jpg", ""} <= set(entries["name"])
    assert [everything().tree.name(entry) for entry in range(13)] == [text_to_name(name) for name in entries["name"]]
    assert everything().tree.parent.tolist() == entries["parent"]
    assert {13} == {len(values) for values in entries.values()}
    assert {"integer": str(10**30)} == kept["facts"]["options"]["max_memory"]


def test_layout_of_the_text_does_not_matter(place: Path) -> None:
    """A document that another program indented, escaped and sorted anew holds the same snapshot."""
    write_json(place / "x.json", everything(), REPORT)
    document = json.loads((place / "x.json").read_bytes())
    (place / "y.json").write_text(json.dumps(document, indent=7, sort_keys=True))

    assert as_bytes(everything()) == as_bytes(read_json(place / "y.json"))


def test_either_form_is_opened_by_content(place: Path) -> None:
    """Which form a file has is told by what is in it, not by its name."""
    write_json(place / "a", everything(), REPORT)
    write_snapshot(place / "b", everything())

    assert as_bytes(open_snapshot(place / "a")) == as_bytes(open_snapshot(place / "b"))
    (place / "c").write_bytes(b"something else")
    with pytest.raises(FormatError, match="it is not a snapshot file of spacemap"):
        open_snapshot(place / "c")


def test_without_entries(place: Path) -> None:
    """A report without entries says that it has none, and how to get them."""
    (place / "x.json").write_bytes(REPORT)

    with pytest.raises(FormatError, match="it carries no entries; write it with `--output FILE.json`"):
        open_snapshot(place / "x.json")


def _outcomes(place: Path, variants: Iterator[tuple[object, bytes]]) -> list[tuple[object, Snapshot]]:
    """Return the variants that were read; the others were refused."""
    path, read = place / "x.json", []
    for key, data in variants:
        path.write_bytes(data)
        with suppress(FormatError):
            read.append((key, read_json(path)))
    return read


def test_truncated_at_every_byte(tmpfs_place: Path) -> None:
    """A document that ends too early is refused, wherever it ends."""
    write_json(tmpfs_place / "whole", several_roots(), REPORT)
    whole = (tmpfs_place / "whole").read_bytes()

    # Without the newline at its end it is whole.
    assert [] == _outcomes(tmpfs_place, ((size, whole[:size]) for size in range(len(whole) - 1)))


def test_flipped_bits(tmpfs_place: Path) -> None:
    """A flipped bit is noticed, unless the same snapshot is still written there."""
    write_json(tmpfs_place / "whole", everything(), REPORT)
    whole = (tmpfs_place / "whole").read_bytes()
    expected = as_bytes(everything())

    def variants() -> Iterator[tuple[object, bytes]]:
        for place in range(len(whole)):
            for bit in (place % 8, (place + 5) % 8):
                yield place, whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]

    read = _outcomes(tmpfs_place, variants())

    assert [] == [place for place, snapshot in read if as_bytes(snapshot) != expected]
    assert [] == [place for place, snapshot in read if snapshot.facts != everything().facts]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("format", 1),
        ("version", "1"),
        ("version", 0),
        ("types", []),
        ("types", {}),
        ("entries", None),
        ("entries", {"name": [1]}),
        ("entries", {"name": ["\\q"]}),
        ("roots", []),
        ("roots", ["/elsewhere"]),
        ("facts", {}),
        ("checksum", 5),
        ("totals", {"disk": [1.5]}),
        ("totals", {"disk": [True, 1, 1, 1, 1]}),
        ("totals", {"disk": [[1]]}),
        ("totals", {"disk": [10**30]}),
        ("links", {"entry": [1, 300]}),
    ],
    ids=str,
)
def test_members_of_a_wrong_kind(place: Path, member: str, value: object) -> None:
    """A document with something else in a place is refused."""
    kept = json.loads(snapshot_json(everything()))
    kept[member] = kept[member] | value if isinstance(value, dict) and value and member != "types" else value
    (place / "x.json").write_text(json.dumps({"schema_version": 1, "snapshot": kept}))

    with pytest.raises(FormatError):
        read_json(place / "x.json")


def test_newer_version(place: Path) -> None:
    """A document of a version to come says to use a newer program."""
    kept = json.loads(snapshot_json(everything())) | {"version": 3}
    (place / "x.json").write_text(json.dumps({"schema_version": 1, "snapshot": kept}))

    with pytest.raises(FormatError, match="it has version 3 of the format, .*; use a newer spacemap"):
        read_json(place / "x.json")


def test_depth_without_end(place: Path) -> None:
    """Brackets without end are refused, not followed."""
    (place / "x.json").write_bytes(b'{"schema_version": 1, "snapshot": ' + b"[" * 1_000_000)

    with pytest.raises(FormatError, match="it is not a JSON document"):
        read_json(place / "x.json")


def test_files_that_cannot_be_read(place: Path) -> None:
    """A pipe is refused at once, and a file that is not there is named."""
    os.mkfifo(place / "pipe")
    for name in ("pipe", "missing"):
        with pytest.raises(SpacemapError, match=name):
            read_json(place / name)


def test_plain_names(place: Path) -> None:
    """Names of ASCII without backslash, which take a shorter way, come back."""
    tree = tree_of({"a": 1, "b": {"c d": 2}})
    _same(snapshot_of(replace(tree, names=memoryview(tree.names))), place / "x.json")
