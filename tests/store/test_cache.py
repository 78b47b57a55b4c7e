"""The cache of scans keeps itself small and whole, whoever uses it at the same time and whatever ends them."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from spacemap.errors import SpacemapError
from spacemap.store import cache
from spacemap.store.blocks import Durability, atomic_file
from spacemap.store.snapshot import open_snapshot
from spacemap.tree.snapshot import Snapshot
from tests.scan.comparison import as_bytes
from tests.scan.processes import COMMAND, as_other_user, can_mount, environment, in_namespace, spacemap, wait_until
from tests.scan.specs import make_tree, wide_tree
from tests.trees import snapshot_of, tree_of

KILLS = 20
ROUNDS = 20
PLENTY = 1 << 30


def _snapshot(root: str, *, size: int = 1000, **options: object) -> Snapshot:
    tree = tree_of({"file": size}, root=root)
    return snapshot_of(replace(tree, names=memoryview(tree.names)), root, options={"times": "read", **options})


def _key(snapshot: Snapshot) -> cache.Key:
    return cache.Key(snapshot.facts.host, snapshot.roots, snapshot.facts.options)


def _found(place: Path, snapshot: Snapshot) -> dict[str, tuple[str, bytes]] | None:
    found = cache.find(place, _key(snapshot))
    assert () == found.warnings
    return None if found.snapshot is None else as_bytes(found.snapshot)


def _set_used(place: Path, snapshot: Snapshot, seconds: int) -> None:
    os.utime(place / "scans" / os.fsdecode(_key(snapshot).stem + b".smap"), (seconds, seconds))


def test_what_is_kept_is_found(place: Path) -> None:
    """A kept scan is found by its roots and options, to the byte, and the next one takes its place."""
    for size in (1, 2):
        snapshot = _snapshot("/a", size=size)
        cache.keep(place, snapshot, PLENTY)

        assert as_bytes(snapshot) == _found(place, snapshot)
    assert 1 == len(os.listdir(place / "scans"))


def test_nothing_is_kept(place: Path) -> None:
    """In an empty, or missing, directory nothing is found, and looking makes nothing."""
    for directory in (place, place / "missing"):
        assert _found(directory, _snapshot("/a")) is None
        assert ([], []) == (cache.scans(directory), cache.checkpoints(directory))
        assert cache.Cleared(0, 0, 0) == cache.clear(directory)
    assert [] == os.listdir(place)


def test_other_options_stand_beside(place: Path) -> None:
    """Scans with other options do not take each other's place; the last used one answers where none fits."""
    first, second, other = (_snapshot("/a", max_depth=depth, size=depth) for depth in (1, 2, 3))
    cache.keep(place, first, PLENTY)
    cache.keep(place, second, PLENTY)
    _set_used(place, first, 2_000_000_000)

    assert as_bytes(second) == _found(place, second)
    _set_used(place, first, 2_000_000_001)
    assert as_bytes(first) == _found(place, other)
    assert _found(place, _snapshot("/b")) is None


def test_other_host(place: Path) -> None:
    """In a cache that several machines share, none takes the scan of another one."""
    snapshot = _snapshot("/a")
    cache.keep(place, snapshot, PLENTY)

    assert cache.find(place, _key(snapshot)._replace(host="another")).snapshot is None


def test_least_recently_used_goes_first(place: Path) -> None:
    """Beyond the size, the scans that nobody used for longest go; being found counts as use; the new one stays."""
    snapshots = [_snapshot(f"/{name}") for name in "abc"]
    for number, snapshot in enumerate(snapshots):
        cache.keep(place, snapshot, PLENTY)
        _set_used(place, snapshot, 1000 + number)
    size = cache.scans(place)[0].bytes
    _found(place, snapshots[0])
    new = _snapshot("/d")

    cache.keep(place, new, 2 * size)

    assert [True, False, False] == [_found(place, each) is not None for each in snapshots]
    cache.keep(place, new, 0)
    assert [_key(new).stem + b".smap"] == os.listdir(os.fsencode(place / "scans"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "torn"])
def test_damaged_file(place: Path, damage: str) -> None:
    """A damaged file is passed over with a warning that names it, and the next scan takes its place.

    A torn one, with zeros where the disk had not got the data by a power failure, is one of them.
    """
    snapshot = _snapshot("/a")
    cache.keep(place, snapshot, PLENTY)
    (file,) = cache.scans(place)
    data = bytearray(Path(os.fsdecode(file.path)).read_bytes())
    data[100] ^= 1
    torn = bytes(data[:64]) + bytes(len(data) - 64)
    changed = {"cut": bytes(data[:-30]), "flipped": bytes(data), "empty": b"", "torn": torn}[damage]
    Path(os.fsdecode(file.path)).write_bytes(changed)

    found = cache.find(place, _key(snapshot))

    assert found.snapshot is None
    assert 1 == len(found.warnings)
    assert found.warnings[0].startswith(f"{os.fsdecode(file.path)!r}: ")
    cache.keep(place, snapshot, PLENTY)
    assert as_bytes(snapshot) == _found(place, snapshot)


