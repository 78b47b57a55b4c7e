"""Cached rescans on the command line: what is reported, what is kept, and what is said of it."""

import json
import os
import re
from pathlib import Path

import pytest

from spacemap.store import cache
from tests.scan.processes import run_python, spacemap
from tests.scan.specs import Entry, make_tree, wide_tree
from tests.scan.test_rescan import wait_until_settled
from tests.scan.test_terminal import INVISIBLE


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree that nobody has touched for more than two seconds."""
    root = make_tree(large_place / "tree", [*wide_tree(60, 10), Entry("data", content=5000)])
    for directory, _, names in os.walk(root):
        for path in (directory, *(os.path.join(directory, name) for name in names)):
            os.utime(path, (1e9, 1e9))
    wait_until_settled()
    return root


def _lines(*words: str | Path) -> list[str]:
    result = spacemap(*words)
    assert (0, b"") == (result.returncode, result.stderr)
    return result.stdout.decode().splitlines()


def _base(*words: str | Path) -> dict[str, object] | None:
    return json.loads("\n".join(_lines("--json", *words)))["scan"]["base"]


def _totals(*words: str | Path) -> object:
    return json.loads("\n".join(_lines("--json", *words)))["totals"]


@pytest.mark.parametrize("level", ["", "=verified", "=fast"])
def test_report(place: Path, settled: Path, level: str) -> None:
    """The second scan reports what a full one finds, and says from when, at which level, and what was trusted."""
    words = (f"--cached{level}", "--cache-dir", place, settled)
    expected = _totals(settled)
    assert expected == _totals(*words)
    text = " ".join(_lines(*words))
    name = level.removeprefix("=") or "verified"

    assert expected == _totals(*words)
    head = (
        rf"Earlier scan of \d+-\d\d-\d\d \d\d:\d\d \(just now\) used at level {name}: 128 of 128 directories unchanged"
    )
    rest = {
        "verified": "every file was measured again, nothing is taken on trust",
        "fast": r"\d+ files \(.* KiB\) taken on trust: growth in place of small, old files would be missed",
    }[name]
    assert re.search(f"{head}; {rest}", text)


def test_trust(place: Path, settled: Path) -> None:
    """Level trust reports the kept scan and its age, and looks at nothing: even the disk of now is not told."""
    words = ("--cache-dir", place, settled)
    _lines("--cached", *words)
    lines = _lines("--cached=trust", *words)

    assert re.fullmatch(r"As of \d+-\d\d-\d\d \d\d:\d\d, just now, from .*\.smap", lines[1])
    assert "level trust: nothing was looked at again: every change there since would be missed" in " ".join(lines)
    assert "Disk:" not in "".join(lines)


def test_trust_without_a_kept_scan(place: Path, settled: Path) -> None:
    """Level trust without a scan of these roots and options is an error that says what to do."""
    words = ("--cached=trust", "--cache-dir", place, settled)
    first = spacemap(*words)
    _lines("--cached", "--exclude", "x", "--cache-dir", place, settled)
    second = spacemap(*words)

    assert (2, b"", 2, b"") == (first.returncode, first.stdout, second.returncode, second.stdout)
    assert f"no scan of {settled} is kept; scan it once with --cached\n" in first.stderr.decode()
    assert "is kept, with other options (exclude); give the same" in second.stderr.decode()


def test_json(place: Path, settled: Path) -> None:
    """JSON tells level, moment, and how much was kept and trusted; nothing where everything was listed."""
    words = ("--cache-dir", place, settled)
    assert _base(settled) is None
    assert _base("--cached", *words) is None
    numbers = ("kept_directories", "trusted_entries", "trusted_bytes")
    bases = [_base(f"--cached={level}", *words) for level in ("verified", "fast", "trust")]

    assert ["verified", "fast", "trust"] == [base["level"] for base in bases]
    assert [True] * 3 == [bool(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", base["started"])) for base in bases]
    assert [128, 0, 0] == [bases[0][number] for number in numbers]
    assert (128, True, True) == (bases[1]["kept_directories"], *(bases[1][number] > 0 for number in numbers[1:]))
    assert (128, 661) == (bases[2]["kept_directories"], bases[2]["trusted_entries"])


def test_thresholds(place: Path, settled: Path) -> None:
    """What counts as large, and as recent, comes from the command line or from the configuration."""
    words = ("--cache-dir", place, settled)
    config = place / "config.toml"
    config.write_text('[cache]\nlarge = 0\nrecent = "1d"\n')
    _lines("--cached", *words)
    everything = _base("--cached=fast", *words)["trusted_entries"]

    assert 600 == everything
    assert 0 == _base("--cached=fast", "--cached-large", "0", *words)["trusted_entries"]
    assert 0 == _base("--cached=fast", "--cached-recent", "100y", *words)["trusted_entries"]
    assert 0 == _base("--cached=fast", "--config", config, *words)["trusted_entries"]
    assert everything == _base("--cached=fast", "--cached-large", "1G", "--config", config, *words)["trusted_entries"]


def test_other_options_are_named(place: Path, settled: Path) -> None:
    """With other exclusions the kept scan is not used, and the report says which option differs."""
    _lines("--cached", "--cache-dir", place, settled)
    text = " ".join(_lines("--cached", "--exclude", "*5", "--cache-dir", place, settled))

    assert "the earlier scan was not used: it was made with other options (exclude)" in text
    assert 2 == len(cache.scans(place))


def test_unchanged_scan_is_only_marked(place: Path, settled: Path) -> None:
    """When nothing changed, the kept file stays as it is, and counts as used."""
    words = ("--cached", "--cache-dir", place, settled)
    _lines(*words)
    (before,) = cache.scans(place)
    inode = os.stat(before.path).st_ino
    os.utime(before.path, (0, 0))
    _lines(*words)
    (after,) = cache.scans(place)

    assert (inode, True) == (os.stat(after.path).st_ino, after.used_ns > 0)


def test_trust_over_several_scans(place: Path) -> None:
    """What was taken on trust again and again is told with the age of when it was measured."""
    tree = make_tree(place / "tree", wide_tree(60, 10))
    os.utime(tree / "0/0/0/0001", (1e9, 1e9))
    wait_until_settled()
    words = ("--cached-recent", "0s", "--cache-dir", place / "cache", tree)
    first = json.loads(spacemap("--cached", "--json", *words[2:]).stdout)["scan"]["started"]
    for number in range(2):
        (tree / f"new {number}").write_text("x")

        assert first == _base("--cached=fast", *words)["started"]
    spacemap("--cached", *words[2:])

    assert first != _base("--cached=fast", *words)["started"]


def test_damaged_file_is_replaced(place: Path, settled: Path) -> None:
    """A damaged file is named on stderr, the scan is a full one, and the next finds a whole file."""
    words = ("--cached", "--summary", "--cache-dir", place, settled)
    expected = _lines(*words)
    (file,) = cache.scans(place)
    Path(os.fsdecode(file.path)).write_bytes(b"\x89smap\r\n\x1adamaged")
    result = spacemap(*words)

    assert (0, expected) == (result.returncode, result.stdout.decode().splitlines())
    assert f"spacemap: ignored in the cache: {os.fsdecode(file.path)!r}: " in result.stderr.decode()
    assert 1 == result.stderr.count(b"\n")
    assert "level verified" in _lines(*words)[1]


def test_a_level_is_never_a_path(place: Path, settled: Path) -> None:
    """A path after --cached is one to scan; a level needs the equals sign."""
    assert str(settled) == _lines("--cached", settled, "--summary", "--cache-dir", place)[0]
    result = spacemap("--cached=slow", settled)

    assert (2, b"") == (result.returncode, result.stdout)
    assert b"invalid choice: 'slow'" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkpoint", "x", "--cached"], "--checkpoint and --cached contradict each other"),
        (["--checkpoint", "x", "--resume"], "--checkpoint and --resume contradict each other"),
        (["--resume", "--cached=trust"], "--resume and --cached=trust contradict each other"),
        (["--cached-large", "1M"], "--cached-large is for --cached=fast"),
        (["--cached", "--cached-recent", "1d"], "--cached-recent is for --cached=fast"),
        (["--cache-size", "1G"], "--cache-size is for --cached"),
        (["--checkpoint-interval", "0"], "--checkpoint-interval 0: give 0.1 to 86400 seconds"),
        (["--checkpoint-interval", "nan"], "--checkpoint-interval nan: give 0.1"),
        (["--checkpoint", ""], "--checkpoint without a name"),
        (["--cached", "--cache-size", "much"], "'much' is not a size"),
        (["--checkpoint", "/nowhere/x"], "there is no such directory"),
        (["--checkpoint", "/"], "it is there and no regular file"),
        (["--resume", "/nowhere/x"], "there is no such checkpoint"),
        (["--checkpoint", "/tmp/x", "--follow-symlinks"], "leave out --follow-symlinks"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage(settled: Path, words: list[str], message: str) -> None:
    """What contradicts itself is one line that says what to do, status 2."""
    result = spacemap(settled, *words)

    assert (2, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
    assert message in result.stderr.decode()


@pytest.mark.parametrize("width", ["20", "60"])
def test_hostile_names(tmpfs_place: Path, width: str) -> None:
    """Names of roots are inert in reports, in what the cache command prints, and in errors; lines fit."""
    root = make_tree(tmpfs_place / "\x1b]0;x\x07\u202e\udcff [bold]", wide_tree(2, 2))
    words = ("--cache-dir", tmpfs_place / "c\x1b[31m")
    outputs = [
        spacemap("--cached=trust", *words, root),
        *(spacemap(f"--cached={level}", *words, root, COLUMNS=width) for level in ("verified", "fast", "trust")),
        spacemap("--resume", *words, root),
        spacemap("cache", "info", *words),
    ]
    for file in cache.scans(words[1]):
        Path(os.fsdecode(file.path)).write_bytes(b"")
    outputs += [
        spacemap("cache", "check", *words),
        spacemap("cache", "info", *words),
        spacemap("--cached", *words, root),
    ]

    for result in outputs:
        assert result.returncode in (0, 1, 2)
        assert [] == INVISIBLE.findall((result.stdout + result.stderr).decode())


def test_info_check_and_clear(place: Path, settled: Path) -> None:
    """The cache command lists what is kept, verifies it, and removes it."""
    words = ("--cache-dir", place / "cache")
    _lines("--cached", *words, settled)
    _lines("--cached", "-x", "--exclude", "*5", *words, settled, place)
    info = _lines("cache", "info", *words)
    text = "\n".join(info)

    assert str(place / "cache") == info[0]
    assert re.fullmatch(r"2 scans, \d+\.\d KiB of at most 2\.0 GiB", info[1])
    assert re.search(f"\n{re.escape(str(settled))}\n  just now, 789 entries, \\d+\\.\\d KiB$", text, re.MULTILINE)
    assert "\n  one file system; exclude *5" in text
    assert max(len(line) for line in info if not line.startswith("/")) <= 60
    assert ["2 files whole, 0 files damaged"] == _lines("cache", "check", *words)
    (_, file) = cache.scans(place / "cache")
    Path(os.fsdecode(file.path)).write_bytes(Path(os.fsdecode(file.path)).read_bytes()[:-1])
    damaged = spacemap("cache", "check", *words)
    assert (1, b"1 file whole, 1 file damaged\n") == (damaged.returncode, damaged.stdout)
    assert file.path in damaged.stderr
    assert re.fullmatch(r"2 files removed, \d+\.\d KiB freed", _lines("cache", "clear", *words)[0])
    assert [] == os.listdir(place / "cache")


@pytest.mark.parametrize("action", ["info", "check", "clear"])
def test_cache_that_is_not_there(place: Path, action: str) -> None:
    """Where nothing was kept, nothing is listed, damaged, removed, or made."""
    assert _lines("cache", action, "--cache-dir", place / "missing")
    assert [] == os.listdir(place)


def test_cache_command_usage() -> None:
    """Without an action, or with an unknown one, the cache command says which there are."""
    for words in (["cache"], ["cache", "purge"]):
        result = spacemap(*words)

        assert (2, b"") == (result.returncode, result.stdout)
        assert b"info" in result.stderr


def test_plain_scan_imports_none_of_it(settled: Path) -> None:
    """A scan without these options pays for none of their modules."""
    program = "import sys; from spacemap.cli.main import main; main(sys.argv[1:]); print(sorted(sys.modules))"
    modules = run_python(program, settled).stdout.decode().splitlines()[-1]

    unwanted = ("store.cache", "store.log", "scan.checkpoint", "scan.automatic", "cli.commands.cached", "cli.resuming")
    assert [] == [name for name in unwanted if f"'spacemap.{name}'" in modules]
    assert "'spacemap.cli.automatic'" in modules
