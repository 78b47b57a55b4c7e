"""Workers that die or stand still: the scan ends, and its result is whole or says what it lost."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.scan import EngineName, ScanOptions, scan
from spacemap.tree.columns import Skip
from tests.scan.comparison import as_bytes
from tests.scan.engines import each_engine
from tests.scan.processes import children, environment, finish, is_alive, kill, start_spacemap, wait_until
from tests.scan.specs import make_tree, wide_tree

SCAN = """
import sys
from spacemap.scan import EngineName, ScanOptions, run
run.ALONE_SECONDS = 0.0
# Patterns that match nothing and take their time: a scan that lasts long enough to be disturbed.
slow = tuple(f"re:no{number}thing$" for number in range(int(sys.argv[5])))
options = ScanOptions(EngineName(sys.argv[2]), int(sys.argv[3]), stall_timeout=float(sys.argv[4]), exclude=slow)
if __name__ == "__main__":
    import hashlib, json
    from tests.scan.comparison import as_bytes, recomputed, told
    print("ready", flush=True)
    snapshot = run.scan([sys.argv[1]], options)
    columns = as_bytes(snapshot)
    tree, facts = snapshot.tree, snapshot.facts
    assert told(tree) == recomputed(tree)
    print(json.dumps({
        "columns": {name: hashlib.sha256(dtype.encode() + data).hexdigest() for name, (dtype, data) in columns.items()},
        "notes": facts.notes, "skips": sorted(set(tree.directories.skip.tolist())), "problems": len(tree.problems),
    }))
"""
PATTERNS = 40


@pytest.fixture(scope="module")
def large(large_place: Path) -> Path:
    """Return a tree of about 30,000 entries in 2,000 directories."""
    return make_tree(large_place / "tree", wide_tree(2000, 12))


@pytest.fixture(scope="module")
def whole(large: Path) -> dict[str, str]:
    """Return the digests of all columns of an undisturbed scan."""
    return _digests(as_bytes(scan([large], ScanOptions())))


def _digests(columns: dict[str, tuple[str, bytes]]) -> dict[str, str]:
    return {name: hashlib.sha256(dtype.encode() + data).hexdigest() for name, (dtype, data) in columns.items()}


def _start(root: Path, engine: EngineName, threads: int, stall_timeout: float = 60.0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SCAN, root, engine.value, str(threads), str(stall_timeout), str(PATTERNS)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), start_new_session=True
    )
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    return process


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threads", [2, 7], ids="threads={}".format)
@each_engine
def test_workers_killed_at_random(
    large: Path, whole: dict[str, str], engine: EngineName, threads: int, seed: int
) -> None:
    """Workers that are killed at random moments cost notes, and directories only where the result says so."""
    chance = random.Random(seed)
    process = _start(large, engine, threads)
    kills = 0
    while process.poll() is None and kills <= seed:
        workers = children(process.pid)
        # The first as soon as there is one to kill; the moments of the others are drawn, too.
        if workers and (not kills or chance.random() < 0.01):
            kill(chance.choice(workers), signal.SIGKILL)
            kills += 1
    status, out, err = finish(process)
    assert (0, b"") == (status, err)
    result = json.loads(out)

    assert kills > 0
    assert whole == result["columns"] or Skip.WORKER_LOST in result["skips"]
    assert (Skip.WORKER_LOST in result["skips"]) == any("given up" in note for note in result["notes"])


@each_engine
def test_a_worker_that_stands_still(large: Path, whole: dict[str, str], engine: EngineName) -> None:
    """A worker that was stopped is replaced after --stall-timeout, and what it had is listed again."""
    process = _start(large, engine, 2, stall_timeout=1.0)
    wait_until(lambda: children(process.pid) or process.poll() is not None, "a worker")
    stopped = children(process.pid)[:1]
    assert stopped
    for worker in stopped:
        kill(worker, signal.SIGSTOP)
    status, out, err = finish(process)

    assert (0, b"", whole) == (status, err, json.loads(out)["columns"])
    assert [] == [worker for worker in stopped if is_alive(worker)]


@each_engine
def test_all_workers_stand_still(large: Path, whole: dict[str, str], engine: EngineName) -> None:
    """When every worker was stopped, each is replaced, and the scan still ends whole."""
    process = _start(large, engine, 3, stall_timeout=1.0)
    wait_until(lambda: children(process.pid) or process.poll() is not None, "a worker")
    stopped = children(process.pid)
    assert stopped
    for worker in stopped:
        kill(worker, signal.SIGSTOP)
    status, out, err = finish(process)

    assert (0, b"", whole) == (status, err, json.loads(out)["columns"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("to_group", [False, True], ids=["process", "group"])
@each_engine
def test_interrupt(engine: EngineName, number: signal.Signals, to_group: bool) -> None:
    """A signal ends the scan: status 130, what was learnt is reported as partial, no worker is left."""
    process = start_spacemap("/", "--json", "--engine", engine.value, "--kernel-fs", "--threads", "3")
    wait_until(lambda: children(process.pid) or process.poll() is not None, "a worker")
    workers = children(process.pid)
    if to_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    status, out, err = finish(process)
    document = json.loads(out)

    assert (130, b"") == (status, err)
    assert ("interrupted", True) == (document["scan"]["completeness"], document["totals"]["dir_count"] > 0)
    wait_until(lambda: not any(map(is_alive, workers)), "the end of the workers", 5.0)


@pytest.mark.parametrize("seed", range(12))
def test_interrupts_at_random(large: Path, seed: int) -> None:
    """An interrupt at any moment of a scan gives a report and status 130, or comes too late to matter."""
    chance = random.Random(seed)
    process = start_spacemap(large, "--json", "--threads", "4", "--engine", "python")
    wait_until(lambda: children(process.pid) or process.poll() is not None, "a worker")
    ticks = chance.randrange(40)
    wait_until(iter([*[False] * ticks, True]).__next__, "a moment")
    process.send_signal(signal.SIGINT)
    status, out, err = finish(process)

    assert b"" == err
    assert status in (0, 130)
    assert not out or json.loads(out)["scan"]["completeness"] == ("interrupted" if status else "complete")


@each_engine
def test_the_scan_itself_killed(engine: EngineName) -> None:
    """Workers of a scan that was killed end by themselves."""
    process = start_spacemap("/", "--quiet", "--engine", engine.value, "--threads", "3")
    wait_until(lambda: len(children(process.pid)) >= 2 or process.poll() is not None, "workers")
    workers = children(process.pid)
    process.kill()
    process.communicate()

    assert workers
    wait_until(lambda: not any(map(is_alive, workers)), "the end of the workers", 10.0)
