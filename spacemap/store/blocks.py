"""Files of checksummed blocks, written so that a reader finds the former file or the whole new one, nothing between.

A header, aligned blocks one right after the other, a footer of JSON that lists them, and a trailer that finds the
footer. A checksum covers every byte but those of the trailer, which must be what the size of the file says.
"""

import fcntl
import mmap
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from struct import Struct
from typing import BinaryIO, NamedTuple

import orjson
from xxhash import xxh3_64, xxh3_64_intdigest

from spacemap.errors import FormatError, SpacemapError
from spacemap.store.form import MAGIC

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Path = str | bytes | os.PathLike[str]

ALIGNMENT = 64
MAX_FOOTER = 1 << 26
"""Bytes; what a footer may take of a file however large."""
MAX_COUNT = 1 << 48

_HEADER = Struct("<8sIIQ32xQ")
"""Magic, version, 0, hash of the schema, and the checksum of all before it. The same in every version."""
_TRAILER = Struct("<QQQ8s")
"""Offset, length and checksum of the footer."""
_END = b"\x1a\n\rpams\x89"
TEMPORARY = b".spacemap-%s.tmp"
_WIDTHS = (1, 2, 4, 8)
_HEX = frozenset("0123456789abcdef")
AGAIN = "scan again, or take another copy of it"


class Durability(Enum):
    """What a file that was written outlives."""

    POWER_FAILURE = "power failure"
    """It is on the disk, under its name, when the writer returns."""
    CRASH = "crash"
    """The end of the program at any point. After a power failure its checksums may fail, which a reader notices."""


class Layout(NamedTuple):
    """What the files of one version hold."""

    version: int
    schema: int
    """Changes with the names and kinds of the columns."""
    columns: Mapping[str, str]
    """By name, in the order of the blocks: `u` or `i`, unsigned or signed of any width."""


class Column(NamedTuple):
    """The values of one block, little-endian."""

    name: str
    type: str
    """Kind and width, as in `u4`."""
    data: memoryview
    """Of bytes."""


class Block(NamedTuple):
    """Where a column is in a file."""

    type: str
    offset: int
    length: int
    """Bytes of the values, without the zeros that follow up to the next block."""
    checksum: int
    """Of the values and these zeros."""


class BlockFile(NamedTuple):
    """A file of blocks, mapped: what is not asked for is not read."""

    data: mmap.mmap
    blocks: Mapping[str, Block]
    footer: Mapping[str, object]


def shown(path: Path) -> str:
    """Return a path as messages quote it: on one line, and inert."""
    return repr(os.fsdecode(path))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let every FormatError begin with the path of the file."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{shown(path)}: {error}") from error


def damaged(what: str) -> FormatError:
    """Return the error for bytes that are not what was written."""
    return FormatError(f"{what}: the file is damaged; {AGAIN}")


@contextmanager
def atomic_file(path: Path, durability: Durability = Durability.POWER_FAILURE) -> Iterator[BinaryIO]:
    """Open a file to be written in the place of `path`: it appears there when the body ends, whole and on the disk.

    While it is written it has a lock, by which a leftover of a killed writer can be told from work in progress.
    When anything fails, what was there before is untouched and nothing else is left. Raises SpacemapError for what
    the system refuses.
    """
    target = os.path.realpath(os.fsencode(path))
    place = os.path.dirname(target)
    temporary = os.path.join(place, TEMPORARY % os.urandom(8).hex().encode())
    try:
        mode = _mode(target)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with open(descriptor, "wb") as file:
                with suppress(OSError):  # not every file system has locks; age tells leftovers apart there
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if mode is not None:
                    os.fchmod(descriptor, mode)
                yield file
                file.flush()
                if durability is Durability.POWER_FAILURE:
                    os.fsync(descriptor)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
        if durability is Durability.POWER_FAILURE:
            _sync_directory(place)
    except OSError as error:
        hint = "make room or name another place; what was there before is untouched"
        raise SpacemapError(f"{shown(path)}: cannot be written: {error.strerror}; {hint}") from error


