"""--find-duplicates as a command: every list, names of all kinds, filters, exit statuses, unreadable files, peers."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from spacemap.analyze.duplicates import Progress
from spacemap.cli.duplicate_report import describe_progress
from spacemap.errors import ExitCode
from spacemap.render.text import cell_width
from spacemap.tree.names import name_to_text, text_to_name
from spacemap.units import Units
from tests.analyze.finding import Sets, oracle, write
from tests.scan.processes import COMMAND, spacemap, start_spacemap
from tests.scan.test_permissions import NOBODY, as_user, can_run

HOSTILE = [
    b"new\nline",
    b"tab\t",
    b"\x1b[31mred",
    b"\xff\xfe",
    b"'quote\"",
    b"$(x)",
    b"a,b;c",
    b" blank ",
    b"\xe2\x80\xae",
    b"-x",
]


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree with pairs of files, a pair of directories and empty files."""
    for name in ("a/video.mkv", "b/copy.mkv"):
        write(place / "tree" / name, b"v" * 300_000)
    for name in ("a/notes.txt", "b/notes.txt", "c/notes.txt"):
        write(place / "tree" / name, b"n" * 5000)
    for name in ("one/x", "one/y", "two/x", "two/y"):
        write(place / "tree/dirs" / name, name[-1:].encode() * 20_000)
    (place / "tree/empty").touch()
    return place / "tree"


def _json(*words: str | Path) -> dict[str, object]:
    result = spacemap("--find-duplicates", "--no-hashes", "--json", *words)
    assert (0, b"") == (result.returncode, result.stderr)
    document: dict[str, object] = json.loads(result.stdout)
    return document


def _lines(*words: str | Path) -> list[str]:
    result = spacemap("--find-duplicates", "--no-hashes", *words)
    assert (0, b"") == (result.returncode, result.stderr)
    return result.stdout.decode().splitlines()


def test_json(tree: Path) -> None:
    """JSON has groups with the most waste first, directories as one finding, sums, and empty files apart."""
    report = _json(tree)
    groups, (directories,) = report["duplicates"], report["duplicate_directories"]

    assert [300_000, 5000] == [group["size"] for group in groups]
    assert [{str(tree / "a/video.mkv"), str(tree / "b/copy.mkv")}, 3] == [
        set(groups[0]["paths"]),
        len(groups[1]["paths"]),
    ]
    assert "compared" == groups[0]["proof"]
    assert os.stat(tree / "a/video.mkv").st_ino == groups[0]["inodes"][0]["inode"]
    assert ([str(tree / "dirs/one"), str(tree / "dirs/two")], 2, 40_000) == (
        directories["paths"],
        directories["files"],
        directories["size"],
    )
    wasted = sum(group["wasted_space"] for group in [*groups, directories])
    assert wasted == report["totals"]["wasted_space"]
    assert [str(tree / "empty")] == report["empty_files"]
    assert {"videos", "documents", "other"} == {row["key"] for row in report["by_category"]}
    assert {str(tree / "a"), str(tree / "b")} == set(report["by_directory"][0]["paths"])


def test_hash_is_that_of_xxhsum(tree: Path) -> None:
    """The hash of a group is XXH3 with 128 bits of the whole content."""
    from xxhash import xxh3_128_hexdigest

    hashes = [group["hash"] for group in _json(tree)["duplicates"]]

    assert [xxh3_128_hexdigest(b"v" * 300_000), xxh3_128_hexdigest(b"n" * 5000)] == hashes


def test_text(tree: Path) -> None:
    """The list for people begins with what is wasted, and says what is not in it."""
    lines = _lines("--top", "1", tree)

    assert str(tree) == lines[0]
    assert lines[1].endswith("wasted by 5 copies of 4 files")
    assert f"  {tree}/a/video.mkv" in lines
    assert f"  {tree}/dirs/one" in lines
    assert "1 more group (--top N lists N)" in lines
    assert "1 empty file, which waste nothing" in lines


