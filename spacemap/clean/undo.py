"""Undoing the last trash: what it moved goes back to where it was, never onto something."""

import os

from spacemap.clean.bins import Bin, Place, open_bin
from spacemap.clean.journal import Journal, Recorder
from spacemap.clean.lines import Record
from spacemap.clean.outcome import Method, Outcome, StaysError, Tally, failure
from spacemap.clean.runs import Intent, Run, Trashed, read_runs
from spacemap.clean.system import PLACE_FLAGS, rename_exclusively
from spacemap.errors import UsageError
from spacemap.tree.names import name_to_text


def undo_last(journal: Journal) -> Outcome:
    """Restore what the last trash moved and is still there, and return what was restored, and what was not and why.

    Nothing is restored onto a name that is in use again, and no missing directory is made: that stays in the trash,
    and can be restored later. Raises UsageError when nothing of what the journal tells is in the trash, or another
    process removes; SpacemapError when the journal cannot be used.
    """
    tally = Tally()
    run, pending = last_trash(journal)
    with journal.recording("restore", run.planned, len(pending)) as recorder:
        for at, intent in enumerate(pending):
            _restore(intent, run, recorder, tally, at)
        outcome = tally.outcome(is_cancelled=False)
        recorder.end(outcome)
    return outcome


def last_trash(journal: Journal) -> tuple[Run, list[Intent]]:
    """Return the last run with something that is still in the trash, and what it moved that was not restored.

    Raises UsageError when there is none, SpacemapError when the journal cannot be read.
    """
    trashes: list[Run] = []
    restored: set[tuple[int, int]] = set()
    begun: set[tuple[int, int]] = set()  # of which the journal does not tell how it ended
    for run in read_runs(journal.directory):
        if run.what == Method.TRASH.value:
            trashes.append(run)
        restored.update(i.restores for i in run.intents if i.restores and i.is_done and i.gone())
        begun.update(i.restores for i in run.intents if i.restores and not i.is_done)
    for run in reversed(trashes):
        pending = [i for i in run.intents if i.gone() and (run.started_ns, i.number) not in restored]
        # What may have been moved or restored when a process ended is known by looking.
        if any(_is_there(intent.trashed) for intent in pending):
            sure = [i.is_done and (run.started_ns, i.number) not in begun for i in pending]
            return run, [i for i, is_sure in zip(pending, sure, strict=True) if is_sure or _is_there(i.trashed)]
    raise UsageError("nothing that spacemap moved to a trash is there any more: there is nothing to undo")


def _is_there(trashed: Trashed | None) -> bool:
    if trashed is None:
        return False
    try:
        found = os.lstat(os.path.join(trashed.trash, b"files", trashed.name))
    except OSError:
        return False
    return found.st_ino == trashed.inode


def _restore(intent: Intent, run: Run, recorder: Recorder, tally: Tally, at: int) -> None:
    """Restore one entry, told to the journal before."""
    root, below = intent.where.parts()
    name, trashed = intent.names[0], intent.trashed
    if trashed is None:
        raise AssertionError("unreachable")
    place: Record = {"root": name_to_text(root), "below": [name_to_text(each) for each in below]}
    of: Record = {"of_run": run.started_ns, "of": intent.number}
    numbers = recorder.intend(
        [
            {"type": "directory", "id": at, **place},
            {"type": "restore", "in": at, "name": name_to_text(name), **of},
        ]
    )
    try:
        _move_back(root, below, name, trashed)
    except StaysError as error:
        tally.stay(os.path.join(intent.where.path(), name), error.operation, error.reason)
        recorder.done({numbers[0]: [name]})
    else:
        tally.entries += 1
        recorder.done({})


def _move_back(root: bytes, below: tuple[bytes, ...], name: bytes, trashed: Trashed) -> None:
    """Move something from a trash to a free name of a directory. Raises StaysError."""
    if not _is_there(trashed):
        raise StaysError("restore", "it is not in the trash any more")
    try:
        source = open_bin(Place(trashed.trash, None), None)
    except OSError as error:
        raise StaysError("restore", f"the trash cannot be opened: {failure(error)}") from error
    try:
        _move_from(source, _open_directory(root, below), name, trashed)
    finally:
        source.close()


def _move_from(source: Bin, target: int, name: bytes, trashed: Trashed) -> None:
    try:
        found = os.stat(trashed.name, dir_fd=source.files, follow_symlinks=False)
        if found.st_ino != trashed.inode:
            raise StaysError("restore", "something else is in its place in the trash")
        rename_exclusively(trashed.name, source.files, name, target)
        source.release(trashed.name)
    except FileExistsError as error:
        raise StaysError("restore", "its name is in use again; it stays in the trash") from error
    except OSError as error:
        raise StaysError("restore", f"{failure(error)}; it stays in the trash") from error
    finally:
        os.close(target)


def _open_directory(root: bytes, below: tuple[bytes, ...]) -> int:
    """Return a descriptor of a directory below a root that no symlink leads to. Raises StaysError."""
    try:
        descriptor = os.open(root, PLACE_FLAGS & ~os.O_NOFOLLOW)
        for name in below:
            above = descriptor
            try:
                descriptor = os.open(name, PLACE_FLAGS, dir_fd=above)
            finally:
                os.close(above)
    except OSError as error:
        reason = f"its directory cannot be opened: {failure(error)}; it stays in the trash"
        raise StaysError("restore", reason) from error
    return descriptor
