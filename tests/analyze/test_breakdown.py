"""Buckets of a tree: what falls where, and sums that are exact."""

import os
from dataclasses import replace
from pwd import getpwuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze import breakdown as breakdown_module
from spacemap.analyze.breakdown import BreakdownOptions, Bucket, breakdown
from spacemap.analyze.by import By, parse_age_bounds, parse_size_bounds
from spacemap.analyze.categories import default_categories
from spacemap.analyze.owner import naming_owners
from spacemap.errors import UsageError
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.measure import Measure, root_size
from spacemap.tree.owners import UNKNOWN_OWNER
from spacemap.tree.tree import Tree
from spacemap.units import Units
from tests.trees import Folder, Leaf, Spec, tree_of

NOW = 1_700_000_000
DAY = 86_400
OPTIONS = BreakdownOptions(By.TYPE, Measure.DISK, default_categories(), NOW)


def _sums(buckets: tuple[Bucket, ...]) -> dict[str, tuple[int, int]]:
    return {bucket.key: (bucket.bytes, bucket.file_count) for bucket in buckets}


def test_by_type() -> None:
    """Categories come by falling bytes, each inode counted once and every link as a file."""
    tree = tree_of(
        Folder(
            {
                "a.jpg": Leaf(5000, inode=7),
                "b.png": Leaf(5000, inode=7),
                "c.py": 100,
                "d": Folder({"link": Leaf(5, kind=Kind.SYMLINK)}, apparent=60, disk=4096),
                "": Leaf(900, folded_files=12),
            },
            apparent=40,
            disk=4096,
        )
    )
    actual = breakdown(tree, OPTIONS)

    assert [
        Bucket("directories", "Directories themselves", 8192, 53.33, 0, "#6c8ebf", None),
        Bucket("images", "Images", 5120, 33.33, 2, "#5fafd7", "jpg"),
        Bucket("folded", "Small files, folded", 1024, 6.67, 12, "#585858", None),
        Bucket("code", "Source code", 512, 3.33, 1, "#5f87d7", "py"),
        Bucket("links", "Links and devices", 512, 3.33, 1, "#767676", None),
    ] == list(actual)


def test_extension_color() -> None:
    """A bucket has the colour set for the extension that stands for it."""
    actual = breakdown(tree_of({"a.png": 1}), replace(OPTIONS, extension_colors={"jpg": "red"}))

    assert "red" == actual[0].color


def test_by_size() -> None:
    """A file is in the range that begins at or below its bytes and ends above them."""
    tree = tree_of(
        {"a": 0, "b": 1023, "c": 1024, "d": 4096, "e": Leaf(flags=Flag.UNMEASURED), "f": {"": Leaf(9, folded_files=2)}}
    )
    options = replace(OPTIONS, by=By.SIZE, measure=Measure.APPARENT, size_bounds=(1024, 4096))
    actual = breakdown(tree, options)

    assert {
        "0-1024": (1023, 2),
        "1024-4096": (1024, 1),
        "4096-": (4096, 1),
        "unknown": (0, 1),
        "folded": (9, 2),
    } == _sums(actual)
    assert ["Under 1 KiB", "1 KiB to 4 KiB", "4 KiB and more"] == [bucket.label for bucket in actual[:3]]


def test_size_labels_follow_units() -> None:
    """The labels of ranges are in the units of the report."""
    options = replace(OPTIONS, by=By.SIZE, size_bounds=(1_000_000,), units=Units.SI)
    actual = [bucket.label for bucket in breakdown(tree_of({}), options)]

    assert ["Under 1 MB", "1 MB and more"] == actual


def test_by_age() -> None:
    """A file is as old as its last modification; what is newer than now is told apart."""
    tree = tree_of(
        {
            "now": Leaf(1, mtime=NOW),
            "day": Leaf(2, mtime=NOW - DAY),
            "almost": Leaf(4, mtime=NOW - DAY + 1),
            "old": Leaf(8, mtime=-(2**40)),
            "future": Leaf(16, mtime=NOW + 1),
            "far": Leaf(32, mtime=2**40),
            "unmeasured": Leaf(flags=Flag.UNMEASURED),
        }
    )
    options = replace(OPTIONS, by=By.AGE, measure=Measure.APPARENT, age_bounds=(DAY, 365 * DAY))
    actual = breakdown(tree, options)

    assert {
        "0-86400": (5, 2),
        "86400-31536000": (2, 1),
        "31536000-": (8, 1),
        "future": (48, 2),
        "unknown": (0, 1),
    } == _sums(actual)
    assert ["Under 1 day", "1 day to 1 year", "1 year and more"] == [bucket.label for bucket in actual[:3]]


def test_by_owner() -> None:
    """Each owner has what is his, directories with it, and files folded; whose nobody asked for is unknown."""
    tree = tree_of(
        Folder(
            {
                "a": Leaf(5000, owner=7, inode=9),
                "b": Leaf(5000, owner=7, inode=9),
                "d": Folder({"": Leaf(900, owner=7, folded_files=12)}, disk=4096, owner=8),
                "x": Folder({}, owner=UNKNOWN_OWNER, skip=Skip.EXCLUDED),
                "y": Leaf(owner=UNKNOWN_OWNER, flags=Flag.UNMEASURED),
            },
            disk=512,
            owner=7,
        )
    )
    actual = breakdown(tree, replace(OPTIONS, by=By.OWNER, name_owner={7: "ana", 8: "8"}.__getitem__))

    assert [("7", "ana", 6656, 14), ("8", "8", 4096, 0), ("unknown", "Unknown", 0, 1)] == [
        (bucket.key, bucket.label, bucket.bytes, bucket.file_count) for bucket in actual
    ]
    assert 3 == len({bucket.color for bucket in actual})


