"""Work in threads that removes, or puts back: whatever of it changes files is in clean/."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from spacemap.clean import Journal, Method, Plan, Removing, inspect, look_below, remove, undo_last, write_script
from spacemap.clean.bins import find_place
from spacemap.clean.outcome import StaysError
from spacemap.clean.runs import Intent
from spacemap.clean.undo import last_trash
from spacemap.errors import SpacemapError, UsageError
from spacemap.render.text import display_name
from spacemap.scan.mounts import read_mounts
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.jobs import Post
from spacemap.tui.marks import Ids
from spacemap.tui.proposal import Proposal, changed_by, propose
from spacemap.tui.tellings import (
    Compared,
    Comparing,
    Going,
    Inspected,
    NotBegun,
    Proposed,
    PutBack,
    Removed,
    Trashed,
    Written,
)

IsCancelled = Callable[[], bool]


def make_proposal(snapshot: Snapshot, entries: Ids, methods: tuple[Method, ...], tell: Post) -> None:
    """Work out what would go."""
    tell(Proposed(propose(snapshot, entries), methods))


class _GivenUpError(Exception):
    """Nobody waits for the comparison any more."""


def look_at(proposal: Proposal, is_over: IsCancelled, tell: Post) -> None:
    """Compare what is proposed with the file system: first that itself, then, which may take long, all below it."""

    def on_progress(compared: int, count: int) -> None:
        if is_over():
            raise _GivenUpError
        tell(Comparing(proposal, compared, count))

    tell(Inspected(proposal, inspect(proposal.plan)))
    with suppress(_GivenUpError):
        tell(Compared(proposal, look_below(proposal.plan, os.getuid(), on_progress)))


def carry_out(proposal: Proposal, method: Method, journal: Journal, is_cancelled: IsCancelled, tell: Post) -> None:
    """Remove what is proposed."""

    def on_progress(removing: Removing) -> None:
        tell(Going(removing))

    changed = changed_by(proposal)
    if method is Method.TRASH:
        changed.update(_trashes(proposal.plan))
    try:
        outcome = remove(proposal.plan, method, journal, on_progress, is_cancelled)
    except SpacemapError as error:
        tell(NotBegun(error, frozenset(changed)))
    else:
        tell(Removed(outcome, method, frozenset(changed)))


def write_down(proposal: Proposal, path: str, tell: Post) -> None:
    """Write a script that removes what is proposed, to a file that is not there yet."""
    try:
        if os.path.lexists(path):
            raise UsageError(f"{display_name(os.fsencode(path))} is there already; choose another name")
        write_script(proposal.plan, path)
    except SpacemapError as error:
        tell(NotBegun(error))
    else:
        tell(Written(path))


def look_back(journal: Journal, tell: Post) -> None:
    """Find out what could be put back."""
    try:
        _, intents = last_trash(journal)
    except SpacemapError as error:
        tell(NotBegun(error))
    else:
        tell(Trashed(tuple(sorted(os.path.join(intent.where.path(), *intent.names) for intent in intents))))


def put_back(journal: Journal, tell: Post) -> None:
    """Put back what was moved to the trash last."""
    changed: frozenset[bytes] = frozenset()
    try:
        _, intents = last_trash(journal)
        changed = frozenset(path for intent in intents for path in _places(intent))
        outcome = undo_last(journal)
    except SpacemapError as error:
        tell(NotBegun(error, changed))
    else:
        tell(PutBack(outcome, changed))


def _trashes(plan: Plan) -> Iterator[bytes]:
    """Yield the directories of the trashes that planned entries go to."""
    tree, mounts = plan.tree, read_mounts()
    parents = np.unique(tree.parent[plan.entries])
    rows = np.searchsorted(tree.directories.entry, parents)
    devices, first = np.unique(tree.directories.device[rows], return_index=True)
    for device, parent in zip(devices.tolist(), parents[first].tolist(), strict=True):
        try:
            trash = find_place(tree.path(parent), device, mounts).path
        except StaysError:
            continue  # nothing was moved from there
        yield from _parts(trash)


def _places(intent: Intent) -> Iterator[bytes]:
    """Yield the directories that change when what was moved is put back."""
    yield intent.where.path()
    if intent.trashed is not None:
        yield from _parts(intent.trashed.trash)


def _parts(trash: bytes) -> Iterator[bytes]:
    yield os.path.join(trash, b"files")
    yield os.path.join(trash, b"info")
