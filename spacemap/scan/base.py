"""The base of a rescan: an earlier tree whose listings are used again, but for those that are forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spacemap.tree.batch import Batch
from spacemap.tree.build import build_in_order
from spacemap.tree.columns import U64, Flag, Kind, Skip
from spacemap.tree.narrow import narrowest
from spacemap.tree.order import Decision, References, canonical_order
from spacemap.tree.place import Index
from spacemap.tree.tree import Tree

BY_LISTING = [Skip.UNREADABLE, Skip.TIMED_OUT, Skip.UNLISTED, Skip.CACHE_TAGGED, Skip.WORKER_LOST]
"""Why nothing is known below a directory, where its own listing says so and not that of its parent."""
NOWHERE = np.uint64((1 << 64) - 1)
"""A reference that no entry has."""


@dataclass(frozen=True, slots=True)
class Base:
    """A tree, the batches that it came from, and how each directory is found in them."""

    tree: Tree
    started_ns: int
    """Wall clock when the first of its listings began; what changed shortly before, or since, is not trusted."""
    batches: list[Batch]
    """Without the batch of the roots, whose entries are measured anew."""
    ref: U64
    """Reference of each directory, by row; of a root, that in the new batch of the roots."""
    listing: Index
    """Number of the listing of each directory, counted over all batches, by row; -1: none."""
    current: U64
    """Reference to which the listing of each directory belongs by now, by row; changed in place."""
    can_be_patched: bool
    """Whether the entries are one batch, in the order of the tree."""

    @property
    def first(self) -> int:
        """The first entry that is no root."""
        return root_count(self.tree)

    def forget(self, rows: Index) -> None:
        """Let directories have no listing, and no problems."""
        self.current[rows] = NOWHERE

    def rename(self, row: int, ref: int) -> None:
        """Let a directory's listing, and its problems, belong to the entry that a new listing of its parent has."""
        self.current[row] = ref

    def take(self) -> list[Batch]:
        """Return the batches with their listings as they are by now."""
        order = np.argsort(self.ref, kind="stable")
        old, new = self.ref[order], self.current[order]
        counts = [len(batch.listing_ref) for batch in self.batches]
        listing_ref = np.full(sum(counts), NOWHERE)  # a directory that was listed twice has one of the listings
        has_listing = self.listing >= 0
        listing_ref[self.listing[has_listing]] = self.current[has_listing]
        parts = np.split(listing_ref, np.cumsum(counts)[:-1]) if counts else []
        return [
            replace(batch, listing_ref=part, problem_ref=_translated(batch.problem_ref, old, new))
            for batch, part in zip(self.batches, parts, strict=True)
        ]


def _translated(refs: U64, old: U64, new: U64) -> U64:
    """Return references with those that are among `old`, ascending, replaced by their likes in `new`."""
    if not len(refs) or not len(old):
        return refs
    at = np.minimum(np.searchsorted(old, refs), len(old) - 1)
    return np.where(old[at] == refs, new[at], refs)


def root_count(tree: Tree) -> int:
    """Return how many of the first entries are roots: one, or a directory without a name and those below it."""
    return 1 if tree.name(0) else 1 + len(tree.children(0))


def base_of_tree(tree: Tree, started_ns: int, root_refs: Mapping[int, int], ref_base: int) -> Base:
    """Return a whole tree as a base. `root_refs` gives the reference of each root entry in the new batch of roots.

    Cost: the number of directories; the columns of the entries stay where they are.
    """
    first = root_count(tree)
    directories = tree.directories
    ref = directories.entry.astype(np.uint64) - np.uint64(first) + np.uint64(ref_base)
    is_root = directories.entry < first
    ref[is_root] = [root_refs[entry] for entry in directories.entry[is_root].tolist()]
    # The nameless root has no listing of its own here: the new batch of the roots lists them.
    has_listing = (directories.skip != Skip.UNLISTED) & ((first == 1) | (directories.entry != 0))
    listed = np.flatnonzero(has_listing)
    own = ~is_root
    begin = int(tree.name_offset[first]) if first < len(tree) else len(tree.names)
    problem_ref = tree.problems.entry.astype(np.uint64) - np.uint64(first) + np.uint64(ref_base)
    problem_row = np.searchsorted(directories.entry, tree.problems.entry)
    of_directory = tree.kind[tree.problems.entry] == Kind.DIRECTORY
    problem_ref[of_directory] = ref[problem_row[of_directory]]
    links = tree.links.entry >= first
    batch = Batch(
        base_ref=ref_base,
        listing_ref=ref[listed],
        listing_count=directories.child_count[listed],
        listing_skip=directories.skip[listed],
        directory_device=directories.device[own],
        directory_mtime_ns=directories.mtime_ns[own],
        directory_ctime_ns=directories.ctime_ns[own],
        directory_skip=np.where(np.isin(directories.skip[own], BY_LISTING), np.uint8(0), directories.skip[own]),
        link_index=tree.links.entry[links] - np.uint32(first),
        link_count=tree.links.link_count[links],
        link_device=tree.links.device[links],
        problem_ref=problem_ref,
        problem_errno=tree.problems.errno,
        problem_operation=tree.problems.operation,
        kind=tree.kind[first:],
        flags=tree.flags[first:] & np.uint8(0xFF ^ Flag.REPEATED),
        name_length=np.diff(tree.name_offset[first:]).astype(np.uint16),
        apparent_size=tree.apparent_size[first:],
        blocks=tree.blocks[first:],
        mtime=tree.mtime[first:],
        inode=tree.inode[first:],
        owner=tree.owner[first:],
        owners=tree.owners,
        names=tree.names[begin:],
        excluded=0,
    )
    listing = np.full(len(ref), -1, np.int64)
    listing[listed] = np.arange(len(listed))
    return Base(tree, started_ns, [batch], ref, listing, ref.copy(), can_be_patched=True)


def base_of_batches(batches: Sequence[Batch], decisions: Mapping[int, Decision], started_ns: int) -> Base:
    """Return what an unfinished scan received as a base; the first batch is that of its roots."""
    refs = References(batches)
    order = canonical_order(batches, refs, decisions)
    tree = narrowest(build_in_order(list(batches), decisions, refs, order))
    of_roots = len(batches[0].listing_ref)
    listing = order.taken[order.rank] - of_roots
    ref = refs.refs(order.directory_raw[order.rank])
    return Base(tree, started_ns, list(batches[1:]), ref, np.maximum(listing, -1), ref.copy(), can_be_patched=False)
