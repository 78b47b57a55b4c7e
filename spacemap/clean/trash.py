"""Moving to the trash: by descriptors, never to another disk, never onto something.

Not by send2trash, which goes by paths: between its look at a path and the renaming, the path may lead elsewhere.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby

from spacemap.clean.bins import INSTEAD, Bin, find_place, make_bin
from spacemap.clean.journal import Recorder, told_place
from spacemap.clean.known import compare, compare_directory, identity, known_entries
from spacemap.clean.lines import Record
from spacemap.clean.outcome import StaysError, Tally, failure
from spacemap.clean.places import MOUNTED, Places
from spacemap.clean.plan import Plan
from spacemap.clean.system import rename_exclusively
from spacemap.clean.whole import check_whole
from spacemap.errors import SpacemapError
from spacemap.scan.mounts import MountTable, read_mounts
from spacemap.tree.columns import Kind
from spacemap.tree.names import name_to_text

_BATCH = 64
"""Entries that are told to the journal together."""


class Trashing:
    """Carries out a plan by moving what is planned, directories whole."""

    def __init__(self, plan: Plan, tally: Tally, recorder: Recorder, goes_on: Callable[[int], bool]) -> None:
        """`goes_on` is asked often, with the entry that comes next."""
        self._plan = plan
        self._tree = plan.tree
        self._tally = tally
        self._recorder = recorder
        self._goes_on = goes_on
        self._places = Places(plan)
        self._bins: dict[tuple[bytes, int], Bin] = {}

    def run(self) -> bool:
        """Move; return False when it was cancelled. Raises SpacemapError when the journal cannot be written."""
        try:
            return all(self._move_group(parent, entries) for parent, entries in self._groups())
        finally:
            self._places.close()
            for each in self._bins.values():
                each.close()

    def _groups(self) -> Iterator[tuple[int, list[int]]]:
        """Yield planned entries of one directory, a batch at a time."""
        for parent, group in groupby(self._plan.entries.tolist(), lambda entry: int(self._tree.parent[entry])):
            entries = list(group)
            for begin in range(0, len(entries), _BATCH):
                yield parent, entries[begin : begin + _BATCH]

    def _move_group(self, parent: int, entries: list[int]) -> bool:
        """Move entries of one directory; return False when it was cancelled."""
        if not self._goes_on(parent):
            return False
        mounts = read_mounts()
        try:
            self._places.begin(parent)
            target = self._bin(parent, mounts)
        except StaysError as error:
            for entry in entries:
                self._stay(entry, error)
            return True
        reserved = self._reserve(entries, target)
        numbers = self._intend(parent, reserved, target)
        stayed: dict[int, Sequence[bytes]] = {}
        goes_on = True
        for number, (entry, name) in zip(numbers, reserved, strict=True):
            goes_on = goes_on and self._goes_on(entry)
            if not goes_on or not self._move(entry, name, target, mounts):
                stayed[number] = [self._tree.name(entry)]
                target.release(name)
        self._recorder.done(stayed)
        return goes_on

    def _bin(self, parent: int, mounts: MountTable) -> Bin:
        """Return the trash for what is in a directory. Raises StaysError."""
        device, _ = identity(self._tree, parent)
        place = find_place(self._tree.path(parent), device, mounts)
        key = place.path, device
        if key not in self._bins:
            self._bins[key] = make_bin(place, device)
        return self._bins[key]

    def _reserve(self, entries: list[int], target: Bin) -> list[tuple[int, bytes]]:
        """Reserve a name for each entry, on the disk; those for which there is none stay."""
        moment = datetime.now()
        reserved: list[tuple[int, bytes]] = []
        for entry in entries:
            try:
                if self._tree.path(entry).startswith(target.place.path + b"/"):
                    raise StaysError("trash", f"it is in the trash already{INSTEAD}")
                reserved.append((entry, target.reserve(self._tree.name(entry), self._tree.path(entry), moment)))
            except StaysError as error:
                self._stay(entry, error)
        return reserved

    def _intend(self, parent: int, reserved: list[tuple[int, bytes]], target: Bin) -> list[int]:
        """Tell the journal what is about to be moved. Raises SpacemapError, and leaves no name reserved then."""
        try:
            return self._recorder.intend(self._records(parent, reserved, target))
        except SpacemapError:
            for _, name in reserved:
                target.release(name)
            raise

    def _records(self, parent: int, reserved: list[tuple[int, bytes]], target: Bin) -> list[Record]:
        records: list[Record] = [{"type": "directory", "id": parent, **told_place(self._plan, parent)}]
        for entry, name in reserved:
            told: Record = {
                "in": parent,
                "name": name_to_text(self._tree.name(entry)),
                "inode": int(self._tree.inode[entry]),
            }
            place: Record = {"trash": name_to_text(target.place.path), "as": name_to_text(name)}
            records.append({"type": "trash", **told, **place})
        return records

    def _move(self, entry: int, to: bytes, target: Bin, mounts: MountTable) -> bool:
        """Move one entry after comparing it and all below it; return whether it went."""
        try:
            self._compare(entry, mounts)
            self._rename(entry, to, target)
        except StaysError as error:
            self._stay(entry, error)
            return False
        self._count(entry)
        return True

    def _compare(self, entry: int, mounts: MountTable) -> None:
        """Raise StaysError where an entry, or anything below it, is not what is planned."""
        tree = self._tree
        parent = int(tree.parent[entry])
        self._places.begin(parent)  # where comparing failed, it stands anywhere below
        if tree.kind[entry] != Kind.DIRECTORY:
            compare(self._places.look_at(tree.name(entry)), known_entries(self._plan.snapshot, parent, [entry])[0])
            return
        if mounts.points_below(tree.path(entry)):
            raise StaysError("compare", f"{MOUNTED}, somewhere below")
        check_whole(self._plan, self._places, entry)
        compare_directory(self._places.look_at(tree.name(entry)), tree, entry)

    def _rename(self, entry: int, to: bytes, target: Bin) -> None:
        """Move one entry, and back again when it was exchanged at the last moment. Raises StaysError."""
        name, place = self._tree.name(entry), self._places.innermost.descriptor
        try:
            rename_exclusively(name, place, to, target.files)
        except OSError as error:
            raise StaysError("trash", f"{failure(error)}{INSTEAD}") from error
        with suppress(OSError):  # what cannot go back is in the trash, and nothing is lost
            moved = os.stat(to, dir_fd=target.files, follow_symlinks=False)
            if moved.st_ino != int(self._tree.inode[entry]):
                rename_exclusively(to, target.files, name, place)
                raise StaysError("compare", "something else took its place just now")

    def _count(self, entry: int) -> None:
        tree = self._tree
        if tree.kind[entry] == Kind.DIRECTORY:
            row = tree.directory_row(entry)
            self._tally.entries += int(tree.totals.files[row]) + int(tree.totals.directories[row])
            self._tally.disk_bytes += int(tree.totals.disk[row])
        else:
            self._tally.entries += 1
            self._tally.disk_bytes += int(tree.disk_usage(slice(entry, entry + 1))[0])

    def _stay(self, entry: int, error: StaysError) -> None:
        self._tally.stay(self._tree.path(entry), error.operation, error.reason)
