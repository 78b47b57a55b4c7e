"""Trees as data: what stands in a spec is made on the disk, name by name, relative to descriptors.

A spec is a TOML file in fixtures/trees. Its paths are below the root, in the reversible text of
`spacemap.tree.names`; missing directories on the way are made. Kinds: file (`content` bytes of data, then a hole
up to `size`), link (to the path `target`), symlink (to the text `target`), fifo, socket, directory, and chain:
`levels` directories one in the other, each with a name of `length` characters and a file of `content` bytes.
"""

import os
import stat
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from spacemap.tree.names import text_to_name

TREES = Path(__file__).parents[2] / "fixtures" / "trees"
TREE_NAMES = sorted(path.stem for path in TREES.glob("*.toml"))

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True)
class Entry:
    """One line of a spec."""

    path: str
    kind: str = "file"
    content: int = 0
    size: int = 0
    target: str = ""
    mtime: int | None = None
    """Seconds."""
    mode: int | None = None
    owner: int | None = None
    levels: int = 0
    length: int = 0


def read_spec(name: str) -> list[Entry]:
    """Return the entries of a fixture."""
    document = tomllib.loads((TREES / f"{name}.toml").read_text("utf-8"))
    return [Entry(**entry) for entry in document["entry"]]


def needs_tmpfs(entries: Iterable[Entry]) -> bool:
    """Return whether a spec holds what ext4 and its like cannot."""
    return any(entry.size > 1 << 43 or not -(1 << 31) <= (entry.mtime or 0) < 1 << 34 for entry in entries)


def make_tree(root: Path, entries: Iterable[Entry]) -> Path:
    """Make the entries below a new directory and return it."""
    root.mkdir()
    top = os.open(root, DIRECTORY_FLAGS)
    entries = list(entries)
    try:
        for entry in entries:
            with _parent(top, text_to_name(entry.path)) as (at, name):
                _make(entry, name, at, top)
        # What is made in a directory changes its time, and a mode may forbid more: the deepest come first.
        for entry in sorted(entries, key=lambda each: -each.path.count("/")):
            with _parent(top, text_to_name(entry.path)) as (at, name):
                _finish(entry, name, at)
    finally:
        os.close(top)
    return root


@contextmanager
def _parent(top: int, path: bytes) -> Iterator[tuple[int, bytes]]:
    """Open the directory that holds a path, made where it is missing; yield it and the last name."""
    *directories, name = path.split(b"/")
    at = os.dup(top)
    try:
        for directory in directories:
            at = _step(at, directory)
        yield at, name
    finally:
        os.close(at)


def _step(at: int, name: bytes) -> int:
    """Return a descriptor of a directory in `at`, made where it is missing; `at` is closed."""
    try:
        onward = os.open(name, DIRECTORY_FLAGS, dir_fd=at)
    except FileNotFoundError:
        os.mkdir(name, dir_fd=at)
        onward = os.open(name, DIRECTORY_FLAGS, dir_fd=at)
    os.close(at)
    return onward


def _make(entry: Entry, name: bytes, at: int, top: int) -> None:
    if entry.kind == "file":
        _write(name, at, entry)
    elif entry.kind == "link":
        with _parent(top, text_to_name(entry.target)) as (other, source):
            os.link(source, name, src_dir_fd=other, dst_dir_fd=at, follow_symlinks=False)
    elif entry.kind == "symlink":
        os.symlink(text_to_name(entry.target), name, dir_fd=at)
    elif entry.kind == "fifo":
        os.mkfifo(name, dir_fd=at)
    elif entry.kind == "socket":
        os.mknod(name, stat.S_IFSOCK | 0o600, dir_fd=at)
    elif entry.kind == "directory":
        os.close(_step(os.dup(at), name))
    elif entry.kind == "chain":
        _make_chain(entry, name, at)
    else:
        raise AssertionError(entry.kind)


def _write(name: bytes, at: int, entry: Entry) -> None:
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=at)
    try:
        written = 0
        while written < entry.content:
            written += os.write(fd, b"x" * min(entry.content - written, 1 << 20))
        if entry.size > entry.content:
            os.truncate(fd, entry.size)
    finally:
        os.close(fd)


def _make_chain(entry: Entry, name: bytes, at: int) -> None:
    at = _step(os.dup(at), name)
    try:
        for _ in range(entry.levels):
            at = _step(at, b"d" * entry.length)
            _write(b"f", at, entry)
    finally:
        os.close(at)


def _finish(entry: Entry, name: bytes, at: int) -> None:
    if entry.owner is not None:
        os.chown(name, entry.owner, -1, dir_fd=at, follow_symlinks=False)
    if entry.mode is not None:
        os.chmod(name, entry.mode, dir_fd=at)
    if entry.mtime is not None:
        os.utime(name, ns=(0, entry.mtime * 10**9), dir_fd=at, follow_symlinks=False)


def wide_tree(directories: int, files: int) -> list[Entry]:
    """Return a spec of so many directories, three levels deep, of so many files each, some of them links."""
    entries = [Entry(f"{number % 7}/{number % 41}/{number}", "directory") for number in range(directories)]
    for entry in entries.copy():
        entries += [Entry(f"{entry.path}/{number:04}", size=number * 1000) for number in range(files)]
        entries.append(Entry(f"{entry.path}/link", "link", target=f"{entries[0].path}/0000"))
    return entries


def at_root(entries: Iterable[Entry], directory: str) -> list[Entry]:
    """Return a spec moved into a directory."""
    return [
        replace(
            entry,
            path=f"{directory}/{entry.path}",
            target=f"{directory}/{entry.target}" if entry.kind == "link" else entry.target,
        )
        for entry in entries
    ]
