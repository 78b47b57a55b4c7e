"""The file of a checkpoint: whose it is, what may be wrong with it, and what becomes of a scan that cannot write it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from spacemap.errors import FormatError, SpacemapError, UsageError
from spacemap.scan import CacheTagged, ScanOptions, Symlinks, scan
from spacemap.scan.checkpoint import Checkpoint, Checkpointing
from spacemap.scan.late import LateCheckpoint
from spacemap.scan.progress import Progress
from spacemap.store.log import LogContent, read_log
from spacemap.tree.snapshot import Completeness, Snapshot
from tests.scan.comparison import as_bytes
from tests.scan.processes import can_mount, children, in_namespace, wait_until
from tests.scan.specs import make_tree, wide_tree
from tests.scan.test_rescan import wait_until_settled


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree of 600 directories that nobody touches, nor has touched for more than two seconds."""
    root = make_tree(large_place / "tree", wide_tree(600, 6))
    wait_until_settled()
    return root


@pytest.fixture
def path(large_place: Path) -> Iterator[Path]:
    """Return where a checkpoint may be."""
    yield large_place / "checkpoint"
    (large_place / "checkpoint").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch, only_workers: None) -> None:
    """Let workers send small batches, and the scan keep them at once."""
    monkeypatch.setattr("spacemap.scan.pool.TICK", 0.0)
    monkeypatch.setattr("spacemap.scan.pool.PIPE_SIZE", 4096)
    monkeypatch.setattr("spacemap.scan.engine.FLUSH_ENTRIES", 32)


def interrupt(progress: Progress) -> None:
    """Interrupt a scan that has found something."""
    if progress.entries > 800:
        raise KeyboardInterrupt


def _interrupted(root: Path, path: Path, options: ScanOptions | None = None) -> Snapshot:
    """Return the partial tree of a scan that left a checkpoint."""
    snapshot = scan([root], options, interrupt, checkpoint=Checkpointing(str(path)))
    assert snapshot.facts.completeness is Completeness.INTERRUPTED
    return snapshot


def _resume(root: Path, path: Path, options: ScanOptions | None = None) -> Snapshot:
    return scan([root], options, checkpoint=Checkpointing(str(path), resume=True))


def test_an_interrupt_keeps_everything(settled: Path, path: Path) -> None:
    """What an interrupted scan reports is in its checkpoint, which the next one takes up and removes."""
    expected = as_bytes(scan([settled]))
    partial = _interrupted(settled, path)

    again = _resume(settled, path)

    assert expected == as_bytes(again)
    assert again.facts.base is not None
    assert int(partial.tree.totals.directories[0]) > again.facts.base.kept_directories
    assert int((partial.tree.directories.skip == 0).sum()) == again.facts.base.kept_directories
    assert not path.exists()


def test_what_was_taken_up_can_be_looked_at(settled: Path, path: Path) -> None:
    """The tree so far of a scan that resumes holds what the checkpoint had, beside what has been listed since."""
    partial, sizes = _interrupted(settled, path), []

    def look(progress: Progress) -> None:
        if progress.view is not None:
            tree = progress.view()().tree
            assert int(tree.totals.files[0] + tree.totals.directories[0]) == len(tree)
            sizes.append(len(tree))

    whole = scan([settled], None, look, checkpoint=Checkpointing(str(path), resume=True))

    assert sizes == sorted(sizes)
    assert len(partial.tree) <= sizes[0] <= sizes[-1] <= len(whole.tree)


