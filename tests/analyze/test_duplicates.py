"""Duplicates on real trees: the groups are those of an oracle that reads everything, whatever the contents are."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacemap.analyze.contents import Engine, engine_of, load
from tests.analyze.finding import OLD_NS, oracle, search, sets

_NATIVE = "spacemap.analyze._contents"
_PYTHON = "spacemap.analyze._python_contents"
_BOUNDS = (1, 3, 4, 8, 9, 16, 17, 128, 129, 240, 241, 1024, 4095, 4096, 4097, 8192, 16384, 20_000, 262_144, 300_000)


@pytest.fixture(params=[_NATIVE, _PYTHON], ids=["native", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let contents be compared by one of both."""
    if request.param == _NATIVE and load().name != _NATIVE:
        pytest.skip("the C part was not built")
    module = engine_of(request.param)
    monkeypatch.setattr("spacemap.analyze.duplicates.load", lambda: module)
    return module


@st.composite
def contents(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Draw files of few sizes: size, where the one byte is that tells it from others, and which one it is."""
    sizes = draw(st.lists(st.sampled_from(_BOUNDS), min_size=1, max_size=3))
    file = st.tuples(st.sampled_from(sizes), st.sampled_from((0, 1, 4095, 4096, 100_000, -1)), st.integers(0, 2))
    return draw(st.lists(file, min_size=2, max_size=14))


def _write(path: Path, size: int, at: int, value: int) -> None:
    data = bytearray(b"x" * size)
    data[at if -size <= at < size else size // 2] = value
    path.write_bytes(data)
    os.utime(path, ns=(OLD_NS, OLD_NS))


@settings(max_examples=60)
@given(files=contents(), links=st.lists(st.integers(0, 13), max_size=3))
def test_groups_are_those_of_the_oracle(engine: Engine, files: list[tuple[int, int, int]], links: list[int]) -> None:
    """Files of equal sizes, beginnings and ends are told apart as SHA-256 of everything does; links are one file."""
    with TemporaryDirectory() as name:
        root = Path(name)
        for number, (size, at, value) in enumerate(files):
            (root / f"d{number % 3}").mkdir(exist_ok=True)
            _write(root / f"d{number % 3}" / f"f{number}", size, at, value)
        for number, of in enumerate(links):
            of %= len(files)
            os.link(root / f"d{of % 3}" / f"f{of}", root / f"link{number}")
        (root / "empty").touch()
        (root / "void").touch()
        (root / "symlink").symlink_to("d0/f0")
        snapshot, found = search(root)

        assert oracle(root) == sets(snapshot, found)
        assert 2 == len(found.empty)
