"""A directory that never answers costs itself, not the scan."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.scan import EngineName
from tests.scan.engines import each_engine
from tests.scan.processes import COMMAND, environment
from tests.scan.specs import Entry, make_tree

SERVER = Path(__file__).parent / "fuse.py"
UNSHARE = ["unshare", "-m", sys.executable, SERVER]


def _can_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run([*UNSHARE, "/mnt", "lookup", "true"], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _can_mount(), reason="mounting a file system of one's own needs root and /dev/fuse")


@pytest.mark.parametrize("hangs_at", ["opendir", "lookup"])
@each_engine
def test_a_directory_that_hangs(place: Path, engine: EngineName, hangs_at: str) -> None:
    """After --stall-timeout a directory that cannot be opened or measured is a problem, and all else is counted."""
    root = make_tree(
        place / "tree", [Entry("a/file", content=5000), Entry("mnt", "directory"), Entry("z/file", content=1)]
    )
    command = [*UNSHARE, root / "mnt", hangs_at, *COMMAND, root, "--json", "--stall-timeout", "1"]

    result = subprocess.run(
        [*command, "--engine", engine.value], capture_output=True, env=environment(), check=False, timeout=60
    )
    assert (1, b"") == (result.returncode, result.stderr)
    document = json.loads(result.stdout)

    assert [str(root / "mnt/stuck")] == [warning["path"] for warning in document["warnings"]]
    assert "given up while being listed: Connection timed out" in document["warnings"][0]["error"]
    assert (3, 6) == (document["totals"]["file_count"], document["totals"]["dir_count"])
    assert any("hung in a directory for 1 s" in note for note in document["scan"]["notes"])


@each_engine
def test_a_root_that_hangs(place: Path, engine: EngineName) -> None:
    """When the root itself hangs, workers are lost three times; then it is given up, and the scan ends."""
    command = [*UNSHARE, place, "opendir", *COMMAND, place / "stuck", "--json", "--stall-timeout", "0.3"]

    result = subprocess.run(
        [*command, "--engine", engine.value], capture_output=True, env=environment(), check=False, timeout=60
    )
    assert (1, b"") == (result.returncode, result.stderr)

    assert [str(place / "stuck")] == [warning["path"] for warning in json.loads(result.stdout)["warnings"]]
