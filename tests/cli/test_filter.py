"""--filter: reports of what matches on real trees, from files and from the cache, and what they say is hidden."""

import json
import os
from pathlib import Path

import pytest

import spacemap as library
from spacemap.errors import ExitCode
from spacemap.scan import ScanOptions, Times
from tests.cli.test_browser import Terminal
from tests.scan.processes import run_python, spacemap

FILES = {"a/film.mkv": 3 << 20, "a/notes.txt": 100_000, "b/deep/song.mp3": 200_000, "b/x.py": 500, "z.log": 70_000}

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree with a hard link and an old file."""
    root = place / "tree"
    for name, size in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * size)
    os.link(root / "a/film.mkv", root / "b/same.mkv")
    os.utime(root / "z.log", (1e9, 1e9))
    return root


def _report(*words: str | Path) -> dict[str, dict[str, object]]:
    result = spacemap("--json", *words)
    assert (0, b"") == (result.returncode, result.stderr)
    document: dict[str, dict[str, object]] = json.loads(result.stdout)
    return document


def _disk(path: Path) -> int:
    return path.lstat().st_blocks * 512


def test_report_is_of_what_matches(tree: Path) -> None:
    """Totals, buckets and the largest are of what matches, a hard link counts once, and what is hidden is told."""
    whole = _report(tree)["totals"]
    report = _report("--filter", "size>90K kind:file", tree)
    matched = [tree / "a/film.mkv", tree / "a/notes.txt", tree / "b/deep/song.mp3"]
    size = sum(map(_disk, matched))
    entries = whole["file_count"] + whole["dir_count"]

    assert {
        "text": "size>90K kind:file",
        "matched_entries": 4,
        "matched_bytes": size,
        "hidden_entries": entries - 4,
        "hidden_bytes": whole["total_bytes"] - size,
    } == report["filter"]
    totals = report["totals"]
    assert (size, 4, 0) == (totals["total_bytes"], totals["file_count"], totals["dir_count"])
    assert {"videos": 2, "documents": 1, "audio": 1} == {b["key"]: b["file_count"] for b in report["buckets"]}
    assert size == sum(bucket["bytes"] for bucket in report["buckets"])
    assert list(map(str, sorted(matched, key=_disk, reverse=True))) == [each["path"] for each in report["top_files"]]
    largest = {each["path"]: each["bytes"] for each in report["top_dirs"]}
    assert _disk(matched[0]) + _disk(matched[1]) == largest[str(tree / "a")]
    assert _disk(matched[2]) == largest[str(tree / "b/deep")]


def test_without_a_filter() -> None:
    """A report of everything has no filter."""
    assert _report("/proc/self/task")["filter"] is None


def test_text(tree: Path) -> None:
    """The report says in its head how much of how much is hidden, and lists only what matches."""
    lines = spacemap("-v", "--filter", "name:*.py | name:z*", tree).stdout.decode().splitlines()
    size = sum(_disk(tree / name) for name in ("b/x.py", "z.log"))

    assert f"{size / 1024:.1f} KiB disk usage in 2 files, 0 directories" in lines[1]
    assert "Filter name:*.py | name:z* hides 8 of 10 entries, 3.3 MiB of 3.4 MiB" in lines
    paths = [line.split()[-1] for line in lines if line.endswith((".py", ".log", ".mkv", ".mp3", "/a", "/b"))]
    assert [f"{tree}/z.log", f"{tree}/b/x.py", f"{tree}/b"] == paths


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("age>1y", 1),
        ("modified<2002", 1),
        ("-ext:mkv,mp3 kind:file", 3),
        ("not links=1 kind:file", 2),
        ("path:b/** kind:file", 3),
        ("type:video or type:audio", 3),
        ("flag:hardlink", 2),
        ("size>1Y", 0),
    ],
)
def test_as_from_a_file_and_from_the_cache(place: Path, tree: Path, text: str, files: int) -> None:
    """A filter finds the same in a scan, in both forms of a file, and in a cached scan."""
    for name in ("x.smap", "x.json"):
        assert 0 == spacemap("--output", place / name, tree).returncode
    cached = ("--cached", "--cache-dir", place / "cache", tree)
    spacemap(*cached)
    trusted = ("--cached=trust", "--cache-dir", place / "cache", tree)
    subjects = ((tree,), (place / "x.smap",), (place / "x.json",), cached, trusted)
    reports = [_report("--filter", text, *subject) for subject in subjects]

    assert [files] * len(subjects) == [report["totals"]["file_count"] for report in reports]
    assert all(report["filter"] == reports[0]["filter"] for report in reports)


def test_summary(place: Path, tree: Path) -> None:
    """The summary is of what matches, of a scan and of a file, and says what is hidden."""
    spacemap("--output", place / "x.smap", tree)
    for subject in (tree, place / "x.smap"):
        result = spacemap("--summary", "--filter", "ext:py", subject)

        assert (
            f"{_disk(tree / 'b/x.py') / 1024:.1f} KiB disk usage in 1 file, 0 directories; "
            "filter ext:py hides 9 of 10 entries, 3.4 MiB of 3.4 MiB"
        ) == result.stdout.decode().splitlines()[1]


def test_apparent_size(tree: Path) -> None:
    """`size` asks for what is added up."""
    os.truncate(tree / "z.log", 1 << 30)
    words = ("--filter", "size>=1G kind:file", tree)

    assert [0, 1] == [_report(*more, *words)["totals"]["file_count"] for more in ([], ["--apparent-size"])]


def test_report_file(place: Path, tree: Path) -> None:
    """A report without entries can be filtered into a file."""
    spacemap("--output", place / "r.json", "--summary-only", "--filter", "ext:py", tree)

    assert 1 == json.loads((place / "r.json").read_bytes())["totals"]["file_count"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--filter", "siz>1"], "filter, at 1: there is no term 'siz'; there are size, disk"),
        (["--filter", ""], "filter, at 1: it is empty"),
        (["--filter", "-"], "filter, at 2: a term is missing here"),
        (["--filter", "type:film"], "filter, at 6: there is no type 'film'; there are images"),
        (["--filter", "ext:py", "--output", "y.smap"], "--filter is for reports, and 'y.smap' keeps every entry"),
        (["--filter", "ext:py", "--output", "y.json"], "leave one out, or add --summary-only"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage(tree: Path, words: list[str], message: str) -> None:
    """A filter that cannot be read, or that contradicts what is asked for, is one line and status 2."""
    result = spacemap(*words, tree)

    assert (2, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
    assert message in result.stderr.decode()


def test_a_mistake_costs_nothing(tree: Path) -> None:
    """A filter that cannot be read is told of before anything heavy is imported, let alone scanned."""
    program = "import sys; from spacemap.cli.main import main; main(sys.argv[1:]); print(sorted(sys.modules))"
    modules = run_python(program, "--filter", "size>x", tree).stdout.decode()

    assert "'spacemap.analyze.query'" in modules
    assert [] == [name for name in ("numpy", "rich", "textual") if f"'{name}'" in modules]


def test_ages_without_times(place: Path, tree: Path) -> None:
    """Ages are not asked of a snapshot that was scanned without times, neither in a report nor in the browser."""
    library.write_snapshot(place / "y.smap", library.scan([tree], ScanOptions(times=Times.LEAVE)))
    result = spacemap("--filter", "age>1d", place / "y.smap")

    assert (2, b"") == (result.returncode, result.stdout)
    assert b"age and modified need times, and this was scanned without them; scan again\n" in result.stderr
    with Terminal("--filter", "age>1d", place / "y.smap") as terminal:
        assert ExitCode.USAGE == terminal.end()


def test_owners_of_a_file_that_has_none() -> None:
    """Owners are not asked of a file from before they were kept, neither in a report nor in the browser."""
    kept = FORMATS / "v1.smap"
    result = spacemap("--filter", "owner:0", kept)

    assert (2, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
    assert b"filter, at 7: this was scanned before owners were kept" in result.stderr
    with Terminal("--filter", "owner:0", kept) as terminal:
        assert ExitCode.USAGE == terminal.end()


def test_times_are_read_for_ages(tree: Path) -> None:
    """A scan that would leave times out reads them when the filter needs them."""
    result = _report("--max-memory", "1G", "--filter", "age>1y", tree)

    assert "read" == result["scan"]["options"]["times"]
    assert 1 == result["totals"]["file_count"]


def test_the_browser_begins_with_the_filter(tree: Path) -> None:
    """On a terminal, --filter opens the browser on what matches."""
    with Terminal("--filter", "ext:py", tree, TERM="xterm-256color") as terminal:
        terminal.wait_for(b"filter hides")
        terminal.press(b"q")
        assert ExitCode.COMPLETE == terminal.end()
