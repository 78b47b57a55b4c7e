"""Scans that were killed at any moment: the next one takes up what they kept, and finds what a full scan finds."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest

from spacemap.scan import ScanOptions, engine, pool, run, scan
from spacemap.scan.batch import decode_batch
from spacemap.scan.checkpoint import Checkpointing
from spacemap.scan.wire import FrameType
from spacemap.store.log import read_log
from spacemap.tree.snapshot import Snapshot
from tests.scan.comparison import as_bytes
from tests.scan.edits import Edits, random_edits
from tests.scan.engines import QUICK
from tests.scan.processes import children, is_alive, kill, wait_until
from tests.scan.specs import make_tree, wide_tree
from tests.scan.test_rescan import wait_until_settled


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree of 1,200 directories that nobody touches, nor has touched for more than two seconds."""
    root = make_tree(large_place / "settled", wide_tree(1200, 6))
    wait_until_settled()
    return root


@pytest.fixture(scope="module")
def changing(large_place: Path) -> Path:
    """Return a tree of 500 directories that anybody may change."""
    root = make_tree(large_place / "changing", wide_tree(500, 4))
    wait_until_settled()
    return root


@pytest.fixture
def path(large_place: Path) -> Iterator[Path]:
    """Return where a checkpoint may be."""
    yield large_place / "checkpoint"
    (large_place / "checkpoint").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def whatever_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no checkpoint be left because more than half of it has changed."""
    monkeypatch.setattr("spacemap.scan.reuse.MOST_STALE", 1.0)


def _scan_in_child(roots: list[Path], options: ScanOptions, path: Path, resume: bool) -> None:
    """Scan slowly as the leader of a process group, in workers, with small batches that are kept at once."""
    os.setsid()
    run.SMALL_SECONDS = run.ALONE_SECONDS = pool.TICK = 0.0
    pool.PIPE_SIZE, engine.FLUSH_ENTRIES = 4096, 32
    tick = threading.Event()
    scan(roots, options, lambda _: tick.wait(0.0005) and None, checkpoint=Checkpointing(str(path), resume))


def _start(roots: list[Path], options: ScanOptions, path: Path) -> tuple[int, Callable[[], None]]:
    """Start a scan, or one that resumes; return its process and what waits for its end."""
    process = get_context("fork").Process(target=_scan_in_child, args=(roots, options, path, path.exists()))
    process.start()
    assert process.pid is not None
    return process.pid, process.join


def _size(path: Path) -> int:
    """Return the bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _kill_at_random(roots: list[Path], options: ScanOptions, path: Path, chance: random.Random) -> None:
    """Start a scan and kill all its processes when its checkpoint has grown by a random number of bytes, or later."""
    grown = _size(path) + chance.choice([2000, chance.randrange(1, 200_000), chance.randrange(1, 40_000)])
    pid, join = _start(roots, options, path)
    end = threading.Thread(target=join)
    end.start()
    wait_until(lambda: not end.is_alive() or _size(path) >= grown, "a moment")
    threading.Event().wait(chance.random() * 0.01)
    workers = children(pid)
    if end.is_alive():
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(pid, signal.SIGKILL)
    end.join()
    wait_until(lambda: not any(map(is_alive, workers)), "the end of the workers")
    if not path.exists():  # it was faster
        _kill_at_random(roots, options, path, chance)


def _directories_in(path: Path) -> int:
    """Return how many directories the log of an unchanged tree lists whose entries are in it, too."""
    below: dict[int, list[int]] = {}
    for frame in read_log(path).frames:
        if frame.type != FrameType.BATCH:
            continue
        batch = decode_batch(frame.body)
        at = len(batch) - int(batch.listing_count.sum())
        for ref, count in zip(batch.listing_ref.tolist(), batch.listing_count.tolist(), strict=True):
            below[ref] = [batch.base_ref + row for row in range(at, at + count)]
            at += count
    waiting, listed = [0], 0
    while waiting:
        ref = waiting.pop()
        listed += ref in below
        waiting += below.get(ref, [])
    return listed


def _options(seed: int) -> ScanOptions:
    return ScanOptions(QUICK[seed % len(QUICK)], threads=1 + seed % 3, exclude=("*7",) if seed % 4 == 0 else ())


def _resume(roots: list[Path], options: ScanOptions, path: Path) -> Snapshot:
    return scan(roots, options, checkpoint=Checkpointing(str(path), resume=True))


@pytest.mark.parametrize("seed", range(50))
def test_killed_and_resumed(settled: Path, path: Path, seed: int) -> None:
    """Killed once to three times at random moments: equals a full scan, and nothing that was kept is listed again."""
    chance, options = random.Random(seed), _options(seed)
    roots = [[settled], [settled / "3", settled / "1", settled / "2"]][seed % 2]
    expected = as_bytes(scan(roots, options))
    for _ in range(1 + seed % 3):
        _kill_at_random(roots, options, path, chance)
    kept = _directories_in(path) - (len(roots) > 1)

    resumed = _resume(roots, options, path)

    assert expected == as_bytes(resumed)
    assert kept <= (resumed.facts.base.kept_directories if resumed.facts.base is not None else 0)
    assert not path.exists()


@pytest.mark.parametrize("seed", range(50))
def test_changed_and_resumed(changing: Path, path: Path, seed: int) -> None:
    """Whatever happens to the tree between a scan that is killed and the next: equals a full scan of what is there."""
    chance, options = random.Random(seed), _options(seed)
    several = [changing / "3", changing / "1", changing / "2"]
    roots = [[changing], several][seed % 2]
    edit = Edits(changing, several)
    for number in range(1 + seed % 3):
        _kill_at_random(roots, options, path, chance)
        for each in random_edits(seed * 10 + number, 6):
            edit(*each)
    expected = as_bytes(scan(roots, options))

    assert expected == as_bytes(_resume(roots, options, path))


def _kill_workers(root: Path, options: ScanOptions, path: Path, chance: random.Random) -> None:
    """Start a scan, kill some of its workers, and a moment later itself."""
    size = _size(path)
    pid, join = _start([root], options, path)
    end = threading.Thread(target=join)
    end.start()
    wait_until(lambda: len(children(pid)) > 1 or not end.is_alive(), "workers")
    for worker in children(pid)[: chance.randrange(1, 3)]:
        kill(worker, signal.SIGKILL)
    grown = size + chance.randrange(1, 100_000)
    wait_until(lambda: not end.is_alive() or _size(path) > grown, "a moment")
    workers = children(pid)
    kill(pid, signal.SIGKILL)
    end.join()
    wait_until(lambda: not any(map(is_alive, workers)), "the end of the workers")
    if not path.exists():  # it was faster
        _kill_workers(root, options, path, chance)


@pytest.mark.parametrize("seed", range(6))
def test_workers_killed(settled: Path, path: Path, seed: int) -> None:
    """Single workers that die, in a scan or in one that resumes, do not spoil what is kept."""
    chance, options = random.Random(seed), ScanOptions(QUICK[seed % len(QUICK)], threads=3)
    expected = as_bytes(scan([settled], options))
    for _ in range(2):
        _kill_workers(settled, options, path, chance)

    assert expected == as_bytes(_resume([settled], options, path))
