"""Folding: sums stay, small files go, everything else is where it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacemap.scan.batch import BatchWriter, decode_batch
from spacemap.tree.batch import Batch
from spacemap.tree.columns import BLOCK_SIZE, Flag, Kind
from spacemap.tree.fold import fold_batch, stored_bytes

rows = st.tuples(
    st.sampled_from(list(Kind)),
    st.sampled_from([0, 0, 0, int(Flag.LINKED), int(Flag.UNMEASURED)]),
    st.binary(min_size=1, max_size=4),
    st.integers(0, 300),
    st.integers(-5, 5),
    st.sampled_from([0, 0, 0, 7, 70_000]),
)
listings = st.lists(st.lists(rows, max_size=6), min_size=1, max_size=6)
thresholds = st.integers(0, 200 * BLOCK_SIZE)


Row = tuple[Kind, int, bytes, int, int, int]


def _batch(spec: list[list[Row]]) -> Batch:
    writer = BatchWriter(1000)
    for ref, listing in enumerate(spec):
        for kind, flags, name, blocks, mtime, owner in listing:
            if kind is Kind.DIRECTORY:
                writer.add_directory(1, 0, 0, 0)
            elif flags == Flag.LINKED:
                writer.link_index.append(len(writer))
                writer.link_count.append(2)
                writer.link_device.append(1)
            writer.kind.append(kind)
            writer.flags.append(flags)
            writer.name_length.append(len(name))
            writer.names.append(name)
            writer.apparent_size.append(blocks * 500)
            writer.blocks.append(blocks)
            writer.mtime.append(mtime)
            writer.inode.append(len(writer))
            writer.owner.append(owner)
        writer.add_listing(ref, len(listing), 0)
    return decode_batch(writer.take())


def _full(column: np.ndarray, length: int) -> list[int]:
    return column.tolist() or [0] * length


def _listings(batch: Batch) -> list[list[dict[str, object]]]:
    """Return the entries of each listing as plain values, with the number of files behind each."""
    count = (
        dict(zip(batch.fold_row.tolist(), batch.fold_count.tolist(), strict=True)) if batch.fold_row is not None else {}
    )
    ends = np.cumsum(batch.name_length.astype(int)).tolist()
    starts = [0, *ends[:-1]]
    columns = (batch.apparent_size, batch.blocks, batch.mtime, batch.owner)
    apparent, blocks, mtime, owner = (_full(column, len(batch)) for column in columns)
    entries = [
        {
            "kind": int(batch.kind[row]),
            "flags": int(batch.flags[row]),
            "name": bytes(batch.names[starts[row] : ends[row]]),
            "apparent": apparent[row],
            "disk": blocks[row] * BLOCK_SIZE,
            "mtime": mtime[row],
            "owner": int(batch.owners[owner[row]]),
            "files": count.get(row, 1),
        }
        for row in range(len(batch))
    ]
    bounds = np.cumsum([0, *batch.listing_count.tolist()]).tolist()
    return [entries[begin:end] for begin, end in zip(bounds[:-1], bounds[1:], strict=True)]


def _is_small(entry: dict[str, object], below: int) -> bool:
    is_plain = entry["kind"] != Kind.DIRECTORY and not entry["flags"]
    return bool(entry["flags"] & Flag.FOLDED) or (is_plain and entry["disk"] < below)


def _folded(listing: list[dict[str, object]], below: int) -> list[dict[str, object]]:
    """Return a listing folded the plain way."""
    aggregates, folded = [], []
    for owner in sorted({entry["owner"] for entry in listing}):
        small = [entry for entry in listing if _is_small(entry, below) and entry["owner"] == owner]
        if len(small) < 2:
            continue
        folded += small
        aggregates.append(
            {
                "kind": int(Kind.FILE),
                "flags": int(Flag.FOLDED),
                "name": b"",
                "apparent": sum(entry["apparent"] for entry in small),
                "disk": sum(entry["disk"] for entry in small),
                "mtime": max(entry["mtime"] for entry in small),
                "owner": owner,
                "files": sum(entry["files"] for entry in small),
            }
        )
    return [*aggregates, *(entry for entry in listing if not any(entry is each for each in folded))]


@given(spec=listings, below=thresholds)
def test_folding(spec: list[list[Row]], below: int) -> None:
    """In each listing two or more small files of one owner become one entry at its head; all else stays in order."""
    batch = _batch(spec)
    expected = [_folded(listing, below) for listing in _listings(batch)]

    actual = _listings(fold_batch(batch, below))

    assert expected == actual


@given(spec=listings, first=thresholds, second=thresholds)
def test_folding_twice(spec: list[list[Row]], first: int, second: int) -> None:
    """Folding again with another threshold adds to the aggregates that are there."""
    once = fold_batch(_batch(spec), first)
    expected = [_folded(listing, second) for listing in _listings(once)]

    actual = _listings(fold_batch(once, second))

    assert expected == actual


@given(spec=listings, below=thresholds)
def test_what_stays_keeps_its_reference(spec: list[list[Row]], below: int) -> None:
    """`kept` tells the row that each entry had; links and directories are where their rows now are."""
    batch = _batch(spec)
    folded = fold_batch(batch, below)
    assert folded.kept is not None
    stays = np.flatnonzero((folded.flags & np.uint8(Flag.FOLDED)) == 0)

    assert batch.kind[folded.kept[stays]].tolist() == folded.kind[stays].tolist()
    assert (np.diff(folded.kept.astype(int)) >= 0).all()
    assert [True] * len(folded.link_index) == (folded.flags[folded.link_index] == Flag.LINKED).tolist()
    assert len(folded.directory_skip) == int((folded.kind == Kind.DIRECTORY).sum())


def test_folding_saves_memory() -> None:
    """A directory of many small files takes almost nothing afterwards."""
    batch = _batch([[(Kind.FILE, 0, b"%04d" % number, number % 7, 0, number % 3) for number in range(9000)]])

    assert stored_bytes(fold_batch(batch, 1 << 20)) < 400 < 9000 < stored_bytes(batch)
