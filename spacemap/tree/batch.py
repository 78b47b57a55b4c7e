"""The Batch: columns of whole directories as one engine listed them, in the order of their arrival."""

from dataclasses import dataclass

from spacemap.tree.columns import I64, U8, U16, U32, U64, Signed, Unsigned


@dataclass(frozen=True, slots=True)
class Batch:
    """Listings one after the other; the names of each ascend by raw bytes.

    The entries of listing k follow those of listing k - 1. An entry's reference is `base_ref` plus its row.
    """

    base_ref: int
    listing_ref: U64
    """Reference of the entry whose listing this is."""
    listing_count: U32
    listing_skip: U8
    """`Skip`, or VANISHED; anything but NONE goes with a count of 0."""
    directory_device: U64
    """One row for each entry that is a directory, in the order of the entries; so are the next three."""
    directory_mtime_ns: I64
    directory_ctime_ns: I64
    directory_skip: U8
    """`Skip` where the listing of the parent already decided it."""
    link_index: U32
    """Row in this batch of an entry that is one of several links; ascending."""
    link_count: U32
    link_device: U64
    problem_ref: U64
    problem_errno: U32
    problem_operation: U8
    kind: U8
    flags: U8
    name_length: U16
    apparent_size: Unsigned
    """Bytes; this and the next four may have any width, or length 0 when all values are 0."""
    blocks: Unsigned
    mtime: Signed
    inode: Unsigned
    owner: Unsigned
    """Index into `owners`."""
    owners: U32
    """Uids that occur, ascending; `UNKNOWN_OWNER` of what was not measured."""
    names: memoryview
    excluded: int
    """Files that an exclusion left out."""
    kept: U32 | None = None
    """After folding, the row that each row had before; an aggregate has that of its listing's first entry."""
    fold_row: U32 | None = None
    """Rows of aggregates; None: nothing is folded."""
    fold_count: U32 | None = None
    """Files behind each of them."""

    def __len__(self) -> int:
        return len(self.kind)
