"""Snapshots on the command line: written, reported from, and written in another form."""

import json
import re
from pathlib import Path

import pytest

import spacemap as library
from spacemap.scan import ScanOptions, Times
from tests.scan.comparison import as_bytes
from tests.scan.processes import run_python, spacemap
from tests.scan.specs import make_tree, read_spec


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree with odd names."""
    return make_tree(place / "tree", read_spec("hostile"))


@pytest.fixture
def kept(place: Path, tree: Path) -> Path:
    """Return a snapshot of that tree, written by the command."""
    result = spacemap("--output", place / "x.smap", tree)
    assert (0, b"", b"") == (result.returncode, result.stdout, result.stderr)
    return place / "x.smap"


def test_file_holds_what_a_scan_finds(tree: Path, kept: Path) -> None:
    """The file holds the tree with its times, though a report by type needs none."""
    assert as_bytes(library.scan([tree])) == as_bytes(library.open_snapshot(kept))


def test_report_from_a_file(tree: Path, kept: Path) -> None:
    """A report from a file is that of the scan, but for a line that says where it is from and how old."""
    expected = spacemap("-v", tree).stdout.decode().splitlines()
    result = spacemap("-v", kept)
    actual = result.stdout.decode().splitlines()

    assert 0 == result.returncode
    assert re.fullmatch(rf"As of \d+-\d\d-\d\d \d\d:\d\d, just now, from {re.escape(str(kept))}", actual[1])
    assert [line for line in expected[3:] if "Disk:" not in line] == actual[3:]


def test_json_from_a_file(tree: Path, kept: Path) -> None:
    """JSON from a file has the totals of the scan, and no disk: that one is of now, not of then."""
    expected, actual = (json.loads(spacemap("--json", path).stdout) for path in (tree, kept))

    assert expected["totals"] == actual["totals"]
    assert expected["buckets"] == actual["buckets"]
    assert actual["disk_usage"] is None


@pytest.mark.parametrize("by", ["age", "size", "owner"])
def test_other_reports_from_a_file(tree: Path, kept: Path, by: str) -> None:
    """Sizes and ages are told apart from a file as from a scan."""
    expected, actual = (json.loads(spacemap("--by", by, "--json", path).stdout) for path in (tree, kept))

    assert [bucket["file_count"] for bucket in expected["buckets"]] == [b["file_count"] for b in actual["buckets"]]


def test_summary(tree: Path, kept: Path) -> None:
    """The summary is two lines, of a scan or of a file of either form."""
    scanned = spacemap("--summary", tree).stdout.decode().splitlines()
    spacemap("--output", kept.with_name("x.json"), kept)

    assert str(tree) == scanned[0]
    for path in (kept, kept.with_name("x.json")):
        actual = spacemap("--summary", path).stdout.decode().splitlines()

        assert (2, scanned[1]) == (len(actual), actual[1])
        assert actual[0].startswith(f"{tree} (as of ")
        assert actual[0].endswith(f", just now, from {path})")


def test_conversion(kept: Path) -> None:
    """A file becomes JSON and a snapshot again without losing a bit."""
    other, again = kept.with_name("x.json"), kept.with_name("y.smap")
    for source, target in ((kept, other), (other, again)):
        assert 0 == spacemap("--output", target, source).returncode

    assert kept.read_bytes() == again.read_bytes()
    assert as_bytes(library.open_snapshot(kept)) == as_bytes(library.open_snapshot(other))


def test_json_with_and_without_entries(place: Path, tree: Path) -> None:
    """FILE.json carries every entry, with --summary-only none; any other name gets the report alone."""
    spacemap("--output", place / "a.json", tree)
    spacemap("--output", place / "b.json", "--summary-only", tree)
    spacemap("--output", place / "c", tree)
    documents = [json.loads((place / name).read_bytes()) for name in ("a.json", "b.json", "c")]

    assert [True, False, False] == ["snapshot" in document for document in documents]
    assert documents[1]["totals"] == documents[0]["totals"] == documents[2]["totals"]
    assert as_bytes(library.scan([tree])) == as_bytes(library.open_snapshot(place / "a.json"))


def test_file_is_replaced(tree: Path, kept: Path) -> None:
    """Writing onto a file that is there replaces it, also when it is the one that is read."""
    before = kept.read_bytes()

    assert 0 == spacemap("--output", kept, kept).returncode
    assert before == kept.read_bytes()
    assert 0 == spacemap("--output", kept, tree / "~").returncode
    assert before != kept.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-x"], "-x is for a scan"),
        (["--engine", "python"], "--engine is for a scan"),
        (["--exclude", "a"], "--exclude is for a scan"),
        (["--max-depth", "3"], "--max-depth is for a scan"),
        (["--prune", "a"], "--prune is for a scan"),
        (["/"], "is a snapshot, which is reported from alone"),
        (["--summary", "--json"], "--summary and --json contradict each other"),
        (["--summary-only"], "name a file with --output FILE.json"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_usage(kept: Path, words: list[str], message: str) -> None:
    """What makes no sense for a file that is already scanned is an error that names it, status 2."""
    result = spacemap(kept, *words)

    assert (2, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
    assert message in result.stderr.decode()


def test_ages_without_times(place: Path, tree: Path) -> None:
    """A snapshot that was scanned without times has no ages, and says so."""
    library.write_snapshot(place / "y.smap", library.scan([tree], ScanOptions(times=Times.LEAVE)))
    result = spacemap("--by", "age", place / "y.smap")

    assert (2, b"") == (result.returncode, result.stdout)
    assert b"was scanned without times; scan again, or choose another --by\n" in result.stderr


@pytest.mark.parametrize("words", [[], ["--summary"], ["--json"]], ids=str)
@pytest.mark.parametrize("content", [b"", b"foreign", None], ids=["empty", "foreign", "cut"])
def test_damaged_file(kept: Path, words: list[str], content: bytes | None) -> None:
    """A damaged file is one line on stderr and status 3, never a number."""
    kept.write_bytes(kept.read_bytes()[:-100] if content is None else content)
    result = spacemap(kept, *words)

    assert (3, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
    assert result.stderr.startswith(f"spacemap: {str(kept)!r}: ".encode())


def test_incomplete_snapshot(place: Path) -> None:
    """A snapshot with something missing gives status 1, as its scan did."""
    snapshot = library.open_snapshot(Path(__file__).parents[2] / "fixtures" / "formats" / "v1.smap")
    library.write_snapshot(place / "x.smap", snapshot)
    result = spacemap("--summary", place / "x.smap")

    assert 1 == result.returncode
    assert b"; partial: the scan was interrupted; 2 paths could not be read; earlier scan of " in result.stdout


def test_directory_of_that_name_is_scanned(place: Path) -> None:
    """A directory that is called like a snapshot is one to scan."""
    (place / "x.smap").mkdir()

    assert spacemap(place / "x.smap").stdout.decode().splitlines()[1].startswith("4.0 KiB disk usage in 0 files")


def test_summary_imports_nothing_heavy(kept: Path) -> None:
    """Totals from a file come without numpy, rich and textual: what these cost would be most of the time."""
    program = "import sys; from spacemap.cli.main import main; main(sys.argv[1:]); print(sorted(sys.modules))"
    modules = run_python(program, "--summary", kept).stdout.decode().splitlines()[2]

    assert [] == [name for name in ("numpy", "rich", "textual") if f"'{name}'" in modules]
    assert "'spacemap.store.snapshot'" in modules
