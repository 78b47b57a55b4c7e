"""The check of known entries: the C of it under the sanitizers, and equal to its twin in Python."""

import errno
import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from spacemap.scan import EngineName, scan
from spacemap.scan.engine import engine_states
from spacemap.scan.stale import _known, _open_roots
from spacemap.tree.rollup import depth_first
from spacemap.tree.tree import Tree
from tests.conftest import remove
from tests.native.building import SANITIZERS, build
from tests.scan.edits import Edits, random_edits
from tests.scan.processes import REPOSITORY, environment
from tests.scan.specs import Entry, make_tree, read_spec, wide_tree

SOURCES = [REPOSITORY / "spacemap/scan" / f"{name}.c" for name in ("_check", "_listdir", "_batch", "_open")]
HARNESS = Path(__file__).parent / "check_harness.c"
REASON = {state.name: state.reason for state in engine_states()}[EngineName.NATIVE]
needs_native = pytest.mark.skipif(bool(REASON), reason=REASON)
Mask = npt.NDArray[np.bool_]


@pytest.fixture(scope="module", params=SANITIZERS)
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the harness built with a sanitizer."""
    return build(tmp_path_factory.mktemp("harness"), request.param, HARNESS, SOURCES, "-Wl,--wrap=column_reserve")


@pytest.fixture
def tree(tmpfs_place: Path) -> Path:
    """Return a tree of many directories, deep ones beyond PATH_MAX, and hostile names."""
    chain = Entry("far", "chain", levels=40, length=200, content=10)
    specs = [*wide_tree(150, 6), *read_spec("deep"), *read_spec("hostile"), chain]
    return make_tree(tmpfs_place / "tree", specs)


class Recorder:
    """Stands for `_native.Known`: keeps the columns it is given."""

    columns: list[bytes]

    def __init__(self, *columns: object) -> None:
        *known, _fds, wanted, _differs = (memoryview(column) for column in columns)  # type: ignore[arg-type]
        views = [*known, wanted]
        self.columns = [
            struct.pack("<QQ", view.itemsize, view.nbytes) + bytes(view) + bytes(-view.nbytes % 8) for view in views
        ]


def _write_columns(path: Path, tree: Tree, wanted: Mask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr("spacemap.scan._native.Known", Recorder)
        recorder = _known(EngineName.NATIVE, tree, depth_first(tree), [], wanted, wanted)
    assert isinstance(recorder, Recorder)
    path.write_bytes(b"".join(recorder.columns))


def _by_python(tree: Tree, roots: dict[int, bytes], wanted: Mask, engine: EngineName = EngineName.PYTHON) -> Mask:
    differs = np.zeros(len(tree), np.bool_)
    fds = _open_roots(roots)
    _known(engine, tree, depth_first(tree), fds, wanted, differs).check(0, len(tree.directories.entry))
    for fd in fds:
        if fd >= 0:
            os.close(fd)
    return differs


def _run(harness: Path, *words: str | Path) -> tuple[Mask, int]:
    result = subprocess.run(
        [harness, *words],
        capture_output=True,
        check=False,
        timeout=120,
        env=environment(ASAN_OPTIONS="detect_leaks=1", TSAN_OPTIONS="halt_on_error=1"),
    )
    assert (0, b"") == (result.returncode, result.stderr)
    digits, error = result.stdout.split()
    return np.frombuffer(digits, np.uint8) != ord("0"), int(error)


def nothing(root: Path) -> None:
    """Let the tree be what it was."""


def edited(root: Path) -> None:
    edit = Edits(root, [root])
    for each in random_edits(11, 60):
        edit(*each)


def gone(root: Path) -> None:
    remove(root)


def another(root: Path) -> None:
    remove(root)
    root.write_text("a file")


@needs_native
@pytest.mark.parametrize("change", [nothing, edited, gone, another], ids=lambda change: change.__name__)
@pytest.mark.parametrize("wants", [1.0, 0.3], ids=["all", "some"])
def test_under_sanitizers(
    harness: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], wants: float
) -> None:
    """Whatever became of a tree, many threads find of it what the twin in Python finds."""
    known = scan([tree]).tree
    wanted = np.random.default_rng(7).random(len(known)) < wants
    wanted[0] = False
    columns = tree.parent / "columns"
    _write_columns(columns, known, wanted, monkeypatch)
    change(tree)
    expected = _by_python(known, {0: os.fsencode(tree)}, wanted)

    differs, error = _run(harness, columns, "8", "0", "true", tree)

    assert (0, expected.tolist()) == (error, differs.tolist())
    assert change is not nothing or not differs.any()
    assert change not in (gone, another) or (differs == wanted).all()


@needs_native
def test_a_root_that_goes_away(harness: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a root is removed after it was opened everything in it differs."""
    known = scan([tree]).tree
    wanted = np.arange(len(known)) > 0
    columns = tree.parent / "columns"
    _write_columns(columns, known, wanted, monkeypatch)

    differs, error = _run(harness, columns, "4", "0", f"rm -r '{tree}'", tree)

    assert (0, True) == (error, bool((differs == wanted).all()))


@needs_native
@pytest.mark.parametrize("failing", ["1", "2", "77"])
def test_out_of_memory(harness: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """When memory runs out the check says so, and leaves nothing behind."""
    known = scan([tree]).tree
    wanted = np.arange(len(known)) > 0
    columns = tree.parent / "columns"
    _write_columns(columns, known, wanted, monkeypatch)

    differs, error = _run(harness, columns, "3", failing, "true", tree)

    assert (errno.ENOMEM, False) == (error, bool(differs.any()))


@needs_native
@pytest.mark.parametrize("seed", range(6))
def test_twins(tree: Path, seed: int) -> None:
    """The native and the python check find the same entries to differ, below several roots, one of them gone."""
    roots = [tree / "0", tree / "far", tree / "1", tree / "2"]
    known = scan(roots).tree
    paths = {entry: known.name(entry) for entry in known.children(0)}
    edit = Edits(tree, roots)
    for each in random_edits(seed, 30):
        edit(*each)
    remove(tree / "2")
    wanted = np.arange(len(known)) > len(roots)

    differs = [_by_python(known, paths, wanted, engine) for engine in (EngineName.NATIVE, EngineName.PYTHON)]

    assert differs[0].tolist() == differs[1].tolist()
    assert 0 < np.count_nonzero(differs[0]) < np.count_nonzero(wanted)
