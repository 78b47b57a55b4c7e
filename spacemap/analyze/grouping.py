"""Equal files laid out as the result: links, aliases, shared blocks, equal directories, and what is wasted."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spacemap.analyze.candidates import Candidates
from spacemap.analyze.contents import State
from spacemap.analyze.equal_directories import EMPTY, EqualDirectories, equal_directories
from spacemap.analyze.extents import SHARING_FILE_SYSTEMS, extents_of
from spacemap.analyze.known import sizes_of
from spacemap.analyze.members import Collected, Members, without_aliases
from spacemap.scan.mounts import read_mounts
from spacemap.tree.columns import I64, U32, U64, Mask
from spacemap.tree.duplicates import (
    Copies,
    DirectoryGroups,
    Duplicates,
    Effort,
    Groups,
    LeftOut,
    NotCompared,
    waste,
)
from spacemap.tree.place import bounds, ranges
from spacemap.tree.tree import Tree

Ids = npt.NDArray[np.int64]


def lay_out(  # noqa: PLR0913 - the parts of the result
    tree: Tree,
    candidates: Candidates,
    collected: Collected,
    effort: Effort,
    is_complete: bool,  # noqa: FBT001 - handed on
    notes: tuple[str, ...],
) -> Duplicates:
    """Return the result of a search."""
    members, owner_of_id = _whole_groups(collected.members(), candidates)
    begin = bounds(members.group)
    copies = _copies(tree, candidates, members, owner_of_id, begin)
    groups = _groups(members, begin, sizes_of(candidates, members.ids[begin[:-1]]))
    del members, owner_of_id  # half of the memory of what follows
    directories, told = _directories(tree, candidates, copies, begin)
    copies = replace(copies, is_told=_all_told(told, copies.first_link, copies.links))
    is_counted = ~(copies.is_shared | copies.is_told)
    groups, copies = _ordered(replace(groups, wasted=waste(copies.disk, is_counted, begin[:-1])), copies)
    return Duplicates(
        groups=groups,
        copies=copies,
        directories=_directory_groups(directories),
        not_compared=_not_compared(candidates, collected),
        empty=candidates.empty,
        effort=effort,
        is_complete=is_complete,
        notes=notes,
    )


def _whole_groups(members: Members, candidates: Candidates) -> tuple[Members, Ids]:
    """Return members without those that are another's file, or alone then; and for each candidate whose file it is,
    a row of the members, or -1."""
    several, owner = without_aliases(members, candidates)
    owner_of_id = np.full(len(candidates), -1, np.int64)
    owner_of_id[members.ids] = owner
    if len(several.ids) == len(members.ids):
        return members, owner_of_id
    _, inverse, count = np.unique(several.group, return_inverse=True, return_counts=True)
    kept = count[inverse] > 1
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    owner_of_id[members.ids] = place[owner]
    return several.taken(kept), owner_of_id


def _copies(tree: Tree, candidates: Candidates, members: Members, owner_of_id: Ids, begin: Ids) -> Copies:
    """Return what is known of each member; none of them is told yet."""
    first_link, links = _links(candidates, owner_of_id, len(members.ids))
    return Copies(
        entry=links[first_link[:-1]],
        device=candidates.device[members.ids],
        inode=candidates.inode[members.ids],
        mtime_ns=members.rows["mtime_ns"].copy(),
        ctime_ns=members.rows["ctime_ns"].copy(),
        disk=members.rows["blocks"] * np.uint64(512),
        link_count=members.rows["links"].astype(np.uint32),
        first_link=first_link,
        links=links,
        is_shared=_shared(tree, candidates, members, begin),
        is_told=np.zeros(len(members.ids), np.bool_),
    )


def _directories(tree: Tree, candidates: Candidates, copies: Copies, begin: Ids) -> tuple[list[EqualDirectories], Mask]:
    """Return equal directories, and a mask of the entries that are told with one."""
    wasted = np.zeros(len(tree), np.uint64)
    wasted[copies.entry] = np.where(copies.is_shared, 0, copies.disk)
    contents = np.full(len(tree), -1, np.int64)
    contents[candidates.empty] = EMPTY
    number = np.repeat(np.arange(len(begin) - 1) + EMPTY + 1, np.diff(begin))
    contents[copies.links] = np.repeat(number, np.diff(copies.first_link))
    return equal_directories(tree, contents, wasted)


def _links(candidates: Candidates, owner_of_id: Ids, count: int) -> tuple[I64, U32]:
    """Return the entries of each copy, ascending: that of its candidate, and further links."""
    ids = np.flatnonzero(owner_of_id >= 0)
    is_linked = owner_of_id[candidates.other_of] >= 0
    entry = np.concatenate([candidates.entry[ids], candidates.other[is_linked]])
    owner = np.concatenate([owner_of_id[ids], owner_of_id[candidates.other_of[is_linked]]])
    order = np.lexsort((entry, owner))
    first = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=count))]).astype(np.int64)
    return first, entry[order]


def _shared(tree: Tree, candidates: Candidates, members: Members, begin: Ids) -> Mask:
    """Return which copies have all their blocks in common with an earlier one of their group."""
    shared = np.zeros(len(members.ids), np.bool_)
    device = candidates.device[members.ids]
    mounts = read_mounts()
    kinds = {int(each): False for each in np.unique(device)}
    for each in kinds:
        at = int(np.flatnonzero(device == each)[0])
        mount = mounts.of(tree.path(int(candidates.entry[members.ids[at]])))
        kinds[each] = mount is not None and mount.kind in SHARING_FILE_SYSTEMS
    if not any(kinds.values()):
        return shared
    for low, high in zip(begin[:-1].tolist(), begin[1:].tolist(), strict=True):
        seen = set()
        for at in range(low, high):
            own = int(device[at])
            extents = extents_of(tree.path(int(candidates.entry[members.ids[at]]))) if kinds[own] else None
            shared[at] = extents is not None and (own, extents) in seen
            seen.add((own, extents))
    return shared


def _all_told(told: Mask, first_link: I64, links: U32) -> Mask:
    """Return the copies all of whose links are in directories that are told."""
    if not len(links):
        return np.zeros(0, np.bool_)
    return np.logical_and.reduceat(told[links], first_link[:-1])


def _groups(members: Members, begin: Ids, sizes: U64) -> Groups:
    """Return the groups in the order of the members; what they waste is not known yet."""
    first = begin[:-1]
    digest = np.stack([members.high[first], members.low[first]], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)
    return Groups(
        size=sizes,
        wasted=np.zeros(len(first), np.uint64),
        digest=digest,
        has_digest=members.has_digest[first],
        proof=members.proof[first],
        first=begin.astype(np.int64),
    )


def _ordered(groups: Groups, copies: Copies) -> tuple[Groups, Copies]:
    """Return groups and copies, the group with the most waste first, equal ones by their first entry."""
    first, count = groups.first[:-1], np.diff(groups.first)
    order = np.lexsort((copies.entry[first], -groups.size.astype(np.float64), -groups.wasted.astype(np.float64)))
    rows = _rows(first[order], count[order])
    links = np.diff(copies.first_link)[rows]
    chosen = _rows(copies.first_link[:-1][rows], links)
    return (
        Groups(
            groups.size[order],
            groups.wasted[order],
            groups.digest[order],
            groups.has_digest[order],
            groups.proof[order],
            np.concatenate([[0], np.cumsum(count[order])]).astype(np.int64),
        ),
        Copies(
            copies.entry[rows],
            copies.device[rows],
            copies.inode[rows],
            copies.mtime_ns[rows],
            copies.ctime_ns[rows],
            copies.disk[rows],
            copies.link_count[rows],
            np.concatenate([[0], np.cumsum(links)]).astype(np.int64),
            copies.links[chosen],
            copies.is_shared[rows],
            copies.is_told[rows],
        ),
    )


def _rows(first: Ids, count: Ids) -> Ids:
    return np.concatenate([np.zeros(0, np.int64), ranges(first, count)])


def _directory_groups(found: list[EqualDirectories]) -> DirectoryGroups:
    return DirectoryGroups(
        size=np.array([group.size for group in found], np.uint64),
        files=np.array([group.files for group in found], np.uint64),
        wasted=np.array([group.wasted for group in found], np.uint64),
        first=np.cumsum([0, *(len(group.entries) for group in found)]).astype(np.int64),
        entries=np.array([entry for group in found for entry in group.entries], np.uint32),
    )


def _not_compared(candidates: Candidates, collected: Collected) -> NotCompared:
    ids = np.concatenate([np.zeros(0, np.int64), *(ids for ids, _ in collected.failed)])
    states = np.concatenate([np.zeros(0, np.int64), *(rows["state"] for _, rows in collected.failed)])
    errors = np.concatenate([np.zeros(0, np.int64), *(rows["errno"] for _, rows in collected.failed)])
    order = np.argsort(candidates.entry[ids], kind="stable")
    reason = np.where(states == State.FAILED, LeftOut.UNREADABLE, LeftOut.CHANGED).astype(np.uint8)
    return NotCompared(candidates.entry[ids][order], reason[order], errors[order])
