"""The C core that compares contents, alone, under the sanitizers, in several threads at once."""

import subprocess
from pathlib import Path

import pytest

from spacemap.analyze.contents import State
from tests.native.building import SANITIZERS, build
from tests.scan.processes import REPOSITORY

SOURCES = [REPOSITORY / "spacemap/analyze" / f"{name}.c" for name in ("_partition", "_reading", "_xxh3")]
HARNESS = Path(__file__).parent / "contents_harness.c"


@pytest.fixture(scope="module", params=SANITIZERS)
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the harness built with a sanitizer."""
    # Without the wider twin of each function: the system chooses before a sanitizer is ready.
    return build(tmp_path_factory.mktemp("harness"), request.param, HARNESS, SOURCES, "-DONE_WIDTH")


@pytest.mark.parametrize("size", [1, 3, 240, 4096, 4100, 300_000])
@pytest.mark.parametrize(("memory", "open_files"), [(1 << 16, 1), (4 << 20, 100)], ids=["little", "enough"])
def test_parts(harness: Path, place: Path, size: int, memory: int, open_files: int) -> None:
    """Files of one size come in parts by their contents, whatever the memory and the descriptors; one that is missing
    has changed."""
    names = [f"f{number}" for number in range(40)]
    for number, name in enumerate(names):
        content = bytearray(size)
        content[size // 2] = number % 7
        (place / name).write_bytes(content)
    command = [harness, str(memory), str(open_files), place, "missing", *names]
    result = subprocess.run(command, capture_output=True, check=False)
    assert (0, b"") == (result.returncode, result.stderr)
    (missing, _), *found = (tuple(map(int, line.split())) for line in result.stdout.splitlines())
    parts = [part for _, part in found]

    assert State.CHANGED == missing
    assert {State.EQUAL} == {state for state, _ in found}
    assert [parts[number % 7] for number in range(40)] == parts
    assert 7 == len(set(parts))