def test_narrow_lines(tree: Path) -> None:
    """A path in a pipe stays whole, and no other line is wider than the columns there are; nothing has colours."""
    result = spacemap("--find-duplicates", "--no-hashes", tree, COLUMNS="40")
    lines = result.stdout.decode().splitlines()

    assert b"\x1b" not in result.stdout
    assert any(line.strip() == f"{tree}/dirs/two" for line in lines)


def test_hostile_names_in_every_list(place: Path) -> None:
    """Whatever names hold, JSON and CSV give them back, lines of text are inert, and fdupes' lines are raw."""
    root = os.fsencode(place / "tree")
    os.mkdir(root)
    for name in HOSTILE:
        with open(os.path.join(root, name), "wb") as file:
            file.write(b"x" * 4000)
    expected = {os.path.join(root, name) for name in HOSTILE}
    words = ("--find-duplicates", "--no-hashes", place / "tree")
    (group,) = _json(place / "tree")["duplicates"]
    rows = list(csv.DictReader(io.StringIO(spacemap(*words, "--csv").stdout.decode(), newline="")))
    text = spacemap(*words, "-v").stdout
    plain = spacemap(*words, "--fdupes").stdout

    assert expected == {text_to_name(path) for path in group["paths"]}
    assert expected == {text_to_name(row["path"]) for row in rows}
    assert text.isascii()
    assert not set(text) & set(range(32)) - {10}
    assert expected - {os.path.join(root, b"new\nline")} == set(plain.removesuffix(b"\n\n").split(b"\n"))


def test_lists_go_to_files(tree: Path, place: Path) -> None:
    """--output takes what would be printed; JSON when no other list is asked for."""
    spacemap("--find-duplicates", "--no-hashes", "--output", place / "list.json", tree)
    spacemap("--find-duplicates", "--no-hashes", "--csv", "--output", place / "list.csv", tree)

    assert 2 == len(json.loads((place / "list.json").read_bytes())["duplicates"])
    assert b"group,size" == (place / "list.csv").read_bytes()[:10]


def test_filter(tree: Path) -> None:
    """Only what a filter lets through is compared."""
    report = _json("--filter", "name:*.mkv", tree)

    assert [300_000] == [group["size"] for group in report["duplicates"]]
    assert 2 == report["totals"]["candidates"]


def test_filter_measures_as_everything_does(tree: Path) -> None:
    """Sizes in a filter are what the command line, or the configuration, says: of a file of holes, nothing or its
    length."""
    for name in ("one", "two"):
        with open(write(tree / "holes" / name, b""), "wb") as file:
            file.truncate(1 << 20)
    config = write(tree.parent / "config.toml", b"[display]\napparent_size = true\n")
    words = ("--filter", "size>900K", tree)

    assert [] == _json(*words)["duplicates"]
    assert _json("--apparent-size", *words)["duplicates"] == _json("--config", config, *words)["duplicates"] != []


def test_kept_scans_are_compared_with_what_is_there(tree: Path, place: Path) -> None:
    """From FILE.smap the files are opened where they were; what changed since is left out and told."""
    spacemap("--output", place / "scan.smap", tree)
    write(tree / "a/video.mkv", b"w" * 300_000)
    (tree / "a/video.mkv").rename(tree / "a/moved")
    result = spacemap("--find-duplicates", "--no-hashes", "--json", place / "scan.smap")
    report = json.loads(result.stdout)

    assert ExitCode.INCOMPLETE == result.returncode
    assert [5000] == [group["size"] for group in report["duplicates"]]
    assert [(str(tree / "a/video.mkv"), "changed")] == [(e["path"], e["reason"]) for e in report["not_compared"]]


