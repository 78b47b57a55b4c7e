"""What is mounted, unmounted and moved between a scan and a rescan is seen by the rescan as by a full scan."""

import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.scan import EngineName
from tests.scan.engines import each_engine
from tests.scan.processes import COMMAND, can_mount, environment, in_namespace
from tests.scan.specs import Entry, make_tree
from tests.scan.test_hanging import SERVER
from tests.scan.test_mounts import needs_overlay

TREE = [
    Entry("top/a/big", content=500_000),
    Entry("top/a/sub/file", content=70_000),
    Entry("top/b/view", "directory"),
    Entry("top/b/other", content=10_000),
    Entry("top/mnt/hidden", content=100),
    Entry("top/mnt/under/file", content=100),
    Entry("top/up/u", content=100),
    Entry("top/work", "directory"),
    Entry("top/low/l", content=3000),
    Entry("beside/file", content=5000),
]
PROGRAM = """
import os, subprocess, sys, time
from spacemap.scan import *
from spacemap.scan import reuse, stale
from tests.scan.comparison import as_bytes
stale.GRANULARITY_NS, reuse.MOST_STALE = 30_000_000, 1.0
place, engine, *steps = sys.argv[1:]
root = place + "/top"
variants = [ScanOptions(EngineName(engine), boundary=boundary) for boundary in MountBoundary]
variants.append(ScanOptions(EngineName(engine), kernel_fs=KernelFileSystems.ENTER, max_depth=3))

def settle():
    until = time.monotonic() + 0.04
    while time.monotonic() < until:
        os.sched_yield()

settle()
bases = [scan([root], options) for options in variants]
used = 0
for step in steps:
    subprocess.run(["sh", "-ec", step], check=True, cwd=place)
    settle()
    for number, options in enumerate(variants):
        full = scan([root], options)
        again = scan([root], options, base=bases[number])
        assert as_bytes(full) == as_bytes(again), (step, options)
        used += again.facts.base is not None
        bases[number] = again
assert used
"""
CASES = {
    "bind": ["mount --bind top/a top/b/view", "echo x >> top/a/big", "umount top/b/view"],
    "bind of what is beside": ["mount --bind beside top/b/view", "echo x >> beside/file", "umount top/b/view"],
    "over what is there": ["mount --bind beside top/mnt", "rm beside/file", "umount top/mnt"],
    "tmpfs": ["mount -t tmpfs none top/mnt", "echo x > top/mnt/f; mkdir top/mnt/d", "umount top/mnt"],
    "tmpfs again": ["mount -t tmpfs none top/mnt", "umount top/mnt; mount -t tmpfs none top/mnt; echo x > top/mnt/f"],
    "a view that becomes the first": [
        "mount --bind top/a top/b/view",
        "mv top/a aside",
        "mv aside top/a",
        "umount top/b/view",
    ],
    "two views": [
        "mount --bind beside top/b/view; mount --bind beside top/mnt",
        "umount top/b/view",
        "mount --bind beside top/b/view",
        "umount top/mnt",
    ],
    "the root": [
        "mount -t tmpfs none top; mkdir top/a top/new",
        "umount top",
        "mount --bind beside top",
        "umount top",
        "echo x >> top/low/l",
    ],
    "the root again": ["mount --bind top top", "umount top"],
    "the root in itself": ["mount --bind top top/b/view", "umount top/b/view"],
    "kernel": ["mount -t devpts none top/mnt", "umount top/mnt", "mount -t devpts none top/a/sub"],
}
OVERLAY = [
    "mount -t overlay -o lowerdir=top/low,upperdir=top/up,workdir=top/work none top/mnt",
    "echo x > top/mnt/new; rm top/mnt/l",
    "umount top/mnt",
]

needs_mounts = pytest.mark.skipif(not can_mount(), reason="mounting needs root or user namespaces")


def _run(tree: Path, engine: EngineName, steps: list[str]) -> None:
    result = in_namespace('exec "$@"', sys.executable, "-c", PROGRAM, tree, engine.value, *steps)

    assert (0, b"") == (result.returncode, result.stderr)


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree with places to mount something on, and another beside it."""
    return make_tree(place / "tree", TREE)


@needs_mounts
@each_engine
@pytest.mark.parametrize("steps", CASES.values(), ids=list(CASES))
def test_mounts_that_change(tree: Path, engine: EngineName, steps: list[str]) -> None:
    """After each step a rescan from the tree before it equals a full scan, whether or not boundaries are crossed."""
    _run(tree, engine, steps)


@needs_mounts
@needs_overlay
@each_engine
def test_an_overlay(tree: Path, engine: EngineName) -> None:
    """So it does with an overlay, whose upper layer is in the tree."""
    _run(tree, engine, OVERLAY)


HANGING = """
import os, sys
from spacemap.scan import *
from tests.scan.comparison import as_bytes
options = ScanOptions(EngineName(sys.argv[2]), stall_timeout=1.0)
base = scan([sys.argv[1]], options)
again = scan([sys.argv[1]], options, base=base)
assert as_bytes(base) == as_bytes(again)
assert again.facts.base is None
assert sum("the file system may be remote" in note for note in again.facts.notes) == 1, again.facts.notes
os._exit(0)  # the kernel cannot end what hangs, and the end of the interpreter would wait for it
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-m", sys.executable, SERVER, "/mnt", "lookup", "true"], check=False).returncode != 0,
    reason="mounting a file system of one's own needs root and /dev/fuse",
)
@each_engine
def test_what_may_hang(place: Path, engine: EngineName) -> None:
    """Where something by FUSE is mounted no base is used, and what hangs costs itself alone, as in a full scan."""
    root = make_tree(place / "tree", [Entry("a/file", content=5000), Entry("mnt", "directory")])
    server = ["unshare", "-m", sys.executable, SERVER, root / "mnt", "opendir"]
    result = subprocess.run(
        [*server, COMMAND[0], "-c", HANGING, root, engine.value],
        capture_output=True,
        env=environment(),
        check=False,
        timeout=60,
    )

    assert (0, b"") == (result.returncode, result.stderr)
