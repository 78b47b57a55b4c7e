"""Edits of a real tree, for Hypothesis: each is a word and two numbers that choose what it is done to."""

import os
import random
import shutil
from collections.abc import Callable
from errno import EBUSY, EINVAL, ELOOP, ENOTEMPTY, ENXIO
from pathlib import Path

from hypothesis import strategies as st

from tests.conftest import remove
from tests.scan.specs import Entry, make_tree

NAMES = [b"0", b"1", b"a", b"\xff\xfe", "宽".encode(), b"CACHEDIR.TAG", b"prune", b"x.iso", b"y" * 200, b"new\n"]
TIMES = [0, -86_400, 10**9, 4_000_000_000]
OWNERS = [0, 1, 1000, 70_000]
TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n"


def edited_tree(top: Path) -> Path:
    """Make a tree of 60 directories in three roots and a file that is a fourth, some of them hard links."""
    entries = []
    for number in range(60):
        directory = f"{'abc'[number % 3]}/{number % 7}/{number}"
        entries += [Entry(f"{directory}/{each}", content=each * 900) for each in range(number % 4)]
        if number % 5 == 0:
            entries.append(Entry(f"{directory}/link", "link", target="a/0/21/0" if number > 21 else "lone"))
        if number % 11 == 0:
            entries += [Entry(f"{directory}/to", "symlink", target="0"), Entry(f"{directory}/fifo", "fifo")]
    first = Entry("lone", content=3000), Entry("a/0/21/0", content=12_000)
    return make_tree(top, [*first, *(each for each in entries if each.path != "a/0/21/0"), Entry("empty", "directory")])


