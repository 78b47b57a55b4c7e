"""Trees with files that are twice, the same for everybody: `twins.py small|large|many PATH` makes one."""

import os
import sys
from pathlib import Path

import numpy as np

SMALL_FILES = 200_000
SMALL_SHARE = 0.3
MANY_FILES = 1_000_000
PER_DIRECTORY = 250
LARGE_BYTES = 3_000_000_000
LARGE_SHARE = 0.4
MIB = 1 << 20
_DONE = ".made"
_SEED = 20_261_125
_OLD_NS = 1_600_000_000_000_000_000


def tree_at(place: Path, name: str, part: float = 1.0) -> Path:
    """The tree of a name below `place`, made when it is not there yet; `part` of its files."""
    root = place / f"twins-{name}-{part:g}"
    if not (place / f"{root.name}{_DONE}").exists():
        root.mkdir(parents=True, exist_ok=True)
        {"small": _make_small, "large": _make_large, "many": _make_many}[name](root, part)
        os.sync()
        (place / f"{root.name}{_DONE}").touch()
    return root


def _make_small(root: Path, part: float) -> None:
    """Files of 0 to 64 KiB, most of them below 4 KiB; three of ten are copies of another."""
    random = np.random.default_rng(_SEED)
    count = int(SMALL_FILES * part)
    sizes = np.minimum((random.pareto(1.1, count) * 700).astype(np.int64) + 1, 65_536)
    copies = random.random(count) < SMALL_SHARE
    originals = np.flatnonzero(~copies)
    for number in range(count):
        directory = root / f"d{number // PER_DIRECTORY % 40:02}" / f"e{number // PER_DIRECTORY:04}"
        if number % PER_DIRECTORY == 0:
            directory.mkdir(parents=True, exist_ok=True)
        source = number
        if copies[number] and originals[0] < number:
            source = int(originals[random.integers(0, np.searchsorted(originals, number))])
        _write(directory / f"f{number:06}.dat", np.random.default_rng((_SEED, source)).bytes(int(sizes[source])))


def _make_large(root: Path, part: float) -> None:
    """Files of few sizes, 1 to 64 MiB; four of ten bytes are in copies, and most others begin as another one does."""
    random = np.random.default_rng(_SEED)
    left, number = int(LARGE_BYTES * part), 0
    sizes = [MIB, 2 * MIB + 1, 8 * MIB, 16 * MIB - 1, 64 * MIB]
    made: dict[int, list[int]] = {size: [] for size in sizes}
    while left > 0:
        size = sizes[int(random.integers(0, len(sizes)))]
        directory = root / f"d{number % 17:02}"
        directory.mkdir(exist_ok=True)
        is_copy = made[size] and random.random() < LARGE_SHARE
        seed = made[size][int(random.integers(0, len(made[size])))] if is_copy else number
        made[size] += [] if is_copy else [number]
        _write(directory / f"f{number:04}.bin", _content(size, seed))
        left, number = left - size, number + 1


def _make_many(root: Path, part: float) -> None:
    """A million files of 1 to 2,000 bytes, each with a content that one other has."""
    for number in range(int(MANY_FILES * part)):
        directory = root / f"d{number // 1000:04}"
        if number % 1000 == 0:
            directory.mkdir()
        (directory / f"f{number:07}").write_bytes(b"%d" % (number // 2) * (number // 2 % 250 + 1))


def _content(size: int, seed: int) -> bytes:
    """Bytes of a file: what all of its size begin with, 4 KiB to half of it, then its own."""
    common = min(size // 2, 4096 << seed % 10)
    shared = np.random.default_rng((_SEED, size)).bytes(common)
    return shared + np.random.default_rng((_SEED, size, seed)).bytes(size - common)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(_OLD_NS, _OLD_NS))


def main(name: str, place: str) -> None:
    """Make one tree."""
    print(tree_at(Path(place), name))


if __name__ == "__main__":
    main(*sys.argv[1:])