def _strangers(place: Path) -> list[Path]:
    """Make what spacemap has not made in its directories: other names, and its names as other things."""
    scans = place / "scans"
    (place / "kept.txt").write_text("mine")
    files = [scans / "notes.smap", scans / ".spacemap-x.tmp", scans / ("A" * 16 + "-" + "b" * 16 + ".smap")]
    for file in files:
        file.write_text("mine")
    link = scans / ("a" * 16 + "-" + "b" * 16 + ".smap")
    link.symlink_to(place / "kept.txt")
    directory = scans / ("c" * 16 + "-" + "d" * 16 + ".smap")
    directory.mkdir()
    for each in (*files, directory):
        os.utime(each, (0, 0))
    return [place / "kept.txt", *files, link, directory]


def test_only_its_own_is_removed(place: Path) -> None:
    """Neither eviction nor clearing removes, or goes through, what spacemap has not made."""
    cache.keep(place, _snapshot("/a"), PLENTY)
    strangers = _strangers(place)

    cache.keep(place, _snapshot("/b"), 0)
    cleared = cache.clear(place)

    assert 1 == cleared.files
    assert [True] * len(strangers) == [os.path.lexists(each) for each in strangers]
    assert sorted(map(str, strangers)) == sorted(map(str, [*(place / "scans").iterdir(), place / "kept.txt"]))


@pytest.mark.parametrize("what", ["directory", "file"])
def test_symlinks_are_not_followed(place: Path, what: str) -> None:
    """A symlink in the place of a directory or of a file of the cache is an error, and what it leads to untouched."""
    snapshot = _snapshot("/a")
    (place / "target").mkdir()
    (place / "target" / "file").write_text("mine")
    if what == "directory":
        (place / "scans").symlink_to("target")
    else:
        (place / "scans").mkdir()
        (place / "scans" / os.fsdecode(_key(snapshot).stem + b".smap")).symlink_to(place / "target" / "file")

    with pytest.raises(SpacemapError, match=r"Not a directory|Too many levels|it is a symlink"):
        cache.keep(place, snapshot, PLENTY)

    assert (["file"], "mine") == (os.listdir(place / "target"), (place / "target" / "file").read_text())


def test_leftovers_of_killed_writers(place: Path) -> None:
    """A temporary file goes when it is old and its writer dead; one that is being written stays however old it is."""
    cache.keep(place, _snapshot("/a"), PLENTY)
    old, fresh = (place / "scans" / f".spacemap-{digit * 16}.tmp" for digit in "01")
    for each in (old, fresh):
        each.write_text("half")
    os.utime(old, (0, 0))

    with atomic_file(place / "scans" / "x") as file:
        file.write(b"more")
        (running,) = {*(place / "scans").glob(".spacemap-*.tmp")} - {old, fresh}
        os.utime(running, (0, 0))
        cache.keep(place, _snapshot("/a"), PLENTY)
        left = {*(place / "scans").glob(".spacemap-*.tmp")}

    assert {fresh, running} == left
    assert 2 == cache.clear(place).files


def test_files_are_private(place: Path) -> None:
    """Names of files are nobody else's business: the directory is its owner's alone."""
    cache.keep(place / "new", _snapshot("/a"), PLENTY)

    assert [0o700, 0o700] == [path.stat().st_mode & 0o777 for path in (place / "new", place / "new" / "scans")]


def test_no_waiting_for_the_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be made again is not brought to the disk; what a user named is."""
    synced: list[int] = []
    monkeypatch.setattr("spacemap.store.blocks.os.fsync", synced.append)

    cache.keep(place, _snapshot("/a"), PLENTY)
    assert [] == synced
    with atomic_file(place / "x", Durability.POWER_FAILURE) as file:
        file.write(b"x")
    assert 2 == len(synced)


WRITER = """
import sys
from spacemap.store import cache
from spacemap.store.snapshot import open_snapshot
place, rounds, *files = sys.argv[1:]
snapshots = [open_snapshot(file).load() for file in files]
size = min(map(lambda file: len(open(file, "rb").read()), files))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(rounds)):
    for snapshot in snapshots:
        cache.keep(place, snapshot, size * 2)
        key = cache.Key(snapshot.facts.host, snapshot.roots, snapshot.facts.options)
        found = cache.find(place, key)
        assert not found.warnings, found.warnings
        for file in cache.scans(place):
            assert file.bytes >= size // 2
