"""Writing that fails, or is killed, leaves the former file or the new one, and nothing else."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spacemap.errors import SpacemapError
from spacemap.store.blocks import atomic_file
from spacemap.store.snapshot import open_snapshot, write_snapshot
from tests.scan.comparison import as_bytes
from tests.scan.processes import as_other_user, can_mount, environment, in_namespace, run_python, wait_until
from tests.scan.specs import make_tree, wide_tree
from tests.store.samples import everything, several_roots

KILLS = 25


def test_disk_full(place: Path) -> None:
    """On a full disk the command says so with status 3, the former file is intact, and no temporary one is left."""
    if not can_mount():
        pytest.skip("no mount namespace can be made here")
    tree = make_tree(place / "tree", wide_tree(200, 40))
    write_snapshot(place / "former", everything())
    result = in_namespace(
        'mount -t tmpfs -o size=64k none /mnt; cp "$1" /mnt/x.smap; status=0; '
        '"$2" -m spacemap --output /mnt/x.smap "$3" || status=$?; ls -A /mnt; cmp "$1" /mnt/x.smap; exit $status',
        place / "former",
        sys.executable,
        tree,
    )

    assert (3, b"x.smap\n") == (result.returncode, result.stdout)
    assert b"spacemap: '/mnt/x.smap': cannot be written: No space left on device; make room" in result.stderr
    assert 1 == result.stderr.count(b"\n")


def test_directory_that_is_read_only(place: Path) -> None:
    """Where a user may not write, nothing is scanned first; the line says where, and the former file is intact."""
    (place / "kept").mkdir()
    write_snapshot(place / "kept" / "x.smap", everything())
    (place / "kept").chmod(0o555)
    words = ["--output", place / "kept" / "x.smap", "/usr/share/doc"]
    command = [*as_other_user(place), sys.executable, "-m", "spacemap", *words]
    result = subprocess.run(command, capture_output=True, env=environment(), check=False, timeout=60)

    assert (3, b"") == (result.returncode, result.stdout)
    assert b"x.smap: its directory cannot be written to; name another place\n" in result.stderr
    assert ["x.smap"] == os.listdir(place / "kept")


def test_missing_directory(place: Path) -> None:
    """A place that is not there is an error that names it, and so is one that is a directory itself."""
    with pytest.raises(SpacemapError, match="cannot be written: No such file or directory"):
        write_snapshot(place / "missing" / "x.smap", everything())
    (place / "x.smap").mkdir()
    with pytest.raises(SpacemapError, match="it is there and no regular file"):
        write_snapshot(place / "x.smap", everything())

    assert ["x.smap"] == os.listdir(place)


def test_interrupt_while_writing(place: Path) -> None:
    """An interrupt removes what was written so far and leaves the former file."""
    (place / "x").write_bytes(b"former")

    def write() -> None:
        with atomic_file(place / "x") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()

    assert ([b"x"], b"former") == (os.listdir(os.fsencode(place)), (place / "x").read_bytes())


WRITER = """
import sys
from spacemap.store.snapshot import open_snapshot, write_snapshot
path, *others = sys.argv[1:]
snapshots = [open_snapshot(other).load() for other in others]
print("ready", flush=True)
while True:
    for snapshot in snapshots:
        write_snapshot(path, snapshot)
"""


def test_killed_while_writing(place: Path) -> None:
    """Whenever the writer is killed, the name leads to one whole snapshot or the other."""
    chance = random.Random(5)
    expected = []
    for name, snapshot in (("a", everything()), ("b", several_roots())):
        write_snapshot(place / name, snapshot)
        expected.append(as_bytes(snapshot))
    path = place / "x.smap"
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITER, path, place / "a", place / "b"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
            assert process.stdout is not None
            assert b"ready\n" == process.stdout.readline()
            wait_until(path.exists, "the first snapshot")
            until = time.monotonic() + chance.random() / 50
            wait_until(lambda moment=until: time.monotonic() >= moment, "the moment to kill")
            process.send_signal(signal.SIGKILL)
            process.wait()

        assert as_bytes(open_snapshot(path).load()) in expected


def test_two_writers_at_once(place: Path) -> None:
    """Of two programs that write the same file, the last one wins; no reader ever finds a mixture."""
    program = """
import sys
from spacemap.store.snapshot import open_snapshot, write_snapshot
snapshot = open_snapshot(sys.argv[2]).load()
for _ in range(40):
    write_snapshot(sys.argv[1], snapshot)
    open_snapshot(sys.argv[1]).load()
"""
    write_snapshot(place / "a", everything())
    write_snapshot(place / "b", several_roots())
    command = [sys.executable, "-c", program, place / "x.smap"]
    with subprocess.Popen([*command, place / "a"], env=environment()) as other:
        result = run_python(program, place / "x.smap", place / "b")
        other.wait()

    assert (0, 0) == (result.returncode, other.returncode)
    assert ["a", "b", "x.smap"] == sorted(os.listdir(place))
