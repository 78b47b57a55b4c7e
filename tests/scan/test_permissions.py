"""What an ordinary user may not read is a problem with a path, never an abort, and totals are still those of du."""

import json
import os
import subprocess
import sys
from errno import EACCES
from pathlib import Path

import pytest

from spacemap.scan import EngineName
from spacemap.tree.columns import Operation
from tests.scan.engines import each_engine
from tests.scan.processes import COMMAND, REPOSITORY, environment
from tests.scan.specs import Entry, make_tree

NOBODY = 65534
TREE = [
    Entry("open/file", content=5000),
    Entry("shut/file", content=70_000),
    Entry("shut/deeper/file", content=70_000),
    Entry("names/file", content=70_000),
    Entry("names/link", "symlink", target="file"),
    Entry("names/deeper/file", content=70_000),
    Entry("pass/file", content=70_000),
    Entry("pass/deeper/file", content=70_000),
    Entry("secret", content=6000, mode=0),
    Entry("shut", "directory", mode=0),
    Entry("names", "directory", mode=0o444),
    Entry("pass", "directory", mode=0o111),
]
SCAN = """
import json, os, sys
from spacemap.scan import *
from tests.scan.comparison import as_bytes, problems, recomputed, told, totals
assert os.getuid() != 0
snapshots = [scan([sys.argv[1]], ScanOptions(EngineName(sys.argv[2]), n)) for n in (1, 2, 7)]
assert as_bytes(snapshots[0]) == as_bytes(snapshots[1]) == as_bytes(snapshots[2])
assert recomputed(snapshots[0].tree) == told(snapshots[0].tree)
print(json.dumps([totals(snapshots[0]), [(p.decode(), *rest) for p, *rest in problems(snapshots[0])]]))
"""


RESCAN = """
import os, sys, time
from spacemap.scan import *
from spacemap.scan import reuse, stale
from spacemap.scan.rescan import Level, Rescan
from tests.scan.comparison import as_bytes, below, problems
assert os.getuid() != 0
stale.GRANULARITY_NS, reuse.MOST_STALE = 30_000_000, 1.0
root, engine = sys.argv[1], EngineName(sys.argv[2])
options = ScanOptions(engine)

def settle():
    until = time.monotonic() + 0.04
    while time.monotonic() < until:
        os.sched_yield()

def change(**modes):
    for name, mode in modes.items():
        os.chmod(os.path.join(root, name), mode)
    settle()

settle()
base = scan([root], options)
assert sorted({path.split(b"/")[0] for path, *_ in problems(base)}) == [b"names", b"pass", b"shut"]
again = scan([root], options, base=base)
assert as_bytes(base) == as_bytes(again)
assert again.facts.base.kept_directories == 2, again.facts.base  # the root and `open`

with open(os.path.join(root, "open/new"), "w") as file:
    file.write("new")
change(shut=0o755, open=0)
retried = scan([root], options, base=base, rescan=Rescan(Level.TRUST, retry=True))
names = [below(retried.tree, entry) for entry in range(1, len(retried.tree))]
assert b"shut/deeper/file" in names and b"open/file" in names and b"open/new" not in names
assert sorted({path.split(b"/")[0] for path, *_ in problems(retried)}) == [b"names", b"pass"]
trusting = scan([root], options, base=base, rescan=Rescan(Level.TRUST))
assert as_bytes(base) == as_bytes(trusting)

for modes in (dict(), dict(names=0o755, shut=0), {"pass": 0o755, "names": 0o444}, {"open": 0o755, "pass": 0}):
    change(**modes)
    full = as_bytes(scan([root], options))
    for snapshot in (base, retried):
        assert full == as_bytes(scan([root], options, base=snapshot))
    base = scan([root], options, base=base)
change(names=0o755)
retried = scan([root], options, base=base, rescan=Rescan(Level.TRUST, retry=True))
assert as_bytes(scan([root], options)) == as_bytes(retried)
"""


# Where the interpreter lies in a directory of root's own, a mount namespace shows it to others, too.
UNCOVER = """
mount --bind "$2" /mnt
mount -t tmpfs -o mode=755 none "$1"
mkdir -p "$2"
mount --bind /mnt "$2"
shift 2
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"""


