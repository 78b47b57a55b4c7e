"""What every test can ask for: places on the disk that go with it, however deep they became."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The disk and the processes of these tests have no deadline of milliseconds; failures must be the same tomorrow.
settings.register_profile(
    "spacemap",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("spacemap")

SHARED_MEMORY = Path("/dev/shm")


def remove(path: Path) -> None:
    """Remove a tree of any depth and with any modes."""
    # `rm` goes by descriptors; shutil.rmtree recurses.
    subprocess.run(["chmod", "-Rf", "u+rwx", path], check=False)
    subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Return an empty directory, removed afterwards even where shutil.rmtree cannot."""
    path = tmp_path / "place"
    path.mkdir()
    yield path
    remove(path)


@pytest.fixture(scope="module")
def large_place() -> Iterator[Path]:
    """Return an empty directory for a large tree of a module, in memory where there is a tmpfs."""
    path = Path(tempfile.mkdtemp(prefix="spacemap-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None))
    yield path
    remove(path)


@pytest.fixture
def tmpfs_place() -> Iterator[Path]:
    """Return an empty directory on a tmpfs, which can hold what an ordinary file system cannot."""
    if not SHARED_MEMORY.is_dir():
        pytest.skip("no tmpfs at /dev/shm")
    path = Path(tempfile.mkdtemp(prefix="spacemap-", dir=SHARED_MEMORY))
    yield path
    remove(path)


@pytest.fixture
def only_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even small trees be listed by worker processes."""
    monkeypatch.setattr("spacemap.scan.run._Scan._list_alone", lambda _: None)
