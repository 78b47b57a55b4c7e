"""What is in an archive, by the standard library, within bounds of entries, bytes and time. Nothing is extracted."""

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from gzip import GzipFile
from typing import BinaryIO, Protocol, cast

_BLOCK = 1 << 16
_TAR_BLOCK = 512
_TAR_MAGIC = slice(257, 262)
_XZ_MEMORY = 256 << 20
"""What unpacking may take; the highest level of xz takes 65 MiB."""
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
)
"""What the standard library raises for what it cannot read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an archive is looked at."""

    entries: int = 1000
    bytes: int = 64 << 20
    """Read from the disk, and unpacked."""
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an archive."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    """Bytes, unpacked."""
    note: str
    """Why this is not all; empty when it is."""


class Stream(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> bytes: ...


class _EnoughError(Exception):
    """A bound was reached."""


class _DamagedError(Exception):
    """A tar file does not go on as it should."""


class Bounded:
    """A stream that raises when it was read too far or for too long."""

    def __init__(self, stream: Stream, limits: Limits, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._limits = limits
        self._left = limits.bytes
        self._clock = clock
        self._until = clock() + limits.seconds

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes."""
        if size < 0 or size > self._left:
            raise _EnoughError(f"only the first {self._limits.bytes >> 20} MiB of it are read")
        if self._clock() > self._until:
            raise _EnoughError("it takes too long to read")
        data = self._stream.read(size)
        self._left -= len(data)
        return data


class Seekable(Bounded):
    """The same for a file in which one can move."""

    def __init__(self, file: BinaryIO, limits: Limits, clock: Callable[[], float]) -> None:
        super().__init__(file, limits, clock)
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes, all that is left where no number is given."""
        if size < 0:
            place = self._file.tell()
            size = self._file.seek(0, io.SEEK_END) - place
            self._file.seek(place)
        return super().read(size)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Unpacked:
    """What a compressed stream unpacks to, a part at a time; concatenated streams are one."""

    def __init__(self, stream: Stream, make: Callable[[], _Decompressor]) -> None:
        self._stream = stream
        self._make = make
        self._decompressor = make()

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        while True:
            data = b""
            if self._decompressor.eof:
                data = (self._decompressor.unused_data or self._stream.read(_BLOCK)).lstrip(b"\0")
                if not data:
                    return b""
                self._decompressor = self._make()
            elif self._decompressor.needs_input:
                data = self._stream.read(_BLOCK)
                if not data:
                    raise EOFError("it ends in the middle")
            if found := self._decompressor.decompress(data, size):
                return found


def compression_of(head: bytes) -> str:
    """Return what the first bytes of a file say that it was compressed with; empty for nothing that is known."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\xfd7zXZ\0"):
        return "xz"
    return "bzip2" if head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90") else ""


def is_zip(head: bytes) -> bool:
    """Return whether a file begins as a zip archive does."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_tar(head: bytes) -> bool:
    """Return whether a file begins as a tar archive does."""
    return head[_TAR_MAGIC] == b"ustar"


def unpack(file: BinaryIO, compression: str, limits: Limits, clock: Callable[[], float]) -> Bounded:
    """Return a stream of what a compressed file unpacks to, bounded at both ends."""
    bounded = Bounded(file, limits, clock)
    if compression == "gzip":
        return Bounded(GzipFile(fileobj=cast(BinaryIO, bounded)), limits, clock)
    if compression == "xz":
        return Bounded(_Unpacked(bounded, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)), limits, clock)
    return Bounded(_Unpacked(bounded, bz2.BZ2Decompressor), limits, clock)


def read_head(stream: Stream, size: int) -> tuple[bytes, str]:
    """Return the first bytes of a stream, and what kept it from giving more; empty for nothing."""
    parts: list[bytes] = []
    length = 0
    try:
        while length < size and (part := stream.read(size - length)):
            parts.append(part)
            length += len(part)
    except _EnoughError as enough:
        return b"".join(parts), str(enough)
    except _BROKEN as error:
        return b"".join(parts), _damage(error)
    return b"".join(parts), ""


def list_zip(file: BinaryIO, limits: Limits, clock: Callable[[], float]) -> Contents:
    """Return what the directory at the end of a zip archive says."""
    try:
        with zipfile.ZipFile(cast(BinaryIO, Seekable(file, limits, clock))) as archive:
            entries = archive.infolist()
    except _EnoughError as enough:
        return Contents((), (), str(enough))
    except _BROKEN as error:
        return Contents((), (), _damage(error))
    shown = entries[: limits.entries]
    note = f"and {len(entries) - len(shown):,} more" if len(entries) > len(shown) else ""
    return Contents(tuple(entry.filename for entry in shown), tuple(entry.file_size for entry in shown), note)


def list_tar(stream: Bounded, limits: Limits) -> Contents:
    """Return what is in a tar archive; where its stream can be moved in, without reading what is in its files."""
    names: list[str] = []
    sizes: list[int] = []
    note = ""
    try:
        with tarfile.open(
            fileobj=cast(BinaryIO, stream), mode="r:" if isinstance(stream, Seekable) else "r|", tarinfo=_StrictInfo
        ) as archive:
            while (member := archive.next()) is not None:
                if len(names) == limits.entries:
                    note = "and more"
                    break
                names.append(member.name + ("/" if member.isdir() else ""))
                sizes.append(member.size)
    except _EnoughError as enough:
        note = str(enough)
    except (_DamagedError, *_BROKEN) as error:
        note = _damage(error)
    return Contents(tuple(names), tuple(sizes), note)


class _StrictInfo(tarfile.TarInfo):
    """A header that is none ends the archive with an error; tarfile would take it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictInfo":
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == _TAR_BLOCK and not any(buf):
                raise
            raise _DamagedError(str(error) if buf else "it ends in the middle") from error


def _damage(error: Exception) -> str:
    return f"damaged: {error}" if str(error) else "damaged"
