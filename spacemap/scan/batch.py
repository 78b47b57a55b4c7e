"""Batches as frames: the writer of the engines in Python, and the reader for all of them."""

from array import array
from typing import NamedTuple

from spacemap.scan.wire import BATCH_HEADER, MAGIC, FrameType, WireError

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from typing import TypeVar

    import numpy as np
    import numpy.typing as npt

    from spacemap.tree.batch import Batch

    Value = TypeVar("Value", bound=np.generic)

UNSIGNED_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
SIGNED_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
LONGEST_OWNER = 4
"""Bytes of a uid."""
FIRST_NS, LAST_NS = -(1 << 63), (1 << 63) - 1


def fitting(time_ns: int) -> int:
    """Return a time in nanoseconds; before 1677 or after 2262 the first or last that fits its column."""
    return time_ns if FIRST_NS <= time_ns <= LAST_NS else min(max(time_ns, FIRST_NS), LAST_NS)


class BatchWriter:
    """Collects listings and turns them into one frame. No numpy: a worker must start fast."""

    def __init__(self, base_ref: int) -> None:
        self.base_ref = base_ref
        self._reset()

    def _reset(self) -> None:
        self.listing_ref = array("Q")
        self.listing_count = array("I")
        self.listing_skip = array("B")
        self.directory_device = array("Q")
        self.directory_mtime_ns = array("q")
        self.directory_ctime_ns = array("q")
        self.directory_skip = array("B")
        self.link_index = array("I")
        self.link_count = array("I")
        self.link_device = array("Q")
        self.problem_ref = array("Q")
        self.problem_errno = array("I")
        self.problem_operation = array("B")
        self.kind = bytearray()
        self.flags = bytearray()
        self.name_length: list[int] = []
        self.apparent_size: list[int] = []
        self.blocks: list[int] = []
        self.mtime: list[int] = []
        self.inode: list[int] = []
        self.owner: list[int] = []
        """Uids."""
        self.names: list[bytes] = []
        self.excluded = 0
        self.place = (0, b"")
        """Root and path of the directory listed last."""

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def next_ref(self) -> int:
        """The reference that the next entry will get."""
        return self.base_ref + len(self.kind)

    def is_empty(self) -> bool:
        """Return whether there is nothing to send."""
        return not self.listing_ref and not self.problem_ref

    def add_directory(self, device: int, mtime_ns: int, ctime_ns: int, skip: int) -> None:
        """Add what only directories have."""
        self.directory_device.append(device)
        self.directory_mtime_ns.append(fitting(mtime_ns))
        self.directory_ctime_ns.append(fitting(ctime_ns))
        self.directory_skip.append(skip)

    def add_listing(self, ref: int, count: int, skip: int) -> None:
        """Close a listing: the last `count` entries are those of the directory `ref`."""
        self.listing_ref.append(ref)
        self.listing_count.append(count)
        self.listing_skip.append(skip)

    def add_problem(self, ref: int, operation: int, errno: int) -> None:
        """Record what could not be done with the entry `ref`."""
        self.problem_ref.append(ref)
        self.problem_errno.append(errno)
        self.problem_operation.append(operation)

    def take(self) -> bytes:
        """Return everything as one frame and begin anew."""
        names = b"".join(self.names)
        columns = [
            self.listing_ref,
            self.listing_count,
            self.listing_skip,
            self.directory_device,
            self.directory_mtime_ns,
            self.directory_ctime_ns,
            self.directory_skip,
            self.link_index,
            self.link_count,
            self.link_device,
            self.problem_ref,
            self.problem_errno,
            self.problem_operation,
            self.kind,
            self.flags,
            array("H", self.name_length),
        ]
        root, place = self.place
        blocks = sum(self.blocks)
        owner = self.owner[0] if self.owner else 0
        is_one_owner = self.owner.count(owner) == len(self.owner)
        narrow = [
            _narrow(self.apparent_size, UNSIGNED_CODES),
            _narrow(self.blocks, UNSIGNED_CODES),
            _narrow(self.mtime, SIGNED_CODES),
            _narrow(self.inode, UNSIGNED_CODES),
            (0, b"") if is_one_owner else _narrow(self.owner, UNSIGNED_CODES),
        ]
        body = b"".join(
            [_padded(bytes(column)) for column in (*columns, *(column for _, column in narrow), names, place)]
        )
        header = BATCH_HEADER.pack(
            MAGIC,
            FrameType.BATCH,
            *(width for width, _ in narrow),
            len(self.kind),
            BATCH_HEADER.size + len(body),
            self.base_ref,
            len(self.listing_ref),
            len(self.directory_skip),
            len(self.link_index),
            len(self.problem_ref),
            len(names),
            self.excluded,
            blocks,
            len(place),
            root,
            owner if is_one_owner else 0,
        )
        self.base_ref += len(self.kind)
        self._reset()
        return header + body


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _narrow(column: list[int], codes: dict[int, str]) -> tuple[int, bytes]:
    """Return the bytes per value, the fewest that hold all, and the column in that width."""
    if codes is UNSIGNED_CODES and not any(column):
        return 0, b""
    for width, code in codes.items():
        try:
            return width, array(code, column).tobytes()
        except OverflowError:  # most often already at the first values
            continue
    raise AssertionError("unreachable")