@pytest.mark.skipif(not can_run(), reason="an ordinary user cannot read the interpreter or this checkout")
def test_unreadable_files(tmpfs_place: Path) -> None:
    """Files that may not be read are counted, listed with -v, and make the exit status 1."""
    tmpfs_place.chmod(0o755)
    for name in ("a", "b", "c"):
        write(tmpfs_place / "tree" / name, b"x" * 5000)
        (tmpfs_place / "tree" / name).chmod(0o644)
    (tmpfs_place / "tree/c").chmod(0)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", str(NOBODY), tmpfs_place / "tree"], check=True)
    result = as_user([*COMMAND, "--find-duplicates", "--no-hashes", "--quiet", "-v", tmpfs_place / "tree"])
    text = result.stdout.decode()

    assert (ExitCode.INCOMPLETE, b"") == (result.returncode, result.stderr)
    assert "2 equal files of 4.9 KiB" in text
    assert text.endswith(f"1 file could not be read\n  {tmpfs_place}/tree/c\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--min-size", "1K"], "--min-size is for --find-duplicates"),
        (["--find-duplicates", "--summary"], "--summary is not for --find-duplicates"),
        (["--find-duplicates", "--csv", "--json"], "--json and --csv contradict each other"),
        (["--find-duplicates", "--min-size", "2K", "--max-size", "1K"], "no file is of such a size"),
        (["--find-duplicates", "--output", "x.smap"], "choose one"),
    ],
    ids=["min-size alone", "summary", "two lists", "no size", "snapshot"],
)
def test_options_that_do_not_fit(words: list[str], message: str) -> None:
    """What contradicts itself is told before anything is scanned."""
    result = spacemap(*words)

    assert ExitCode.USAGE == result.returncode
    assert message in result.stderr.decode()


def test_two_runs_at_once(tree: Path, place: Path) -> None:
    """Two programs with one cache find the same, and leave a cache that can be used."""
    words = ("--find-duplicates", "--json", "--cache-dir", place / "cache", tree)
    running = [start_spacemap(*words) for _ in range(2)]
    reports = [json.loads(each.communicate()[0])["duplicates"] for each in running]
    third = spacemap(*words)

    assert [0, 0, 0] == [*(each.returncode for each in running), third.returncode]
    assert reports[0] == reports[1]
    assert [] == json.loads(third.stdout)["notes"]


def test_cache_clear_removes_hashes(tree: Path, place: Path) -> None:
    """`spacemap cache clear` takes kept hashes away, too."""
    spacemap("--find-duplicates", "--cache-dir", place / "cache", tree)
    spacemap("cache", "clear", "--cache-dir", place / "cache")

    assert [] == [path for path in (place / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_progress_says_how_much_longer(width: int) -> None:
    """The line of progress has the share first, then bytes, rate and remaining time, as far as there is room."""
    progress = Progress("comparing", 5, 10, 250 << 20, 1 << 30, 200 << 20, 7, 3 << 20, 2_000_000_000)
    line = describe_progress(progress, Units.IEC, width)

    assert line.startswith("comparing 24.4%")
    assert cell_width(line) <= width
    assert width < 200 or line.endswith("250.0 MiB of 1.0 GiB  125.0 MiB/s  6.1 s left  7 groups, 3.0 MiB")


def _peer_groups(output: bytes) -> Sets:
    groups = [frozenset(part.split(b"\n")) for part in output.strip(b"\n").split(b"\n\n")]
    return frozenset(group for group in groups if len(group) > 1)


PEERS = {
    "fclones": ("group", "--hidden", "--no-ignore", "--match-links", "-s", "1", "-f", "fdupes"),
    "jdupes": ("-r", "-q", "-H"),
    "fdupes": ("-r", "-q", "-H", "-n"),
}


@pytest.mark.parametrize("peer", PEERS)
def test_groups_are_those_of_peers(peer: str) -> None:
    """On the sources and libraries of Python that run this test, other tools find the same groups."""
    program = shutil.which(peer)
    if program is None:
        pytest.skip(f"{peer} is not installed")
    root = Path(os.__file__).parent / "test"
    if not root.is_dir():
        root = Path(os.__file__).parent
    said = subprocess.run([program, *PEERS[peer], root], capture_output=True, check=True).stdout
    report = spacemap("--find-duplicates", "--no-hashes", "--json", root)
    own = json.loads(report.stdout)
    files = frozenset(frozenset(map(text_to_name, group["paths"])) for group in own["duplicates"])

    assert oracle(root) >= files
    assert oracle(root) == frozenset(
        frozenset(path for path in group if not os.path.islink(path)) for group in _peer_groups(said)
    )
    assert name_to_text(os.fsencode(root)) == own["scanned_path"]
