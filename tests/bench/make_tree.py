"""Deterministic directory trees to measure on: the same names, sizes and links on every machine."""

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = 2
"""Part of each tree's directory name; raise it whenever a tree would come out different."""

SEED = 20_250_207
MAX_DEPTH = 12
LARGEST_DIRECTORY = 420
EMPTY_SHARE = 0.12
CONTENT_SHARE = 0.15
BLOCK = 4096
MEAN_AGE = 300 * 86_400
"""Seconds before the tree was made; ages are exponential, so a fortieth of the directories is younger than a week."""

_WORDS = (
    "index main test data util config model view parse report image cache module build schema common client server "
    "handler session worker locale header footer sample backup draft invoice photo track layout widget matrix vector"
).split()
_EXTENSIONS = (
    ".py .js .js .ts .json .json .md .txt .html .css .c .h .o .so .pyc .pyc .png .jpg .svg .xml .yaml .toml .log .gz"
    " .zip .pdf .csv .db .rs .go .java .class .map .lock"
).split()


@dataclass(frozen=True, slots=True)
class TreeSpec:
    """What a tree holds. `files` counts every entry that is not a directory, `directories` includes the root."""

    name: str
    files: int
    directories: int
    symlinks: int
    hard_links: int
    """Names that point to a file which has another name already."""
    sparse_files: int


MILLION = TreeSpec("million", 1_000_000, 80_000, symlinks=5_000, hard_links=4_000, sparse_files=300)
SMALL = TreeSpec("small", 10_000, 800, symlinks=50, hard_links=40, sparse_files=5)
HUGE = TreeSpec("huge", 500_000, 1, symlinks=0, hard_links=0, sparse_files=0)
QUICK_MILLION = TreeSpec("quick-million", 100_000, 8_000, symlinks=500, hard_links=400, sparse_files=30)
QUICK_HUGE = TreeSpec("quick-huge", 50_000, 1, symlinks=0, hard_links=0, sparse_files=0)


@dataclass(frozen=True, slots=True)
class TreeStatistics:
    """Counted while the tree was made."""

    entries: int
    """Names below the root, plus the root."""
    depth: int
    """Depth of the deepest directory; the root has 0."""
    median_entries: int
    """Entries in the median directory."""
    largest: int
    """Entries in the largest directory."""
    with_content: int
    """Files that take blocks."""


def default_place(environment: Mapping[str, str]) -> Path:
    """The directory that holds the trees: below $TMPDIR, else below /var/tmp, which is seldom a RAM disk."""
    return Path(environment.get("TMPDIR", "/var/tmp")) / "spacemap-bench"


def tree_at(place: Path, spec: TreeSpec) -> tuple[Path, TreeStatistics]:
    """The root of the tree, made first unless its stamp is there, and its statistics."""
    root = place / f"{spec.name}-v{VERSION}"
    stamp = place / f"{spec.name}-v{VERSION}.json"
    if stamp.exists():
        return root, TreeStatistics(**json.loads(stamp.read_text())["statistics"])
    place.mkdir(parents=True, exist_ok=True)
    # A tree without a stamp was left half made. rm is ten times faster than shutil.rmtree on a million files.
    subprocess.run(["rm", "-rf", "--", str(root)], check=True)
    statistics = _make(root, spec)
    os.sync()
    stamp.write_text(json.dumps({"spec": asdict(spec), "statistics": asdict(statistics)}, indent=1) + "\n")
    return root, statistics


def _parents(spec: TreeSpec, rng: random.Random) -> list[int]:
    """The parent of each directory, 0 for the root. Fan-out is heavy-tailed: who has children gets more."""
    parents = [0]
    depths = [0]
    candidates = [0]
    for number in range(1, spec.directories):
        parent = candidates[rng.randrange(len(candidates))]
        while depths[parent] >= MAX_DEPTH:
            parent = parents[parent]
        parents.append(parent)
        depths.append(depths[parent] + 1)
        candidates += (parent, number, number)
    return parents


def _file_counts(spec: TreeSpec, rng: random.Random) -> list[int]:
    """How many files each directory holds: log-normal, some empty, summing to exactly `spec.files`."""
    if spec.directories == 1:
        return [spec.files]
    weights = [0.0 if rng.random() < EMPTY_SHARE else math.exp(rng.gauss(0.0, 1.25)) for _ in range(spec.directories)]
    scale = spec.files / sum(weights)
    counts = [min(LARGEST_DIRECTORY, int(weight * scale)) for weight in weights]
    missing = spec.files - sum(counts)
    while missing:
        number = rng.randrange(spec.directories)
        if weights[number] and counts[number] < LARGEST_DIRECTORY:
            counts[number] += 1
            missing -= 1
    return counts


