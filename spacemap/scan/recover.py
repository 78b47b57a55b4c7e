"""What is left to do: the directories that batches name and nobody listed."""

from collections.abc import Mapping, Sequence

import numpy as np

from spacemap.scan.wire import Note, Waiting
from spacemap.tree.batch import Batch
from spacemap.tree.build import build_in_order, build_tree
from spacemap.tree.columns import Flag, Skip
from spacemap.tree.order import Decision, References, canonical_order


def unlisted_directories(
    batches: Sequence[Batch], decisions: Mapping[int, Decision], roots: Sequence[bytes]
) -> list[Waiting]:
    """Return the unlisted directories of a partial scan, ready to be claimed; paths are below their roots."""
    refs = References(batches)
    order = canonical_order(batches, refs, decisions)
    tree = build_in_order(list(batches), decisions, refs, order)
    rows = np.flatnonzero(tree.directories.skip == Skip.UNLISTED)
    entries = tree.directories.entry[rows]
    references = refs.refs(order.directory_raw[order.rank[rows]])
    # Several roots are children of a nameless one.
    top = 0 if tree.name(0) else 1
    result = []
    for row, entry, ref in zip(rows.tolist(), entries.tolist(), references.tolist(), strict=True):
        if entry == 0 and top == 1:
            continue
        chain = [entry, *tree.ancestors(entry)]
        chain = chain[: len(chain) - top]
        notes = Note.BOUNDARY if tree.flags[entry] & Flag.MOUNT else Note(0)
        notes |= Note.VIA_SYMLINK if tree.flags[entry] & Flag.VIA_SYMLINK else Note(0)
        result.append(
            Waiting(
                ref=ref,
                device=int(tree.directories.device[row]),
                inode=int(tree.inode[entry]),
                depth=len(chain) - 1,
                root=0 if top == 0 else roots.index(tree.name(chain[-1])),
                notes=int(notes),
                path=b"/".join(tree.name(each) for each in reversed(chain[:-1])),
            )
        )
    return result


def listed_identities(batches: Sequence[Batch], decisions: Mapping[int, Decision]) -> set[tuple[int, int]]:
    """Return (device, inode) of every directory that has a listing."""
    tree = build_tree(list(batches), decisions)
    listed = tree.directories.skip == Skip.NONE
    inode = tree.inode[tree.directories.entry[listed]]
    return set(zip(tree.directories.device[listed].tolist(), inode.tolist(), strict=True))
