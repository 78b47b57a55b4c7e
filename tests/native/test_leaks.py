"""The Python face of the native engine holds on to nothing: not memory, not threads, not descriptors."""

from pathlib import Path

import pytest

from spacemap.scan import EngineName
from spacemap.scan.engine import engine_states
from tests.scan.processes import run_python
from tests.scan.specs import make_tree, wide_tree

REASON = {state.name: state.reason for state in engine_states()}[EngineName.NATIVE]
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

PROGRAM = """
import gc, os, sys, threading
from spacemap.scan import EngineName, ScanOptions, scan
from spacemap.scan._native import Walker
root = os.fsencode(sys.argv[1])
status = os.stat(root)

from spacemap.scan.wire import PREFIX_SIZE, FrameType, Waiting, encode_directories
record = encode_directories(
    FrameType.DIRECTORIES, [Waiting(0, status.st_dev, status.st_ino, 0, 0, 0, b"")]
)[PREFIX_SIZE:]

def walker(exclude=None, **changes):
    options = dict(
        roots=(root,), ref_base=0, listers=4, sink=-1, follow_symlinks=False, read_times=True, exclude_caches=False,
        max_depth=-1, flush_entries=64, exclude=exclude,
    )
    return Walker(**{**options, **changes})

def use():
    walker()
    each = walker()
    each.start()
    each.push(1, record)
    each.wait(10.0)
    assert len(each.take()) > 10_000
    each.give(True)
    each.status()
    each.poison(1, 2)
    each.stop()
    unread = walker(exclude=lambda path, records: None)
    unread.start()
    unread.push(1, record)
    del unread
    for wrong in (dict(listers=0), dict(listers=10**6), dict(roots=("text",)), dict(roots=None), dict(sink="x")):
        try:
            walker(**wrong)
        except (ValueError, TypeError, OverflowError):
            continue
        raise AssertionError(wrong)
    scan([root], ScanOptions(EngineName.NATIVE, exclude=("3*", "re:x$")))

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

for _ in range(60):
    use()
before = resident(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
for _ in range(200):
    use()
after = resident(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
assert after[0] - before[0] < 4_000_000, (before, after)
assert after[1:] == before[1:], (before, after)
"""
FAILING = """
import sys
from spacemap.scan import EngineName, engine
from spacemap.scan._native import Walker
from spacemap.scan.wire import PREFIX_SIZE, FrameType, Waiting, encode_directories
import os
root = os.fsencode(sys.argv[1])
status = os.stat(root)
record = encode_directories(
    FrameType.DIRECTORIES, [Waiting(0, status.st_dev, status.st_ino, 0, 0, 0, b"")]
)[PREFIX_SIZE:]
def bad(path, records):
    raise RuntimeError("no verdict")
sys.unraisablehook = lambda *_: None
for verdict in (bad, lambda path, records: b"", lambda path, records: 7):
    walker = Walker(
        roots=(root,), ref_base=0, listers=4, sink=-1, follow_symlinks=False, read_times=True, exclude_caches=False,
        max_depth=-1, flush_entries=64, exclude=verdict,
    )
    walker.start()
    walker.push(1, record)
    try:
        walker.wait(10.0)
        walker.stop()
    except OSError:
        continue
    raise AssertionError(verdict)
"""


KNOWN = """
import gc, os, sys
import numpy as np
from spacemap.scan import EngineName, scan
from spacemap.scan.stale import _known
from spacemap.scan._native import Known
from spacemap.tree.rollup import depth_first
root = os.fsencode(sys.argv[1])
tree = scan([root]).tree
wanted = np.arange(len(tree)) > 0
differs = np.zeros(len(tree), np.bool_)
descriptor = os.open(root, os.O_RDONLY)
order = depth_first(tree)

def use():
    known = _known(EngineName.NATIVE, tree, order, [descriptor], wanted, differs)
    known.check(0, len(tree.directories.entry))
    for begin, end in ((-1, 1), (1, 0), (0, 10**9), (0, -1)):
        try:
            known.check(begin, end)
        except (ValueError, OverflowError):
            continue
        raise AssertionError((begin, end))
    good = [tree.parent, tree.kind, tree.flags, tree.apparent_size, tree.blocks, tree.mtime, tree.inode,
            np.ascontiguousarray(tree.owner), tree.owners,
            tree.name_offset, tree.names, *(getattr(tree.directories, name) for name in
            ("entry", "first_child", "child_count", "device", "mtime_ns", "ctime_ns")), order,
            tree.links.entry, tree.links.link_count, tree.links.device,
            np.array([descriptor], np.int32), wanted, differs]
    Known(*good)
    for at in range(len(good)):
        for wrong in (None, np.zeros(1, np.uint64), np.zeros(3, np.complex128), "text", b""):
            try:
                Known(*good[:at], wrong, *good[at + 1:])
            except (TypeError, ValueError, BufferError):
                continue
            assert at == 10, (at, wrong)  # names, of any number
    beyond = [*good[:17], order + np.uint32(1), *good[18:]]
    for wrong in ((), good[:-1], [*good[:-1], bytes(len(tree))], beyond):
        try:
            Known(*wrong)
        except (TypeError, ValueError, BufferError):
            continue
        raise AssertionError(wrong)
    try:
        Known.__new__(Known).check(0, 0)
    except ValueError:
        return
    raise AssertionError("a tree that was never given")

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def references():
    return sum(map(sys.getrefcount, (tree.parent, tree.kind, tree.directories.entry, wanted, differs, Known)))

for _ in range(20):
    use()
before = resident(), references(), len(os.listdir("/proc/self/fd"))
for _ in range(100):
    use()
after = resident(), references(), len(os.listdir("/proc/self/fd"))
assert not differs.any()
assert after[0] - before[0] < 2_000_000, (before, after)
assert after[1:] == before[1:], (before, after)
"""


def test_nothing_is_held(large_place: Path) -> None:
    """Making, using and dropping walkers 200 times takes no more memory, descriptors or threads."""
    root = make_tree(large_place / "tree", wide_tree(60, 10))

    result = run_python(PROGRAM, root, MALLOC_ARENA_MAX="1")

    assert (0, b"") == (result.returncode, result.stderr)


def test_an_exclusion_that_fails(large_place: Path) -> None:
    """An exclusion that raises, or answers nonsense, ends the walk with an error."""
    root = make_tree(large_place / "failing", wide_tree(5, 5))

    result = run_python(FAILING, root)

    assert (0, b"") == (result.returncode, result.stderr)


def test_the_check_holds_nothing(large_place: Path) -> None:
    """Trees that were checked, and columns that were refused, are let go, and so is every descriptor."""
    root = make_tree(large_place / "known", wide_tree(60, 10))

    result = run_python(KNOWN, root, MALLOC_ARENA_MAX="1")

    assert (0, b"") == (result.returncode, result.stderr)
