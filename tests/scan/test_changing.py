"""Trees that change while they are scanned, and processes with little room."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spacemap.scan import EngineName, ScanOptions, scan
from tests.scan.comparison import problems, recomputed, told
from tests.scan.engines import each_engine, each_thread_count
from tests.scan.measure_by_du import both
from tests.scan.processes import environment, run_python, spacemap
from tests.scan.specs import make_tree, read_spec, wide_tree

CHURN = """
import os, sys
root = sys.argv[1]
print("ready", flush=True)
number = 0
while True:
    number += 1
    place = f"{root}/{number % 7}/{number % 41}"
    try:
        os.makedirs(f"{place}/new/deep/er", exist_ok=True)
        with open(f"{place}/new/file", "wb") as file:
            file.write(bytes(number % 90000))
        os.link(f"{place}/new/file", f"{place}/new/link")
        os.rename(f"{place}/new", f"{place}/newer")
        os.replace(f"{place}/newer/file", f"{place}/moved")
        os.remove(f"{place}/newer/link")
        os.rmdir(f"{place}/newer/deep/er")
        os.symlink("..", f"{place}/newer/deep/er")
        os.remove(f"{place}/newer/deep/er")
        os.removedirs(f"{place}/newer/deep")
    except OSError:
        os.system(f"rm -rf {place}/new {place}/newer")
"""


@pytest.fixture(scope="module")
def tree(large_place: Path) -> Path:
    """Return a tree that nobody minds to be changed."""
    return make_tree(large_place / "tree", wide_tree(600, 10))


@contextmanager
def _changing(root: Path) -> Iterator[None]:
    """Make, move, link and remove files and directories all the time."""
    process = subprocess.Popen([sys.executable, "-c", CHURN, root], stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@each_engine
@each_thread_count
def test_entries_that_come_and_go(tree: Path, engine: EngineName, threads: int) -> None:
    """While files and directories appear, move and vanish, every scan ends and its sums follow from its entries."""
    with _changing(tree):
        snapshots = [scan([tree], ScanOptions(engine=engine, threads=threads)) for _ in range(4)]

    assert [recomputed(snapshot.tree) for snapshot in snapshots] == [told(snapshot.tree) for snapshot in snapshots]
    assert [[]] * 4 == [problems(snapshot) for snapshot in snapshots]


@each_engine
def test_a_directory_that_empties_itself(place: Path, engine: EngineName) -> None:
    """Files removed by another thread are in the result or not; the scan neither fails nor complains."""
    root = make_tree(place / "tree", wide_tree(30, 100))
    files = [os.path.join(path, name) for path, _, names in os.walk(root) for name in names]
    remover = threading.Thread(target=lambda: [Path(path).unlink() for path in files])
    remover.start()
    snapshot = scan([root], ScanOptions(engine=engine))
    remover.join()

    assert (recomputed(snapshot.tree), []) == (told(snapshot.tree), problems(snapshot))


@pytest.mark.parametrize("threads", ["1", "2", "7", "16"])
@each_engine
def test_few_descriptors(place: Path, engine: EngineName, threads: str) -> None:
    """With 64 descriptors even deep trees are scanned whole."""
    root = make_tree(place / "tree", [*read_spec("deep"), *wide_tree(300, 3)])
    expected = both(root)
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from spacemap.scan import *
from spacemap.scan import run
from tests.scan.comparison import problems, totals
options = ScanOptions(EngineName("{engine.value}"), {threads})
for seconds in (0.0, 60.0):
    run.ALONE_SECONDS = seconds
    snapshot = scan([{str(root)!r}], options)
    assert not len(snapshot.tree.problems), problems(snapshot)
    assert {expected} == totals(snapshot), totals(snapshot)
"""
    result = run_python(program)

    assert (0, b"") == (result.returncode, result.stderr)


@each_engine
def test_low_recursion_limit(place: Path, engine: EngineName) -> None:
    """Nothing recurses with the depth of a tree: a limit of 200 is enough for 300 levels."""
    root = make_tree(place / "tree", read_spec("levels") if engine is not EngineName.SCANDIR_RS else read_spec("deep"))
    expected = both(root)
    program = f"""
import sys
from spacemap.scan import *
from spacemap.scan import recover, run
import spacemap.tree.build
from tests.scan.comparison import totals
sys.setrecursionlimit(200)
snapshot = scan([{str(root)!r}], ScanOptions(EngineName("{engine.value}")))
assert {expected} == totals(snapshot), totals(snapshot)
assert snapshot.tree.path(len(snapshot.tree) - 1)
"""
    result = run_python(program)

    assert (0, b"") == (result.returncode, result.stderr)


def test_a_deep_tree_in_a_report(place: Path) -> None:
    """The command line reports a path of 12,000 bytes."""
    root = make_tree(place / "tree", read_spec("deep"))

    result = spacemap(root, "--verbose", "--json")

    assert (0, b"") == (result.returncode, result.stderr)
    assert b'"file_count": 61' in result.stdout
