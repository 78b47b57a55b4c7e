"""The report as JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spacemap.analyze.breakdown import BreakdownOptions, breakdown
from spacemap.analyze.by import By
from spacemap.analyze.categories import default_categories
from spacemap.analyze.top import largest_directories, largest_files
from spacemap.export.json_report import JsonReport, report_json
from spacemap.scan.space import DiskSpace
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.measure import Measure
from spacemap.tree.names import text_to_name
from spacemap.tree.selection import select
from spacemap.tree.snapshot import Completeness
from spacemap.tree.tree import Tree
from tests.trees import Folder, Leaf, snapshot_of, tree_of

TREE = tree_of(
    Folder(
        {
            "a.py": Leaf(1000, disk=4096, inode=9, link_count=3),
            "b.py": Leaf(1000, disk=4096, inode=9, link_count=3),
            b"bad\xff\\\n": 10,
            "gone": Leaf(problem=(Operation.STAT, 2)),
            "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
            "pruned": Folder({}, skip=Skip.PRUNED),
            "sub": {"c.jpg": 5000},
        },
        apparent=60,
        disk=4096,
    )
)


def _report(tree: Tree, measure: Measure = Measure.DISK) -> JsonReport:
    return JsonReport(
        mode="type",
        measure=measure,
        buckets=breakdown(tree, BreakdownOptions(By.TYPE, measure, default_categories(), 1_700_000_000)),
        top_files=largest_files(tree, 2, measure).tolist(),
        top_directories=largest_directories(tree, 1, measure).tolist(),
        disk=DiskSpace(1000, 300, 600),
    )


def test_whole_report() -> None:
    """The report holds totals, buckets, the largest entries, what went wrong, and the facts of the scan."""
    snapshot = snapshot_of(TREE, notes=("a note",), completeness=Completeness.INTERRUPTED)
    data = report_json(snapshot, _report(TREE))
    actual = json.loads(data)
    expected = {
        "schema_version": 1,
        "scanned_path": "/root",
        "scanned_paths": ["/root"],
        "mode": "type",
        "filter": None,
        "totals": {
            "total_bytes": 13824,
            "disk_bytes": 13824,
            "apparent_bytes": 6070,
            "file_count": 5,
            "dir_count": 4,
            "skipped_paths": 3,
            "shared_bytes": 4096,
        },
        "disk_usage": {"total_space": 1000, "available_space": 300, "used_space": 600, "used_percent": 66.67},
        "buckets": [
            {
                "key": "images",
                "label": "Images",
                "bytes": 5120,
                "percent": 37.04,
                "file_count": 1,
                "color": "#5fafd7",
                "representative_extension": "jpg",
            },
            {
                "key": "code",
                "label": "Source code",
                "bytes": 4096,
                "percent": 29.63,
                "file_count": 2,
                "color": "#5f87d7",
                "representative_extension": "py",
            },
            {
                "key": "directories",
                "label": "Directories themselves",
                "bytes": 4096,
                "percent": 29.63,
                "file_count": 0,
                "color": "#6c8ebf",
            },
            {"key": "other", "label": "Other", "bytes": 512, "percent": 3.7, "file_count": 2, "color": "#9e9e9e"},
        ],
        "top_files": [{"path": "/root/sub/c.jpg", "bytes": 5120}, {"path": "/root/a.py", "bytes": 4096}],
        "top_dirs": [{"path": "/root/sub", "bytes": 5120}],
        "warnings": [
            {"path": "/root/gone", "error": "cannot be measured: No such file or directory (ENOENT)"},
            {"path": "/root/secret", "error": "cannot be opened: Permission denied (EACCES)"},
        ],
        "scan": {
            "started": "2023-11-14T22:13:20.123Z",
            "finished": "2023-11-14T22:13:21.623Z",
            "elapsed_seconds": 1.5,
            "engine": "python",
            "workers": 0,
            "requests": 1,
            "options": {"max_depth": None},
            "host": "host",
            "completeness": "interrupted",
            "notes": ["a note"],
            "base": None,
        },
    }

    assert expected == actual
    assert data.endswith(b"}\n")


def test_apparent_size() -> None:
    """With apparent sizes, the total is theirs and both sums are still told."""
    actual = json.loads(report_json(snapshot_of(TREE), _report(TREE, Measure.APPARENT)))["totals"]

    assert (6070, 13824, 6070) == (actual["total_bytes"], actual["disk_bytes"], actual["apparent_bytes"])


def test_names_are_reversible() -> None:
    """A name that is not UTF-8 can be read back from the report to the byte."""
    report = replace(_report(TREE), top_files=[3])
    actual = json.loads(report_json(snapshot_of(TREE), report))["top_files"]

    assert [b"/root/bad\xff\\\n"] == [text_to_name(entry["path"]) for entry in actual]


def test_several_roots() -> None:
    """Several roots hang below a nameless one, which is not counted as a directory."""
    tree = tree_of({"/a": {"x": 1}, "/b": {}}, root="")
    actual = json.loads(report_json(snapshot_of(tree, "/a", "/b"), _report(tree)))

    assert ("/a", ["/a", "/b"], 2) == (actual["scanned_path"], actual["scanned_paths"], actual["totals"]["dir_count"])
    assert [{"path": "/a/x", "bytes": 512}] == actual["top_files"]


def test_no_disk() -> None:
    """A file system that does not tell its space is null, not zero."""
    actual = json.loads(report_json(snapshot_of(TREE), replace(_report(TREE), disk=None)))

    assert actual["disk_usage"] is None


@pytest.mark.parametrize("count", [1, 2, 5])
def test_numbers_beyond_64_bits(count: int) -> None:
    """Sums of sparse giants are exact, also where 64 bits do not hold them."""
    tree = tree_of({str(number): Leaf(2**63 - 1, disk=0) for number in range(count)})
    actual = json.loads(report_json(snapshot_of(tree), _report(tree, Measure.APPARENT)))

    assert count * (2**63 - 1) == actual["totals"]["apparent_bytes"]
    assert count * (2**63 - 1) == actual["buckets"][0]["bytes"]


def test_options_with_raw_bytes() -> None:
    """An option that quotes bytes which are not UTF-8 does not spoil the report."""
    actual = json.loads(report_json(snapshot_of(TREE, options={"exclude": ["\udcff"]}), _report(TREE)))

    assert {"exclude": ["\udcff"]} == actual["scan"]["options"]


def test_filter() -> None:
    """A filter is told with its text and with what matches and what is hidden; bytes in the text are escapes."""
    matching = np.zeros(len(TREE), np.bool_)
    selection = select(TREE, matching)
    applied = selection.applied("name:\udcff\\.x", Measure.DISK)
    document = json.loads(report_json(snapshot_of(selection.tree), replace(_report(TREE), filter=applied)))

    assert 0 == document["totals"]["dir_count"] == document["totals"]["total_bytes"]
    assert {
        "text": "name:\\xff\\.x",
        "matched_entries": 0,
        "matched_bytes": 0,
        "hidden_entries": int(TREE.totals.files[0] + TREE.totals.directories[0]),
        "hidden_bytes": int(TREE.totals.disk[0]),
    } == document["filter"]