class Edits:
    """Does edits to what is below some roots, the roots themselves excepted."""

    def __init__(self, top: Path, roots: list[Path]) -> None:
        self._top = os.fsencode(top)
        self._roots = {os.fsencode(root) for root in roots}

    def __call__(self, word: str, first: int, second: int) -> None:
        """Do one edit; one that the file system does not allow is none."""
        operation: Callable[[int, int], None] = getattr(self, "_" + word)
        try:
            operation(first, second)
        except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError):
            return
        except OSError as error:
            if error.errno not in (EBUSY, EINVAL, ELOOP, ENOTEMPTY, ENXIO):
                raise

    def _all(self) -> tuple[list[bytes], list[bytes]]:
        """Return the directories that may be changed, and all else."""
        directories, others = [], []
        for path, below, files in os.walk(self._top):
            links = [name for name in below if os.path.islink(os.path.join(path, name))]
            others += [os.path.join(path, name) for name in (*files, *links)]
            directories.append(path)
        is_free = self._roots.isdisjoint
        return sorted(d for d in directories if d != self._top), sorted(o for o in others if is_free([o]))

    def _directory(self, number: int) -> bytes:
        directories = self._all()[0]
        return directories[number % len(directories)]

    def _free_directory(self, number: int) -> bytes:
        """Return a directory that may be moved or removed."""
        directories = [each for each in self._all()[0] if each not in self._roots]
        return directories[number % len(directories)]

    def _file(self, number: int) -> bytes:
        others = self._all()[1]
        if not others:
            raise FileNotFoundError
        return others[number % len(others)]

    def _place(self, number: int) -> bytes:
        return os.path.join(self._directory(number), NAMES[number // 7 % len(NAMES)])

    def _any(self, number: int) -> bytes:
        return self._file(number // 2) if number % 2 else self._directory(number // 2)

    def _create(self, first: int, second: int) -> None:
        with open(self._place(first), "xb") as file:
            file.write(TAG if second % 3 == 0 else b"x" * (second % 40_000))

    def _append(self, first: int, second: int) -> None:
        path = self._file(first)
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "ab") as file:
                file.write(b"y" * (second % 50_000))

    def _truncate(self, first: int, second: int) -> None:
        path = self._file(first)
        if os.path.isfile(path) and not os.path.islink(path):
            os.truncate(path, second * 10**6 if second % 5 == 0 else second % 9000)

    def _tag(self, first: int, second: int) -> None:
        path = os.path.join(self._directory(first), b"CACHEDIR.TAG")
        self._write(path, TAG if second % 3 else b"nothing".ljust(len(TAG)), os.O_CREAT * (second % 2))

    def _unlink(self, first: int, _: int) -> None:
        Path(os.fsdecode(self._file(first))).unlink()

    def _rename_file(self, first: int, second: int) -> None:
        os.rename(self._file(first), self._place(second))

    def _rename_directory(self, first: int, second: int) -> None:
        os.rename(self._free_directory(first), self._place(second))

    def _swap(self, first: int, second: int) -> None:
        one, other, aside = self._free_directory(first), self._free_directory(second), self._top + b"/aside"
        if one.startswith(other + b"/") or other.startswith(one + b"/") or one == other:
            return
        os.rename(one, aside)
        os.rename(other, one)
        os.rename(aside, other)

    def _remove(self, first: int, _: int) -> None:
        remove(Path(os.fsdecode(self._free_directory(first))))

    def _to_file(self, first: int, second: int) -> None:
        path = self._free_directory(first)
        os.rename(path, self._top + b"/kept")
        if second % 2:
            os.symlink(b"../kept", path)
        else:
            self._write(path)
        if second % 3 == 0:
            Path(os.fsdecode(path)).unlink()
            os.rename(self._top + b"/kept", path)
        else:
            remove(Path(os.fsdecode(self._top)) / "kept")

    def _write(self, path: bytes, content: bytes = b"was a directory", flags: int = os.O_CREAT | os.O_TRUNC) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | flags)  # a fifo would wait for its reader
        os.write(descriptor, content)
        os.close(descriptor)

    def _new_inode(self, first: int, _: int) -> None:
        path = self._free_directory(first)
        os.rename(path, self._top + b"/old")
        os.mkdir(path)
        for name in os.listdir(self._top + b"/old"):
            os.rename(os.path.join(self._top, b"old", name), os.path.join(path, name))
        Path(os.fsdecode(self._top), "old").rmdir()

    def _copy(self, first: int, second: int) -> None:
        source, into = self._free_directory(first), self._place(second)
        if into.startswith(source + b"/"):
            return
        os.mkdir(into)
        for entry in os.scandir(source):
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size < 1 << 20:
                shutil.copy2(entry.path, into)

    def _link(self, first: int, second: int) -> None:
        os.link(self._file(first), self._place(second), follow_symlinks=False)

    def _symlink(self, first: int, second: int) -> None:
        os.symlink(b"z" * (second % 90 + 1), self._place(first))

    def _special(self, first: int, second: int) -> None:
        os.mknod(self._place(first), 0o010600 if second % 2 else 0o140600)

    def _mkdir(self, first: int, _: int) -> None:
        os.mkdir(self._place(first))

    def _chmod(self, first: int, second: int) -> None:
        path = self._any(first)
        if not os.path.islink(path):
            os.chmod(path, 0o700 | second % 64)

    def _chown(self, first: int, second: int) -> None:
        """Give anything to somebody, where that is allowed."""
        if os.geteuid() == 0:
            os.chown(self._any(first), OWNERS[second % len(OWNERS)], -1, follow_symlinks=False)

    def _touch(self, first: int, second: int) -> None:
        time = TIMES[second % len(TIMES)] * 10**9 + second
        os.utime(self._any(first), ns=(time, time), follow_symlinks=False)

    def _hide(self, first: int, second: int) -> None:
        """Change a directory, or a file, and give it its old times again."""
        path = self._any(first)
        old = os.lstat(path)
        if os.path.isdir(path) and not os.path.islink(path):
            self._write(os.path.join(path, NAMES[second % 5]))
        elif os.path.isfile(path) and not os.path.islink(path):
            self._append(first // 2, second)
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns), follow_symlinks=False)

    def _there_and_back(self, first: int, second: int) -> None:
        path = self._free_directory(first)
        os.rename(path, self._top + b"/aside")
        if second % 2:
            self._write(os.path.join(self._top, b"aside", b"1"))
        os.rename(self._top + b"/aside", path)


WORDS = sorted(
    name[1:]
    for name in vars(Edits)
    if name.startswith("_") and not name.startswith("__")
    and name not in ("_all", "_directory", "_free_directory", "_file", "_place", "_any", "_write")
)  # fmt: skip
NUMBERS = st.integers(0, 4000)
one_edit = st.tuples(st.sampled_from(WORDS), NUMBERS, NUMBERS)


def random_edits(seed: int, count: int) -> list[tuple[str, int, int]]:
    """Return so many edits, the same for the same seed."""
    chance = random.Random(seed)
    return [(chance.choice(WORDS), chance.randrange(4000), chance.randrange(4000)) for _ in range(count)]