def test_resumed_when_nothing_is_left(settled: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan that was killed when all was listed has nothing to list, and narrows what earlier listings made wide."""
    huge = settled / "0/0/0/huge"
    huge.touch()
    os.truncate(huge, 1 << 40)
    monkeypatch.setattr("spacemap.scan.checkpoint.Checkpoint.remove", lambda checkpoint: checkpoint.close())
    every = Checkpointing(str(path), interval=0.0)
    scan([settled], None, lambda _: None, checkpoint=every)
    huge.unlink()
    wait_until_settled()
    scan([settled], None, lambda _: None, checkpoint=every._replace(resume=True))
    monkeypatch.undo()

    assert as_bytes(scan([settled])) == as_bytes(_resume(settled, path))


def test_a_second_scan_is_refused(settled: Path, path: Path) -> None:
    """While a scan writes its checkpoint no other may, whether it resumes or begins; a dead scan has no say."""

    def ask(_: Progress) -> None:
        for resume in (True, False):
            with pytest.raises(UsageError, match="belongs to a scan that is running"):
                scan([settled], checkpoint=Checkpointing(str(path), resume))

    scan([settled], None, ask, checkpoint=Checkpointing(str(path)))

    assert not path.exists()


def _scan_for_ever(root: Path, path: Path, resume: bool) -> None:
    before = len(read_log(path).frames) if resume else 0

    def stand_still(_: Progress) -> None:
        if len(read_log(path).frames) > before + 1:
            signal.pause()

    scan([root], None, stand_still, checkpoint=Checkpointing(str(path), resume))


def _holds(pid: int, path: Path) -> bool:
    """Return whether a process has a descriptor that may write a file; that of a mapping only reads it."""
    fds = Path(f"/proc/{pid}/fd")
    return any(os.path.realpath(fd) == str(path) and fd.lstat().st_mode & 0o200 for fd in fds.iterdir())


@pytest.mark.parametrize("resume", [False, True], ids=["begun", "resumed"])
def test_a_lock_dies_with_its_scan(settled: Path, path: Path, resume: bool) -> None:
    """When the process of a scan is killed alone its checkpoint can be resumed, although its workers still stand."""
    if resume:
        _interrupted(settled, path)
    before = len(read_log(path).frames) if resume else 0
    process = get_context("fork").Process(target=_scan_for_ever, args=(settled, path, resume))
    process.start()
    assert process.pid is not None
    wait_until(lambda: path.exists() and len(read_log(path).frames) > before + 1, "frames")
    wait_until(lambda: children(process.pid), "workers")
    workers = children(process.pid)
    # One that was forked a moment ago has still to close what it inherited.
    wait_until(lambda: not any(_holds(worker, path) for worker in workers), "workers that let go")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    process.kill()
    process.join()
    again = _resume(settled, path)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)

    assert len(workers) > 0
    assert as_bytes(scan([settled])) == as_bytes(again)


def test_what_is_there_is_not_overwritten(settled: Path, path: Path) -> None:
    """A scan that is to begin a checkpoint where a file is says so before it lists anything, and leaves the file."""
    path.write_bytes(b"something else")

    with pytest.raises(UsageError, match="is there already: continue it with --resume"):
        scan([settled], None, pytest.fail, checkpoint=Checkpointing(str(path)))
    assert b"something else" == path.read_bytes()


OTHER = [
    (ScanOptions(exclude=("*.iso",)), "other options: exclude (was [])"),
    (ScanOptions(prune=("x",)), "other options: prune (was [])"),
    (ScanOptions(max_depth=3), "other options: max_depth (was None)"),
    (ScanOptions(cache_tagged=CacheTagged.EXCLUDE), "other options: exclude_caches (was False)"),
    (ScanOptions(symlinks=Symlinks.FOLLOW), "leave out --follow-symlinks"),
]


@pytest.mark.parametrize(("options", "difference"), OTHER, ids=["exclude", "prune", "depth", "caches", "follow"])
def test_other_options(settled: Path, path: Path, options: ScanOptions, difference: str) -> None:
    """A checkpoint of a scan with other options is refused by the name of the option, and stays."""
    _interrupted(settled, path)
    before = path.read_bytes()

    with pytest.raises(UsageError) as caught:
        _resume(settled, path, options)
    assert difference in str(caught.value)
    assert before == path.read_bytes()


def test_other_roots(settled: Path, path: Path) -> None:
    """A checkpoint of other paths is refused, and they are named."""
    _interrupted(settled, path)

    with pytest.raises(UsageError) as caught:
        _resume(settled / "0", path)
    assert f"is the checkpoint of a scan of {str(settled)!r}: give the same paths" in str(caught.value)


def _empty(data: bytes) -> bytes:
    return b""


def _foreign(data: bytes) -> bytes:
    return b"#!/bin/sh\n" * 100


def _torn_header(data: bytes) -> bytes:
    return data[:30]


def _flipped_header(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_empty, "the file is empty"),
        (_foreign, "it is not a checkpoint of spacemap"),
        (_torn_header, "the header is damaged"),
        (_flipped_header, "the header is damaged"),
    ],
    ids=lambda value: "" if isinstance(value, str) else value.__name__.strip("_"),
)
def test_what_is_no_checkpoint(settled: Path, path: Path, change: Callable[[bytes], bytes], what: str) -> None:
    """What is no checkpoint is refused with a line that says what is wrong with it."""
    _interrupted(settled, path)
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(FormatError) as caught:
        _resume(settled, path)
    assert what in str(caught.value)


def _frame_begins(content: LogContent) -> list[int]:
    ends = [content.end]
    for frame in reversed(content.frames):
        ends.append(ends[-1] - 24 - len(frame.body) - -len(frame.body) % 8)
    return ends[::-1]


def _torn(data: bytes, begins: list[int]) -> bytes:
    return data[:-5]


def _flipped(data: bytes, begins: list[int]) -> bytes:
    at = (begins[-3] + begins[-2]) // 2
    return data[:at] + bytes([data[at] ^ 64]) + data[at + 1 :]


def _without_one(data: bytes, begins: list[int]) -> bytes:
    return data[: begins[-4]] + data[begins[-3] :]


def _one_twice(data: bytes, begins: list[int]) -> bytes:
    return data[: begins[-3]] + data[begins[-4] :]


def _zeros(data: bytes, begins: list[int]) -> bytes:
    return data[: begins[-2]] + bytes(len(data) - begins[-2])


def _without_any(data: bytes, begins: list[int]) -> bytes:
    return data[: begins[0] + 3]


@pytest.mark.parametrize(
    ("damage", "frames"),
    [(_torn, 1), (_flipped, 2), (_without_one, 3), (_one_twice, 2), (_zeros, 1), (_without_any, 10**6)],
    ids=lambda value: "" if isinstance(value, int) else value.__name__.strip("_"),
)
def test_damage(settled: Path, path: Path, damage: Callable[[bytes, list[int]], bytes], frames: int) -> None:
    """A log is cut at its first bad frame, with a note; the rest is scanned again, and the result is that of a scan."""
    expected = as_bytes(scan([settled]))
    _interrupted(settled, path)
    content = read_log(path)
    begins = _frame_begins(content)
    damaged = damage(path.read_bytes(), begins)
    path.write_bytes(damaged)
    lost = len(damaged) - begins[max(len(content.frames) - frames, 0)]

    again = _resume(settled, path)

    assert expected == as_bytes(again)
    assert [f"the last {lost} bytes of the checkpoint were damaged; what they held was scanned again"] == [
        note for note in again.facts.notes if "checkpoint" in note
    ]


def test_a_checkpoint_without_frames(settled: Path, path: Path) -> None:
    """A scan that was killed before it kept anything is begun anew."""
    _interrupted(settled, path)
    os.truncate(path, _frame_begins(read_log(path))[0])

    again = _resume(settled, path)

    assert as_bytes(scan([settled])) == as_bytes(again)
    assert again.facts.base is None


def test_too_much_has_changed(tmpfs_place: Path, path: Path) -> None:
    """When a checkpoint is of no use any more the scan begins anew, and so does its log."""
    root = make_tree(tmpfs_place / "tree", wide_tree(600, 6))  # every directory is younger than two seconds
    _interrupted(root, path)
    begun: list[object] = []

    def look(_: Progress) -> None:
        begun.append(read_log(path).facts["started_ns"])

    again = scan([root], None, look, checkpoint=Checkpointing(str(path), resume=True))

    assert as_bytes(scan([root])) == as_bytes(again)
    assert ["the earlier scan was not used: more than half of it has changed"] == list(again.facts.notes)
    assert again.facts.started_ns == begun[-1]


FULL = """
mount -t tmpfs -o size=64k none /mnt
"$1" -c "$2" "$3" "$4"
"""
SCAN = """
import os, sys
from spacemap.scan import pool, run, engine, scan
from spacemap.scan.checkpoint import Checkpoint, Checkpointing
from spacemap.scan.late import LateCheckpoint
from tests.scan.comparison import as_bytes
run.SMALL_SECONDS = run.ALONE_SECONDS = pool.TICK = 0.0
pool.PIPE_SIZE, engine.FLUSH_ENTRIES = 4096, 32
expected = as_bytes(scan([sys.argv[1]]))
def interrupt(progress):
    if progress.entries > 3000 and sys.argv[2] == "interrupt":
        raise KeyboardInterrupt
snapshot = scan([sys.argv[1]], None, interrupt, checkpoint=Checkpointing("/mnt/checkpoint", interval=0.0))
if sys.argv[2] == "interrupt":
    assert os.path.getsize("/mnt/checkpoint") == 65536, os.path.getsize("/mnt/checkpoint")
    again = scan([sys.argv[1]], checkpoint=Checkpointing("/mnt/checkpoint", resume=True))
    assert again.facts.base.kept_directories > 100
    assert expected == as_bytes(again)
else:
    assert expected == as_bytes(snapshot)
assert not os.path.exists("/mnt/checkpoint")
print(*snapshot.facts.notes, sep="\\n")
"""


@pytest.mark.skipif(not can_mount(), reason="a small tmpfs needs root or user namespaces")
@pytest.mark.parametrize("how", ["interrupt", "complete"])
def test_a_full_disk(settled: Path, how: str) -> None:
    """A scan whose checkpoint does not fit goes on without it, says so, and what was written can be resumed."""
    result = in_namespace(FULL, sys.executable, SCAN, settled, how)

    assert (0, b"") == (result.returncode, result.stderr)
    assert (
        "no checkpoint is kept any more: '/mnt/checkpoint': cannot be written: No space left on device; "
        "make room or name another place\n"
    ) == result.stdout.decode()


def _late(path: str) -> LateCheckpoint:
    """Return a checkpoint that a scan begins by itself, at its first turn."""
    return LateCheckpoint(0.0, lambda facts: Checkpoint(Checkpointing(path), facts))


def test_a_place_that_cannot_be_written(settled: Path, place: Path) -> None:
    """A checkpoint that was asked for is refused at once; one that a long scan begins by itself costs a note."""
    path = str(place / "file/checkpoint")
    (place / "file").touch()
    with pytest.raises(SpacemapError, match="cannot be written: Not a directory"):
        scan([settled], None, pytest.fail, checkpoint=Checkpointing(path))

    snapshot = scan([settled], checkpoint=_late(path))

    assert as_bytes(scan([settled])) == as_bytes(snapshot)
    assert 1 == sum(note.startswith(f"no checkpoint is kept any more: {path!r}: ") for note in snapshot.facts.notes)


def test_a_checkpoint_that_is_in_the_way_later(settled: Path, path: Path) -> None:
    """A long scan that finds another file where it would begin its checkpoint leaves that alone, and ends whole."""
    path.write_bytes(b"something else")

    snapshot = scan([settled], checkpoint=_late(str(path)))

    assert as_bytes(scan([settled])) == as_bytes(snapshot)
    assert (1, b"something else") == (len(snapshot.facts.notes), path.read_bytes())


def test_a_scan_that_fails_lets_go(settled: Path, path: Path) -> None:
    """After a scan that ended with an error its checkpoint is whole and nobody's."""

    def fail(progress: Progress) -> None:
        if progress.entries > 800:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        scan([settled], None, fail, checkpoint=Checkpointing(str(path)))

    assert as_bytes(scan([settled])) == as_bytes(_resume(settled, path))


def test_somebody_removed_it(settled: Path, path: Path) -> None:
    """A checkpoint that somebody removed meanwhile is no trouble for its scan."""
    snapshot = scan([settled], None, lambda _: path.unlink(missing_ok=True), checkpoint=Checkpointing(str(path)))

    assert as_bytes(scan([settled])) == as_bytes(snapshot)
    assert () == snapshot.facts.notes