def _mode(target: bytes) -> int | None:
    """Return the permissions of the file that is to be replaced; None when there is none."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise OSError(0, "it is there and no regular file")
    return stat.S_IMODE(mode) & 0o777


def _sync_directory(place: bytes) -> None:
    # A directory that may be written but not read cannot be opened; the file itself is safe by then.
    with suppress(PermissionError):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_blocks(file: BinaryIO, layout: Layout, columns: Iterable[Column], facts: Mapping[str, Json]) -> None:
    """Write a whole file; the footer holds `facts` beside the list of blocks."""
    head = _HEADER.pack(MAGIC, layout.version, 0, layout.schema, 0)[:-8]
    offset = file.write(head + xxh3_64_intdigest(head).to_bytes(8, "little"))
    listed: list[Json] = []
    for column in columns:
        padding = bytes(-len(column.data) % ALIGNMENT)
        checksum = xxh3_64(column.data)
        checksum.update(padding)
        file.write(column.data)
        file.write(padding)
        listed.append(
            {
                "name": column.name,
                "type": column.type,
                "count": len(column.data) // int(column.type[1:]),
                "offset": offset,
                "length": len(column.data),
                "checksum": checksum.hexdigest(),
            }
        )
        offset += len(column.data) + len(padding)
    footer = orjson.dumps({"blocks": listed, **facts})
    if len(footer) > MAX_FOOTER:
        raise SpacemapError(f"a snapshot with {len(footer)} bytes of facts cannot be kept; name fewer roots")
    file.write(footer)
    file.write(_TRAILER.pack(offset, len(footer), xxh3_64_intdigest(footer), _END))


def open_blocks(path: Path, layouts: Mapping[int, Layout]) -> BlockFile:
    """Map a file and check all but the blocks themselves; time and memory do not depend on their size.

    `layouts` are those that can be read, by version.

    Raises FormatError, its message without the path; SpacemapError for a file that cannot be read.
    """
    data = _mapped(path)
    layout = _layout_of(data, layouts)
    end, footer = _footer(data)
    offset, blocks = _HEADER.size, {}
    listed = footer.get("blocks")
    if not isinstance(listed, list) or len(listed) != len(layout.columns):
        raise damaged("the list of blocks in the footer is not that of this version")
    for (name, kind), entry in zip(layout.columns.items(), listed, strict=True):
        block = _block(name, kind, entry)
        room = block.length + -block.length % ALIGNMENT
        if block.offset != offset or offset + room > end:
            raise damaged(f"block {name} is not where it should be")
        blocks[name] = block
        offset += room
    if offset != end:
        raise damaged("the footer does not follow the blocks")
    return BlockFile(data, blocks, footer)


def verified(file: BlockFile, name: str) -> memoryview:
    """Return the bytes of a block, read and found whole. Raises FormatError."""
    block = file.blocks[name]
    view = memoryview(file.data)
    end = block.offset + block.length
    if xxh3_64_intdigest(view[block.offset : end + -end % ALIGNMENT]) != block.checksum:
        raise damaged(f"block {name} does not match its checksum")
    return view[block.offset : end]


def _mapped(path: Path) -> mmap.mmap:
    try:
        # Opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FormatError("it is not a regular file; name a snapshot file")
            if status.st_size == 0:
                raise FormatError(f"the file is empty; {AGAIN}")
            return mmap.mmap(descriptor, status.st_size, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SpacemapError(f"{shown(path)}: cannot be read: {error.strerror}; check the path") from error


def _layout_of(data: mmap.mmap, layouts: Mapping[int, Layout]) -> Layout:
    """Return the layout that the header names."""
    head = data[: _HEADER.size]
    if head[: len(MAGIC)] != MAGIC[: len(head)]:
        raise FormatError("it is not a snapshot file of spacemap; name a file that `--output FILE.smap` wrote")
    if len(head) < _HEADER.size:
        raise damaged("the header is cut off")
    _, version, reserved, schema, checksum = _HEADER.unpack(head)
    if xxh3_64_intdigest(head[:-8]) != checksum:
        raise damaged("the header does not match its checksum")
    if version > max(layouts):
        known = f"this spacemap reads versions up to {max(layouts)}"
        raise FormatError(f"it has version {version} of the format, {known}; use a newer spacemap")
    layout = layouts.get(version)
    if layout is None or (reserved, schema) != (0, layout.schema):
        raise damaged("the header is not that of its version")
    return layout


def _footer(data: mmap.mmap) -> tuple[int, dict[str, object]]:
    """Return where the footer begins, and what it holds."""
    begin = len(data) - _TRAILER.size
    if begin < _HEADER.size:
        raise damaged("the trailer is cut off")
    offset, length, checksum, end = _TRAILER.unpack(data[begin:])
    if end != _END:
        raise damaged("the trailer is cut off or overwritten")
    if offset % ALIGNMENT or offset < _HEADER.size or offset + length != begin or length > MAX_FOOTER:
        raise damaged("the trailer does not find the footer")
    text = data[offset:begin]
    if xxh3_64_intdigest(text) != checksum:
        raise damaged("the footer does not match its checksum")
    try:
        footer: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise damaged("the footer is not JSON") from error
    if not isinstance(footer, dict):
        raise damaged("the footer is not an object")
    return offset, footer


def _block(name: str, kind: str, entry: object) -> Block:
    """Return one entry of the list of blocks, checked by itself."""
    if not isinstance(entry, dict) or entry.get("name") != name:
        raise damaged(f"block {name} is not listed in its place in the footer")
    width = next((width for width in _WIDTHS if entry.get("type") == f"{kind}{width}"), 0)
    count, offset, length = (_natural(entry.get(key)) for key in ("count", "offset", "length"))
    if not width or min(count, offset, length) < 0 or length != count * width:
        raise damaged(f"block {name} is listed with a wrong type or length")
    checksum = entry.get("checksum")
    if not isinstance(checksum, str) or len(checksum) != 16 or not set(checksum) <= _HEX:
        raise damaged(f"block {name} is listed with something else than a checksum")
    return Block(f"{kind}{width}", offset, length, int(checksum, 16))


def _natural(value: object) -> int:
    """Return a number that can count bytes, or -1 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else -1