def as_user(command: list[str | Path]) -> subprocess.CompletedProcess[bytes]:
    """Run a command as somebody who is not root."""
    before: list[str | Path] = []
    if os.geteuid() == 0 and (shut := _shut_directory()):
        before = ["unshare", "-m", "sh", "-ec", UNCOVER, "sh", shut, sys.base_prefix]
    elif os.geteuid() == 0:
        before = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    return subprocess.run(
        [*before, *command], capture_output=True, env=environment(), cwd="/", check=False, timeout=120
    )


def _shut_directory() -> Path | None:
    """Return the directory that keeps others from the interpreter."""
    above = [*reversed(Path(sys.base_prefix).parents), Path(sys.base_prefix)]
    return next((path for path in above if not path.stat().st_mode & 0o001), None)


def can_run() -> bool:
    program = "import os, spacemap.cli.main, numpy; assert os.getuid() != 0"
    try:
        return as_user([sys.executable, "-c", program]).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not can_run(), reason=f"an ordinary user cannot read {REPOSITORY} or {sys.prefix}")


@pytest.fixture
def tree(tmpfs_place: Path) -> Path:
    """Return a tree of the ordinary user's own with directories that he shut."""
    tmpfs_place.chmod(0o755)
    root = make_tree(tmpfs_place / "tree", TREE)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", str(NOBODY), root], check=True)
    return root


@each_engine
def test_problems_and_totals(tree: Path, engine: EngineName) -> None:
    """A directory without r or x, and entries of one without x, are problems; the totals are what du can see."""
    result = as_user([sys.executable, "-c", SCAN, tree, engine.value])
    assert (0, b"") == (result.returncode, result.stderr)
    totals, problems = json.loads(result.stdout)
    by_du = [as_user(["du", "-s", "--block-size=1", *word, tree]).stdout for word in ([], ["--apparent-size"])]

    assert [int(line.split()[0]) for line in by_du] == totals
    assert [
        ["names/deeper", Operation.STAT, EACCES],
        ["names/file", Operation.STAT, EACCES],
        ["names/link", Operation.STAT, EACCES],
        ["pass", Operation.OPEN, EACCES],
        ["shut", Operation.OPEN, EACCES],
    ] == sorted(problems)


@each_engine
def test_exit_status_and_report(tree: Path, engine: EngineName) -> None:
    """The command ends with status 1; --verbose lists every path that could not be read, with the reason."""
    result = as_user([*COMMAND, tree, "--verbose", "--engine", engine.value])

    assert (1, b"") == (result.returncode, result.stderr)
    for name in ("shut", "pass", "names/file", "names/deeper", "names/link"):
        assert f"{tree}/{name}\n" in result.stdout.decode()
    assert "5 paths could not be read" in result.stdout.decode()
    assert "Permission denied (EACCES)" in result.stdout.decode()


@each_engine
def test_json_warnings(tree: Path, engine: EngineName) -> None:
    """In JSON every problem is a warning, and counts among the skipped paths."""
    result = as_user([*COMMAND, tree, "--json", "--engine", engine.value])
    document = json.loads(result.stdout)

    assert (1, 5, 5) == (result.returncode, len(document["warnings"]), document["totals"]["skipped_paths"])


@each_engine
@pytest.mark.parametrize("name", ["shut", "pass"])
def test_a_root_that_cannot_be_read(tree: Path, engine: EngineName, name: str) -> None:
    """A root without permission is a problem of its own, status 1, not a failure."""
    result = as_user([*COMMAND, tree / name, "--json", "--engine", engine.value])
    document = json.loads(result.stdout)

    assert (1, 0, 1) == (result.returncode, document["totals"]["file_count"], document["totals"]["dir_count"])
    assert [str(tree / name)] == [warning["path"] for warning in document["warnings"]]


def test_a_root_in_a_shut_directory(tree: Path) -> None:
    """A root that cannot even be looked at is an error that names it, status 2."""
    result = as_user([*COMMAND, tree / "shut/deeper"])

    assert (2, b"") == (result.returncode, result.stdout)
    assert f"{tree}/shut/deeper" in result.stderr.decode()
    assert "Permission denied" in result.stderr.decode()


@each_engine
def test_permissions_that_change(tree: Path, engine: EngineName) -> None:
    """What becomes readable, and what no longer is, is seen by a rescan; a retry sees what could not be read alone."""
    result = as_user([sys.executable, "-c", RESCAN, tree, engine.value])

    assert (0, b"") == (result.returncode, result.stderr)
