"""A worker process: commands in on one pipe, frames out on another, the listing in threads of its walker."""

import os
import signal
from multiprocessing.connection import Connection
from struct import Struct

from spacemap.scan.engine import WalkerPlace, make_walker
from spacemap.scan.options import EngineName, ScanOptions
from spacemap.scan.wire import (
    MAGIC,
    PREFIX_SIZE,
    SHORT_HEADER,
    FrameType,
    decode_directories,
    frame_length,
)

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan.contract import Walker
    from spacemap.scan.pool import Closable

STATUS_ROW = Struct("<qQQ")


def work(
    engine: EngineName,
    options: ScanOptions,
    place: tuple[tuple[bytes, ...], int, int],
    pipes: tuple[Connection, Connection],
    others: "tuple[Closable, ...]",
) -> None:
    """Serve one scan until told to stop or until the scan is gone. Runs in the worker process.

    `place` is (roots, number of this worker, listers); `others` is what a forked process inherits and must not
    hold open: ends of pipes, and a checkpoint.
    """
    # The scan is interrupted by the user, its workers by the scan; SIGHUP goes to all of them.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()
    commands, results = (pipe.fileno() for pipe in pipes)
    roots, number, listers = place
    walker = make_walker(engine, options, place=WalkerPlace(roots, number, listers, results))
    walker.start()
    frame = _read_frame(commands)
    while frame is not None and frame_length(frame)[0] is not FrameType.STOP:
        _obey(walker, frame)
        frame = _read_frame(commands)
    if frame is not None:
        walker.stop()
    # Nothing is left to tidy; a listing that hangs must not keep the process.
    os._exit(0)


def _obey(walker: "Walker", frame: bytes) -> None:
    """Do what a command says."""
    frame_type = frame_length(frame)[0]
    if frame_type is FrameType.DIRECTORIES:
        _, _, count, _ = SHORT_HEADER.unpack_from(frame)
        walker.push(count, frame[PREFIX_SIZE:])
    elif frame_type is FrameType.GIVE:
        walker.give(False)
    elif frame_type is FrameType.POISON:
        for each in decode_directories(frame):
            walker.poison(each.device, each.inode)
    elif frame_type is FrameType.STATUS:
        rows = b"".join([STATUS_ROW.pack(*row) for row in walker.status()])
        walker.send(SHORT_HEADER.pack(MAGIC, FrameType.STATUS, 0, PREFIX_SIZE + len(rows)) + rows)


def status_rows(frame: bytes) -> list[tuple[int, int, int]]:
    """Return (last sign of life in monotonic ns, device, inode) of the listings that a status frame tells of."""
    return list(STATUS_ROW.iter_unpack(frame[PREFIX_SIZE:]))


def _read_frame(fd: int) -> bytes | None:
    """Return the next whole frame; None when the other side is gone."""
    prefix = _read_exactly(fd, PREFIX_SIZE)
    if prefix is None:
        return None
    rest = _read_exactly(fd, frame_length(prefix)[1] - PREFIX_SIZE)
    return None if rest is None else prefix + rest


def _read_exactly(fd: int, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = os.read(fd, size - len(data))
        if not piece:
            return None
        data += piece
    return data