def _names(count: int, rng: random.Random) -> Iterator[bytes]:
    """`count` different file names of about 8 to 24 bytes, in no particular order."""
    start = rng.randrange(1 << 12)
    for number in range(count):
        word = _WORDS[int(rng.random() * len(_WORDS))]
        extension = _EXTENSIONS[int(rng.random() * len(_EXTENSIONS))]
        if rng.random() < 0.3:
            word += "_" + _WORDS[int(rng.random() * len(_WORDS))]
        yield f"{word}{start + number:x}{extension}".encode()


class _Maker:
    """Creates the files of one directory after another, and counts what the statistics need."""

    def __init__(self, spec: TreeSpec, rng: random.Random) -> None:
        self.with_content = 0
        self._rng = rng
        # One number per file, in order of creation, says what is special about it.
        special = rng.sample(range(1, spec.files), spec.symlinks + spec.hard_links + spec.sparse_files)
        links, rest = spec.symlinks, spec.symlinks + spec.hard_links
        self._symlinks = frozenset(special[:links])
        self._hard_links = frozenset(special[links:rest])
        self._sparse = frozenset(special[rest:])
        self._number = 0
        self._now = int(time.time())
        self._link_source = b""

    def fill(self, path: bytes, count: int) -> None:
        """Make `count` files in the directory at `path`."""
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        for name in _names(count, self._rng):
            self._make_file(directory, path, name)
            self._number += 1
        os.close(directory)

    def date(self, path: bytes) -> None:
        """Give a directory its time, after everything in it was made."""
        os.utime(path, (self._now, self._now - int(self._rng.expovariate(1 / MEAN_AGE))))

    def _make_file(self, directory: int, path: bytes, name: bytes) -> None:
        if self._number in self._symlinks:
            os.symlink(b"../" + name, name, dir_fd=directory)
            return
        if self._number in self._hard_links:
            os.link(self._link_source, name, dst_dir_fd=directory)
            return
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=directory)
        if self._number in self._sparse:
            os.pwrite(file, b"end", 1 << self._rng.randrange(20, 34))
            self.with_content += 1
        elif self._rng.random() < CONTENT_SHARE:
            os.posix_fallocate(file, 0, 1 + min(64 * BLOCK, int(math.exp(self._rng.gauss(6.5, 1.6)))))
            self.with_content += 1
        os.utime(file, (self._now, self._now - int(self._rng.expovariate(1 / MEAN_AGE))))
        os.close(file)
        # Every 500th file may get more names: near enough for groups that span directories, far enough to vary.
        if self._number % 500 == 0 or not self._link_source:
            self._link_source = path + b"/" + name


def _make(root: Path, spec: TreeSpec) -> TreeStatistics:
    """Make the tree depth first, as an unpacked archive would come, and return what was made."""
    rng = random.Random(SEED)
    parents = _parents(spec, rng)
    counts = _file_counts(spec, rng)
    children: list[list[int]] = [[] for _ in parents]
    for number in range(1, len(parents)):
        children[parents[number]].append(number)
    maker = _Maker(spec, rng)
    deepest = 0
    made = []
    pending = [(0, 0, os.fsencode(root))]
    while pending:
        number, depth, path = pending.pop()
        deepest = max(deepest, depth)
        os.mkdir(path)
        made.append(path)
        maker.fill(path, counts[number])
        for child in reversed(children[number]):
            name = f"{_WORDS[child % len(_WORDS)]}-{child:x}".encode()
            pending.append((child, depth + 1, path + b"/" + name))
    for path in reversed(made):
        maker.date(path)
    sizes = sorted(count + len(below) for count, below in zip(counts, children, strict=True))
    return TreeStatistics(
        entries=spec.files + spec.directories,
        depth=deepest,
        median_entries=sizes[len(sizes) // 2],
        largest=sizes[-1],
        with_content=maker.with_content,
    )


if __name__ == "__main__":
    for wanted in (SMALL, MILLION, HUGE):
        print(*tree_at(Path(sys.argv[1]), wanted))