def test_more_owners_than_a_byte_counts() -> None:
    """Any number of owners can be told apart."""
    tree = tree_of({f"{uid}": Leaf(uid, owner=uid) for uid in range(1000, 1700)})
    actual = breakdown(tree, replace(OPTIONS, by=By.OWNER, measure=Measure.APPARENT, name_owner=str))

    assert {str(uid): (uid, 1) for uid in range(1000, 1700)} == _sums(actual)


def test_names_of_owners() -> None:
    """A user of this machine has a name, any other a number, and so has every user of another machine."""
    here, elsewhere = naming_owners(os.uname().nodename), naming_owners("another host")

    assert (getpwuid(0).pw_name, "4294967294") == (here(0), here(4294967294))
    assert "0" == elsewhere(0)


_LEAVES = st.builds(
    Leaf,
    apparent=st.one_of(st.integers(0, 10**6), st.sampled_from([2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1])),
    disk=st.integers(0, 2**30).map(lambda blocks: blocks * 512),
    mtime=st.integers(NOW - 10**9, NOW + 10**6),
    inode=st.one_of(st.none(), st.integers(1, 3)),
    kind=st.sampled_from([Kind.FILE, Kind.FILE, Kind.SYMLINK, Kind.OTHER]),
    owner=st.sampled_from([0, 0, 1000]),
).map(lambda leaf: leaf if leaf.inode is None else replace(leaf, apparent=77, disk=1024, kind=Kind.FILE))
_SPECS = st.recursive(
    st.dictionaries(st.sampled_from(["a.py", "b.jpg", "c", "d.log"]), _LEAVES),
    lambda inner: st.dictionaries(st.sampled_from(["a.py", "x", "y"]), st.one_of(_LEAVES, inner), max_size=3),
)


@given(_SPECS, st.sampled_from(By), st.sampled_from(Measure))
def test_buckets_add_up(spec: dict[str, Spec], by: By, measure: Measure) -> None:
    """In every mode the buckets add up to the totals of the root."""
    tree = tree_of(spec)
    actual = breakdown(tree, replace(OPTIONS, by=by, measure=measure))
    total = tree.totals.disk if measure is Measure.DISK else tree.totals.apparent

    assert int(total[0]) == sum(bucket.bytes for bucket in actual) % 2**64
    assert root_size(tree, measure) == sum(bucket.bytes for bucket in actual)
    assert int(tree.totals.files[0]) == sum(bucket.file_count for bucket in actual)


@pytest.mark.parametrize("by", By)
def test_sparse_giants(by: By) -> None:
    """Sums beyond 64 bits are exact."""
    tree = tree_of({f"{number}.bin": Leaf(2**63 - 1, disk=0, mtime=NOW) for number in range(5)} | {"a.bin": 1})
    actual = breakdown(tree, replace(OPTIONS, by=by, measure=Measure.APPARENT))

    assert 5 * (2**63 - 1) + 1 == sum(bucket.bytes for bucket in actual)
    assert 5 * (2**63 - 1) + 1 == root_size(tree, Measure.APPARENT)


def test_chunks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many entries are summed in one go changes nothing."""
    tree: Tree = tree_of({f"{number}.py": number * 1000 for number in range(100)})
    expected = breakdown(tree, OPTIONS)
    monkeypatch.setattr(breakdown_module, "_CHUNK", 7)
    actual = breakdown(tree, OPTIONS)

    assert expected == actual


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("1M,10M,100M", (2**20, 10 * 2**20, 100 * 2**20)), ("4096", (4096,)), ("1k, 1MB", (1024, 10**6))],
)
def test_parse_size_bounds(text: str, bounds: tuple[int, ...]) -> None:
    """Boundaries of ranges are sizes between commas."""
    actual = parse_size_bounds(text)

    assert bounds == actual


def test_parse_age_bounds() -> None:
    """Boundaries of ages are ages between commas."""
    actual = parse_age_bounds("30d,90d,1y")

    assert (30 * DAY, 90 * DAY, 365 * DAY) == actual


@pytest.mark.parametrize("text", ["", "1M,", "2M,1M", "1M,1M", "0", "8E", ",".join(map(str, range(1, 200)))])
def test_bad_bounds(text: str) -> None:
    """Boundaries that do not ascend, or are none, are refused."""
    with pytest.raises(UsageError):
        parse_size_bounds(text)


def test_narrow_columns() -> None:
    """Columns of any unsigned type are summed without overflow."""
    tree = tree_of({f"{number}.py": 255 for number in range(300)})
    narrow = replace(tree, apparent_size=tree.apparent_size.astype(np.uint8))
    actual = breakdown(narrow, replace(OPTIONS, measure=Measure.APPARENT))

    assert {"code": (76_500, 300)} == {key: value for key, value in _sums(actual).items() if value[1]}