class BatchSummary(NamedTuple):
    """What progress needs of a batch, read from its header alone."""

    entries: int
    blocks: int
    problems: int
    root: int
    place: bytes
    """Empty when the batch does not say."""


def summarize(frame: memoryview) -> BatchSummary:
    """Return the counters of a batch without decoding it."""
    fields = BATCH_HEADER.unpack_from(frame)
    entries, length, problems, blocks, place, root = (fields[i] for i in (7, 8, 13, 16, 17, 18))
    end = length - (-place % 8)
    return BatchSummary(entries, blocks, problems, root, bytes(frame[end - place : end]))


def decode_batch(frame: bytes | memoryview) -> "Batch":
    """Return the columns of a frame as read-only views of it. Raises WireError when they do not fit."""
    import numpy as np  # noqa: PLC0415 - 0.1 s, and a worker never reads batches

    from spacemap.tree.batch import Batch  # noqa: PLC0415 - imports numpy

    if len(frame) < BATCH_HEADER.size:
        raise WireError("a batch ends within its header")
    fields = BATCH_HEADER.unpack_from(frame)
    widths, (entries, length, base_ref) = fields[2:7], fields[7:10]
    listings, directories, links, problems, name_bytes, excluded = fields[10:16]
    view = memoryview(frame)
    if len(view) != length:
        raise WireError(f"a batch of {len(view)} bytes says that it has {length}")
    at = BATCH_HEADER.size

    def column(dtype: "type[Value]", count: int) -> "npt.NDArray[Value]":
        nonlocal at
        size = count * np.dtype(dtype).itemsize
        if at + size > length:
            raise WireError("a batch ends before its columns do")
        values = np.frombuffer(view, dtype, count, at)
        at += size + -size % 8
        return values

    def unsigned(width: int) -> "npt.NDArray[np.unsignedinteger]":
        types: dict[int, type[np.unsignedinteger]] = {
            0: np.uint8,
            1: np.uint8,
            2: np.uint16,
            4: np.uint32,
            8: np.uint64,
        }
        if width not in types:
            raise WireError(f"a batch says that a value has {width} bytes")
        return column(types[width], entries if width else 0)

    def signed(width: int) -> "npt.NDArray[np.signedinteger]":
        types: dict[int, type[np.signedinteger]] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
        if width not in types:
            raise WireError(f"a batch says that a value has {width} bytes")
        return column(types[width], entries)

    # The order of the arguments is the order in the frame.
    batch = Batch(
        base_ref=base_ref,
        listing_ref=column(np.uint64, listings),
        listing_count=column(np.uint32, listings),
        listing_skip=column(np.uint8, listings),
        directory_device=column(np.uint64, directories),
        directory_mtime_ns=column(np.int64, directories),
        directory_ctime_ns=column(np.int64, directories),
        directory_skip=column(np.uint8, directories),
        link_index=column(np.uint32, links),
        link_count=column(np.uint32, links),
        link_device=column(np.uint64, links),
        problem_ref=column(np.uint64, problems),
        problem_errno=column(np.uint32, problems),
        problem_operation=column(np.uint8, problems),
        kind=column(np.uint8, entries),
        flags=column(np.uint8, entries),
        name_length=column(np.uint16, entries),
        apparent_size=unsigned(widths[0]),
        blocks=unsigned(widths[1]),
        mtime=signed(widths[2]),
        inode=unsigned(widths[3]),
        owner=unsigned(widths[4]),
        owners=np.array(fields[19:20], np.uint32),
        names=column(np.uint8, name_bytes).data,
        excluded=excluded,
    )
    return _with_owners(batch)


def _with_owners(batch: "Batch") -> "Batch":
    """Return a batch with indices of its owners in the place of their uids."""
    from dataclasses import replace  # noqa: PLC0415 - batches need it, a worker does not

    from spacemap.tree.owners import indexed  # noqa: PLC0415 - imports numpy

    if batch.owner.itemsize > LONGEST_OWNER:
        raise WireError(f"a batch says that a uid has {batch.owner.itemsize} bytes")
    if len(batch.owner):
        owner, owners = indexed(batch.owner)
        return replace(batch, owner=owner, owners=owners)
    return batch if len(batch) else replace(batch, owners=batch.owners[:0])
