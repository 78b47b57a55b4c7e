"""Deleting: what a plan names, and of a directory only what the tree knows."""

import errno
import os
from collections.abc import Callable, Sequence

from spacemap.clean.journal import Batch, Recorder, batches
from spacemap.clean.known import Known, compare, compare_directory, known_entries, skip_of
from spacemap.clean.outcome import GONE, StaysError, Tally, failure
from spacemap.clean.places import MOUNTED, Place, Places
from spacemap.clean.plan import Plan
from spacemap.clean.steps import Begin, Enter, Files, Leave, Step, plan_steps
from spacemap.tree.columns import BLOCK_SIZE, ELSEWHERE, Flag, Skip

FIRST_BATCH, LARGEST_BATCH = 256, 8192
"""Entries that are told to the journal together. The first fits into its reserve."""
_LOOK_AFTER = 32
"""So many files go before the clock is looked at."""
_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)
_ALL = -1


class Deleting:
    """Carries out the steps of a plan."""

    def __init__(self, plan: Plan, tally: Tally, recorder: Recorder, goes_on: Callable[[int], bool]) -> None:
        """`goes_on` is asked often, with the entry that comes next."""
        self._plan = plan
        self._tree = plan.tree
        self._tally = tally
        self._recorder = recorder
        self._goes_on = goes_on
        self._places = Places(plan)
        self._blocked: int | None = None
        """The directory that could not be entered: all up to leaving it is passed over. _ALL: up to the next begin."""
        self._block = StaysError("open", "")
        """Why."""
        self._begun = 0
        """The directory of the planned entries at hand."""

    def run(self) -> bool:
        """Delete; return False when it was cancelled. Raises SpacemapError when the journal cannot be written."""
        steps = plan_steps(self._plan)
        try:
            return all(map(self._carry_out, batches(self._plan, steps, FIRST_BATCH, LARGEST_BATCH)))
        finally:
            self._places.close()

    def _carry_out(self, batch: Batch) -> bool:
        numbers = iter(self._recorder.intend(batch.records))
        stayed: dict[int, Sequence[bytes]] = {}
        goes_on = True
        for step in batch.steps:
            goes_on = goes_on and self._goes_on(step.directory)
            names, goes_on = self._take(step) if goes_on else (self._names(step), False)
            if isinstance(step, Files | Leave) and names:
                stayed[next(numbers)] = names
            elif isinstance(step, Files | Leave):
                next(numbers)
        self._recorder.done(stayed)
        return goes_on

    def _names(self, step: Step) -> list[bytes]:
        """Return the names that a step would remove."""
        match step:
            case Files(_, entries):
                return [self._tree.name(entry) for entry in entries]
            case Leave(directory):
                return [self._tree.name(directory)]
        return []

    def _take(self, step: Step) -> tuple[list[bytes], bool]:
        """Take a step; return the names that stay, and False when it was cancelled in the middle."""
        if self._is_passed_over(step):
            return self._names(step), True
        match step:
            case Files(directory, entries):
                return self._delete_files(directory, entries)
            case Leave(directory):
                return ([] if self._leave(directory) else self._names(step)), True
            case Begin(directory):
                self._begun, self._blocked = directory, None
        try:
            (self._places.begin if isinstance(step, Begin) else self._places.enter)(step.directory)
        except StaysError as error:
            self._blocked, self._block = (_ALL if isinstance(step, Begin) else step.directory), error
            if isinstance(step, Enter):
                self._tally.stay(self._tree.path(step.directory), error.operation, error.reason)
        return [], True

    def _is_passed_over(self, step: Step) -> bool:
        """Return whether a step lies in a directory that could not be entered."""
        if self._blocked is None or isinstance(step, Begin):
            return False
        if self._blocked != _ALL:
            if isinstance(step, Leave) and step.directory == self._blocked:
                self._blocked = None
                self._places.innermost.keeps |= self._block.reason != GONE
        else:  # of what was planned itself each is told, with the reason
            entries = step.entries if isinstance(step, Files) else [step.directory]
            is_planned = (step.above if isinstance(step, Leave) else step.directory) == self._begun
            for entry in entries if is_planned else []:
                self._tally.stay(self._tree.path(entry), self._block.operation, f"its directory: {self._block.reason}")
        return True

    def _delete_files(self, directory: int, entries: list[int]) -> tuple[list[bytes], bool]:
        """Delete files of the innermost directory; return what stays, and False when it was cancelled."""
        place = self._places.innermost
        stayed: list[bytes] = []
        known = known_entries(self._plan.snapshot, directory, entries)
        for at, each in enumerate(known):
            if at % _LOOK_AFTER == _LOOK_AFTER - 1 and not self._goes_on(entries[at]):
                return [*stayed, *(rest.name for rest in known[at:])], False
            try:
                self._delete_file(place, each)
            except StaysError as error:
                stayed.append(each.name)
                self._stay(place, entries[at], error)
        return stayed, True

    def _delete_file(self, place: Place, known: Known) -> None:
        """Delete one file after comparing it. Raises StaysError."""
        try:
            found = os.stat(known.name, dir_fd=place.descriptor, follow_symlinks=False)
            compare(found, known)
            os.unlink(known.name, dir_fd=place.descriptor)
        except OSError as error:
            raise _stays(error) from error
        self._tally.entries += 1
        self._tally.disk_bytes += found.st_blocks * BLOCK_SIZE if found.st_nlink == 1 else 0

    def _leave(self, directory: int) -> bool:
        """Leave a directory, if it was entered, and delete it unless something in it stays; return whether it went."""
        try:
            if self._places.innermost.directory == directory and self._places.leave().keeps:
                self._places.innermost.keeps = True
                return False
        except StaysError as error:
            self._tally.stay(self._tree.path(directory), error.operation, error.reason)
            self._blocked, self._block = _ALL, error
            return False
        place = self._places.innermost
        try:
            self._delete_directory(place, directory)
        except StaysError as error:
            self._stay(place, directory, error)
            return False
        return True

    def _delete_directory(self, place: Place, directory: int) -> None:
        """Delete an empty directory after comparing it. Raises StaysError."""
        name, skip = self._tree.name(directory), skip_of(self._tree, directory)
        if self._tree.flags[directory] & Flag.MOUNT or skip in ELSEWHERE:
            raise StaysError("delete", MOUNTED)
        try:
            found = os.stat(name, dir_fd=place.descriptor, follow_symlinks=False)
            compare_directory(found, self._tree, directory)
            os.rmdir(name, dir_fd=place.descriptor)
        except OSError as error:
            if error.errno in _NOT_EMPTY:
                added = "something was added to it since the scan, or left out by it"
                unlisted = "the scan did not list what is in it"
                raise StaysError("delete", added if skip is Skip.NONE else unlisted) from error
            raise _stays(error) from error
        self._tally.entries += 1
        self._tally.disk_bytes += found.st_blocks * BLOCK_SIZE

    def _stay(self, place: Place, entry: int, error: StaysError) -> None:
        # What went by itself keeps no directory.
        place.keeps |= error.reason != GONE
        self._tally.stay(self._tree.path(entry), error.operation, error.reason)


def _stays(error: OSError) -> StaysError:
    return StaysError("compare", GONE) if error.errno == errno.ENOENT else StaysError("delete", failure(error))
