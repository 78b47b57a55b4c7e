"""The beginning of a file, opened only if it is the regular file that the scan saw, and told in lines of inert text."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from spacemap.render.text import display_text
from spacemap.tree.columns import Kind
from spacemap.tree.tree import Tree
from spacemap.tui.archives import (
    Contents,
    Limits,
    Seekable,
    compression_of,
    is_tar,
    is_zip,
    list_tar,
    list_zip,
    read_head,
    unpack,
)
from spacemap.units import format_number

HEAD = 1 << 16
"""Bytes of a file that are looked at."""
HEX = 1 << 12
"""Bytes that are shown of what is no text."""
_MAX_LINES = 1000
_MAX_LINE = 1000
"""Characters of a line."""
_TAB = 4
_MAX_ODD = 0.1
"""Share of characters that are no text, from which on nothing is."""
_BOMB = 200
"""How many times its own size an archive unpacks to when it is called a bomb."""
_SMALL = 4096
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Step:
    """An entry on the way to another, as the scan saw it."""

    name: bytes
    """Of a root its whole path."""
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a pane shows of an entry."""

    path: bytes
    title: str
    lines: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    """Bytes, one for each line; empty where lines have none."""
    data: bytes = b""
    """Shown as numbers instead of lines."""
    note: str = ""
    """What is shown below the title, such as why there is nothing more."""


class _RefusedError(Exception):
    """Not opened, or not read, and why."""


def steps_to(tree: Tree, entry: int) -> tuple[Step, ...]:
    """Return the way from a root to an entry."""
    steps: list[Step] = []
    at = entry
    # Several roots hang below a directory without a name.
    while at != 0 or tree.name(0):
        directory = at if tree.kind[at] == Kind.DIRECTORY else int(tree.parent[at])
        known = tree.kind[directory] == Kind.DIRECTORY and bool(directory or tree.name(0))
        device = int(tree.directories.device[tree.directory_row(directory)]) if known else -1
        steps.append(Step(tree.name(at), device, int(tree.inode[at])))
        if at == 0:
            break
        at = int(tree.parent[at])
    return tuple(reversed(steps))


def read_preview(
    path: bytes, steps: tuple[Step, ...], limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
) -> Preview:
    """Return what is at the beginning of a regular file, or in an archive. Never raises for what a file may be."""
    try:
        with _open_file(steps) as file:
            return _preview(path, file, limits or Limits(), clock)
    except _RefusedError as refused:
        return Preview(path, str(refused))
    except OSError as error:
        return Preview(path, f"cannot be read: {error.strerror}")


def _open_file(steps: tuple[Step, ...]) -> BinaryIO:
    """Open what the steps lead to, one by one and through no symlink; raises when anything is not what was scanned."""
    descriptor: int | None = None
    try:
        for step in steps[:-1]:
            # The root was given by its user, who may go through symlinks.
            flags = _DIRECTORY if descriptor is None else _DIRECTORY | os.O_NOFOLLOW
            inner = os.open(step.name, flags, dir_fd=descriptor)
            if descriptor is not None:
                os.close(descriptor)
            descriptor = inner
            _compare(os.fstat(descriptor), step)
        last = steps[-1]
        # Looked at before it is opened: opening a device may already do something.
        _check_file(os.stat(last.name, dir_fd=descriptor, follow_symlinks=False), last)
        opened = os.open(last.name, _FLAGS, dir_fd=descriptor)
        file = os.fdopen(opened, "rb")
        try:
            _check_file(os.fstat(opened), last)
        except _RefusedError:
            file.close()
            raise
        return file
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _check_file(status: os.stat_result, step: Step) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _RefusedError("not a regular file: not opened")
    _compare(status, step)
    is_virtual = not os.major(status.st_dev)
    if status.st_size and not status.st_blocks and (is_virtual or status.st_size > _SMALL):
        raise _RefusedError("no part of it is on this disk: sparse, or kept elsewhere; not opened")


def _compare(status: os.stat_result, step: Step) -> None:
    if status.st_ino != step.inode or step.device not in (-1, status.st_dev):
        raise _RefusedError("not what was scanned: changed since, or another file system; not opened")


def _preview(path: bytes, file: BinaryIO, limits: Limits, clock: Callable[[], float]) -> Preview:
    size = os.fstat(file.fileno()).st_size
    head = file.read(HEAD)
    if not head:
        return Preview(path, "empty")
    compression = compression_of(head)
    file.seek(0)
    if is_zip(head):
        return _of_contents(path, "zip archive", list_zip(file, limits, clock), size)
    if is_tar(head):
        return _of_contents(path, "tar archive", list_tar(Seekable(file, limits, clock), limits), size)
    if not compression:
        return _of_data(path, head, is_cut=size > len(head))
    unpacked, note = read_head(unpack(file, compression, limits, clock), HEAD)
    if not is_tar(unpacked):
        return _of_data(path, unpacked, f"{compression}, unpacked, ", note, is_cut=len(unpacked) == HEAD)
    file.seek(0)
    contents = list_tar(unpack(file, compression, limits, clock), limits)
    return _of_contents(path, f"tar archive, {compression}", contents, size)


def _of_contents(path: bytes, title: str, contents: Contents, size: int) -> Preview:
    total = sum(contents.sizes)
    notes = [contents.note] if contents.note else []
    if total > _BOMB * max(size, 1) and total > HEAD:
        notes.append(f"unpacks to {total // max(size, 1):,} times its size: perhaps a bomb")
    count = format_number(len(contents.names), "entry", "entries")
    names = tuple(map(display_text, contents.names))
    return Preview(path, f"{title}, {count}", names, contents.sizes, note=display_text("; ".join(notes)))


def _of_data(path: bytes, data: bytes, source: str = "", note: str = "", *, is_cut: bool) -> Preview:
    """Return data as lines where it is text, else to be shown as numbers; `is_cut`: there is more of it."""
    text = _as_text(data)
    shown = len(data) if text is not None else min(len(data), HEX)
    title = source + ("text" if text is not None else "no text")
    if is_cut or shown < len(data):
        title += f", the first {shown >> 10} KiB"
    if text is None:
        return Preview(path, title, data=data[:HEX], note=display_text(note))
    return Preview(path, title, tuple(map(_inert, text.splitlines()[:_MAX_LINES])), note=display_text(note))


def _as_text(data: bytes) -> str | None:
    """Return data as text; None when it is none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in data:
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    # A character that the end of the data cuts is not counted against it.
    text = data.decode("utf-8-sig", "surrogateescape")
    odd = sum(not (character.isprintable() or character in "\t\n\r\f\x1b") for character in text[:-3])
    return None if odd > _MAX_ODD * len(text) else text


def _inert(line: str) -> str:
    """Return a line that a terminal only shows, its indentation kept."""
    line = line[:_MAX_LINE].expandtabs(_TAB).rstrip()
    text = line.lstrip(" ")
    return " " * (len(line) - len(text)) + display_text(text)
