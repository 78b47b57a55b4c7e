"""The C core of the native engine alone, under the sanitizers, while another thread meddles."""

import errno
import subprocess
from pathlib import Path

import pytest

from tests.native.building import SANITIZERS, build
from tests.scan.measure_by_du import du
from tests.scan.processes import REPOSITORY, environment
from tests.scan.specs import make_tree, read_spec, wide_tree

SOURCES = [REPOSITORY / "spacemap/scan" / f"{name}.c" for name in ("_walk", "_listdir", "_batch", "_open")]
HARNESS = Path(__file__).parent / "harness.c"


@pytest.fixture(scope="module", params=SANITIZERS)
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the harness built with a sanitizer."""
    return build(tmp_path_factory.mktemp("harness"), request.param, HARNESS, SOURCES)


@pytest.fixture(scope="module")
def tree(large_place: Path) -> Path:
    """Return a tree of many directories, deep ones, large ones and hostile names."""
    root = make_tree(large_place / "tree", [*wide_tree(400, 8), *read_spec("deep"), *read_spec("hostile")])
    (root / "large").mkdir()
    for number in range(5000):
        (root / f"large/{number * 7919 % 5003}").touch()
    return root


def _run(harness: Path, *words: str | Path) -> tuple[int, int, int]:
    """Return entries, bytes, and the errno that ended the walk."""
    result = subprocess.run(
        [harness, *words],
        capture_output=True,
        check=False,
        timeout=120,
        env=environment(ASAN_OPTIONS="detect_leaks=1", TSAN_OPTIONS="halt_on_error=1"),
    )
    assert (0, b"") == (result.returncode, result.stderr)
    entries, size, failed = map(int, result.stdout.split())
    return entries, size, failed


@pytest.mark.parametrize("mode", ["memory", "pipe"])
@pytest.mark.parametrize("listers", ["1", "4", "16"])
def test_walk(harness: Path, tree: Path, mode: str, listers: str) -> None:
    """Whoever lists and whatever is taken away meanwhile, every entry is found once and the sum is du's."""
    entries = sum(
        1 for _ in subprocess.run(["find", tree, "-printf", "x\\n"], capture_output=True, check=True).stdout.split()
    )

    assert (entries - 1, du("-l", tree), 0) == _run(harness, tree, listers, mode)


@pytest.mark.parametrize("name", ["0003", "3", "large", "nothing"])
def test_exclusions(harness: Path, tree: Path, name: str) -> None:
    """An exclusion is asked once a directory with all its names, and what it excludes is not counted."""
    _, size, failed = _run(harness, tree, "4", "memory", name)

    assert (du("-l", f"--exclude={name}", tree), 0) == (size, failed)


@pytest.mark.parametrize("listers", ["1", "16"])
def test_stopped_early(harness: Path, tree: Path, listers: str) -> None:
    """A walk that is stopped halfway leaves nothing behind."""
    entries, _, failed = _run(harness, tree, listers, "abort")

    assert (True, 0) == (entries > 0, failed)


@pytest.mark.parametrize("listers", ["1", "16"])
def test_nobody_reads(harness: Path, tree: Path, listers: str) -> None:
    """When the reader is gone the walk ends, and says why."""
    assert errno.EPIPE == _run(harness, tree, listers, "closed")[2]