"""


def test_two_writers_at_once(place: Path) -> None:
    """Two programs that keep, find and evict in one cache never get in each other's way; every file is whole."""
    source = place / "source"
    for name in "abcde":
        cache.keep(source, _snapshot(f"/{name}", size=ord(name)), PLENTY)
    files = [os.fsdecode(file.path) for file in cache.scans(source)]
    command = [sys.executable, "-c", WRITER, place / "shared", str(ROUNDS)]
    writers = [
        subprocess.Popen([*command, *order], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
        for order in (files, files[::-1])
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert b"ready\n" == writer.stdout.readline()
    for writer in writers:
        writer.communicate(b"go\n", timeout=60)

    assert [0, 0] == [writer.returncode for writer in writers]
    kept = cache.scans(place / "shared")
    assert len(kept) == len(os.listdir(place / "shared" / "scans")) in (1, 2, 3)
    assert len(kept) == len([open_snapshot(file.path).load() for file in kept])


def test_killed_at_any_moment(place: Path) -> None:
    """Whenever a run with --cached is killed, the cache checks, and the next run takes what is there."""
    chance = random.Random(7)
    tree = make_tree(place / "tree", wide_tree(100, 40))
    words = ("--cached", "--summary", "--cache-dir", place / "cache", tree)
    began = time.monotonic()
    expected = spacemap(*words).stdout.splitlines()[1].partition(b";")[0]
    seconds = time.monotonic() - began
    for number in range(KILLS):
        (tree / f"new {number}").mkdir()  # so that each run has something to keep
        with subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, env=environment()) as process:
            until = time.monotonic() + seconds * chance.uniform(0.2, 1.1)
            wait_until(lambda moment=until: time.monotonic() >= moment, "the moment to kill")
            process.send_signal(signal.SIGKILL)
        result = spacemap("cache", "check", "--cache-dir", place / "cache")

        assert (0, b"1 file whole, 0 files damaged\n") == (result.returncode, result.stdout)
    for number in range(KILLS):
        (tree / f"new {number}").rmdir()
    result = spacemap(*words)

    assert (expected, b"") == (result.stdout.splitlines()[1].partition(b";")[0], result.stderr)


def test_cache_that_is_read_only(place: Path) -> None:
    """Where a user may not write, the scan works, one line says that it was not kept, and what was kept is intact."""
    tree = make_tree(place / "tree", wide_tree(2, 2))
    words = ["--summary", "--cached", "--cache-dir", place / "cache", tree]
    spacemap(*words)
    (file,) = cache.scans(place / "cache")
    before = Path(os.fsdecode(file.path)).read_bytes()
    (tree / "new").write_text("x")
    for path in ((place / "cache" / "scans"), place / "cache"):
        path.chmod(0o555)
    Path(os.fsdecode(file.path)).chmod(0o444)
    command = [*as_other_user(place), *COMMAND, *words]
    result = subprocess.run(command, capture_output=True, env=environment(), check=False, timeout=60)

    assert (0, 1) == (result.returncode, result.stderr.count(b"\n"))
    assert result.stdout.endswith(b"disk usage in 7 files, 7 directories\n")
    assert b"spacemap: this scan was not kept: " in result.stderr
    assert b"Permission denied" in result.stderr
    assert before == Path(os.fsdecode(file.path)).read_bytes()


def test_no_room(place: Path) -> None:
    """On a full disk the scan works, one line says that it was not kept, and what was kept is intact."""
    if not can_mount():
        pytest.skip("no mount namespace can be made here")
    large, small = (make_tree(place / name, wide_tree(n, 40)) for name, n in (("large", 100), ("small", 2)))
    result = in_namespace(
        'mount -t tmpfs -o size=48k none /mnt; "$1" -m spacemap --cached --cache-dir /mnt --summary "$2"; '
        'status=0; "$1" -m spacemap --cached --cache-dir /mnt --summary "$3" || status=$?; '
        'ls -A /mnt/scans | wc -l; "$1" -m spacemap cache check --cache-dir /mnt; exit $status',
        sys.executable,
        small,
        large,
    )

    assert 0 == result.returncode
    assert b"1\n1 file whole, 0 files damaged\n" in result.stdout
    assert b"spacemap: this scan was not kept: " in result.stderr
    assert b"No space left on device" in result.stderr
    assert 1 == result.stderr.count(b"\n")
