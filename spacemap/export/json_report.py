"""The report as JSON: totals, buckets, the largest entries, and how the scan went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from spacemap.scan.space import DiskSpace
from spacemap.tree.columns import U64
from spacemap.tree.measure import Measure, root_size, sizes, subtree_sizes
from spacemap.tree.names import name_to_text
from spacemap.tree.omissions import describe_problem, omissions
from spacemap.tree.selection import Applied
from spacemap.tree.snapshot import BaseUse, Facts, Snapshot
from spacemap.tree.tree import Tree
from spacemap.units import percent

SCHEMA_VERSION = 1

Json = str | int | float | bool | None | Sequence["Json"] | dict[str, "Json"]


class ReportBucket(Protocol):
    """What a report says of a bucket, whichever analysis made it."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def percent(self) -> float: ...
    @property
    def file_count(self) -> int: ...
    @property
    def color(self) -> str: ...
    @property
    def representative_extension(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class JsonReport:
    """What goes into a report beside the snapshot."""

    mode: str
    """What the buckets tell apart: type, size, age or owner."""
    measure: Measure
    """What `total_bytes` and the bytes of buckets and of the largest entries are."""
    buckets: Sequence[ReportBucket]
    top_files: Sequence[int]
    """Entry ids, the largest first."""
    top_directories: Sequence[int]
    disk: DiskSpace | None
    filter: Applied | None = None
    """What the snapshot's tree was narrowed to; None: it is whole."""


def report_json(snapshot: Snapshot, report: JsonReport) -> bytes:
    """Return the report as one JSON document with a newline; names as `tree.names.name_to_text` writes them."""
    tree = snapshot.tree
    file_sizes = sizes(tree, report.measure, np.array(report.top_files, np.int64))
    roots = [name_to_text(root) for root in snapshot.roots]
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "scanned_path": roots[0],
        "scanned_paths": roots,
        "mode": report.mode,
        "filter": None if report.filter is None else _filter(report.filter),
        "totals": _totals(tree, report),
        "disk_usage": None if report.disk is None else _disk_usage(report.disk),
        "buckets": [_bucket(bucket) for bucket in report.buckets],
        "top_files": _entries(tree, report.top_files, file_sizes),
        "top_dirs": _entries(tree, report.top_directories, _directory_sizes(tree, report)),
        "warnings": _warnings(tree),
        "scan": _scan(snapshot.facts),
    }
    return encoded(document) + b"\n"


def _filter(applied: Applied) -> dict[str, Json]:
    hidden = applied.hidden
    return {
        "text": applied.text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
        "matched_entries": hidden.of_entries - hidden.entries,
        "matched_bytes": hidden.of_bytes - hidden.bytes,
        "hidden_entries": hidden.entries,
        "hidden_bytes": hidden.bytes,
    }


def _totals(tree: Tree, report: JsonReport) -> dict[str, Json]:
    disk, apparent = root_size(tree, Measure.DISK), root_size(tree, Measure.APPARENT)
    # Several roots hang below a nameless one, which is no directory of the file system.
    directories = int(tree.totals.directories[0]) - (not tree.name(0))
    return {
        "total_bytes": disk if report.measure is Measure.DISK else apparent,
        "disk_bytes": disk,
        "apparent_bytes": apparent,
        "file_count": int(tree.totals.files[0]),
        "dir_count": directories if report.filter is None else report.filter.directories,
        "skipped_paths": omissions(tree).paths,
        "shared_bytes": int(tree.totals.shared[0]),
    }


def _disk_usage(disk: DiskSpace) -> dict[str, Json]:
    return {
        "total_space": disk.total,
        "available_space": disk.available,
        "used_space": disk.used,
        "used_percent": percent(disk.used, disk.used + disk.available),
    }


def _bucket(bucket: ReportBucket) -> dict[str, Json]:
    result: dict[str, Json] = {
        "key": bucket.key,
        "label": bucket.label,
        "bytes": bucket.bytes,
        "percent": bucket.percent,
        "file_count": bucket.file_count,
        "color": bucket.color,
    }
    if bucket.representative_extension is not None:
        result["representative_extension"] = bucket.representative_extension
    return result


def _entries(tree: Tree, ids: Sequence[int], values: U64) -> list[Json]:
    return [
        {"path": name_to_text(tree.path(entry)), "bytes": value}
        for entry, value in zip(ids, values.tolist(), strict=True)
    ]


def _directory_sizes(tree: Tree, report: JsonReport) -> U64:
    rows = [tree.directory_row(entry) for entry in report.top_directories]
    return subtree_sizes(tree, report.measure)[np.array(rows, np.int64)]


def _warnings(tree: Tree) -> list[Json]:
    problems = tree.problems
    return [
        {"path": name_to_text(tree.path(entry)), "error": describe_problem(operation, number)}
        for entry, operation, number in zip(
            problems.entry.tolist(), problems.operation.tolist(), problems.errno.tolist(), strict=True
        )
    ]


def _scan(facts: Facts) -> dict[str, Json]:
    return {
        "started": _moment(facts.started_ns),
        "finished": _moment(facts.finished_ns),
        "elapsed_seconds": round(facts.elapsed_ns / 1e9, 3),
        "engine": facts.engine,
        "workers": facts.workers,
        "requests": facts.requests,
        "options": {**facts.options},
        "host": facts.host,
        "completeness": facts.completeness.value,
        "notes": list(facts.notes),
        "base": None if facts.base is None else _base(facts.base),
    }


def _base(base: BaseUse) -> dict[str, Json]:
    return {
        "level": base.level,
        "started": _moment(base.started_ns),
        "kept_directories": base.kept_directories,
        "trusted_entries": base.trusted_entries,
        "trusted_bytes": base.trusted_bytes,
    }


def _moment(nanoseconds: int) -> str:
    """Return a moment as RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03}Z"


def encoded(document: dict[str, Json]) -> bytes:
    """Return a document as JSON, indented; numbers beyond 64 bits stay numbers."""
    import orjson  # noqa: PLC0415  5 ms that a report for people does not need

    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:
        # Sums of sparse giants go beyond 64 bits, and options may quote bytes that are not UTF-8.
        import json  # noqa: PLC0415  3 ms that almost no report needs

        return json.dumps(document, indent=2).encode("ascii")
