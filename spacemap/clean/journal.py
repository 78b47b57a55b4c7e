"""The journal: what a removal is about to do, before it does it, and what came of it.

A removal is a run: a line that begins it, batches, a line that ends it. Of each batch the intents are on the disk
before anything of it is done; a line tells afterwards that it is done, and what stayed. So all that went is an intent;
where a run ended without that line, what its last intents name may have gone.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from spacemap.clean.lines import LineWriter, Record
from spacemap.clean.outcome import Outcome
from spacemap.clean.plan import Plan
from spacemap.clean.steps import Begin, Enter, Files, Leave, Step
from spacemap.locations import data_directory
from spacemap.tree.names import name_to_text

VERSION = 1


class Journal:
    """Where the journal is. What is done is told in it; `runs.read_runs` reads it."""

    def __init__(self, directory: str | None = None) -> None:
        """Take a directory for it; by default one of the user's data."""
        self.directory = directory or os.fspath(data_directory() / "journal")

    @contextmanager
    def recording(self, what: str, planned: Sequence[bytes], count: int) -> Iterator["Recorder"]:
        """Begin a run on so many planned entries, of which some are named, and let go of the journal in the end.

        Raises UsageError when another process records, SpacemapError when the journal cannot be written.
        """
        writer = LineWriter(self.directory)
        try:
            recorder = Recorder(writer)
            recorder.begin(what, planned, count)
            yield recorder
        finally:
            writer.close()


class Recorder:
    """Writes the lines of one run."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self._run = time.time_ns()
        self._number = 0

    def begin(self, what: str, planned: Sequence[bytes], count: int) -> None:
        """Begin the run."""
        told = [name_to_text(path) for path in planned]
        self._append([{"type": "begin", "version": VERSION, "what": what, "planned": told, "planned_count": count}])

    def _append(self, records: Sequence[Record]) -> None:
        self._writer.append([{"run": self._run, **record} for record in records])

    def intend(self, records: Sequence[Record]) -> list[int]:
        """Bring intents to the disk, and return their numbers; records of type `directory` have none."""
        lines: list[Record] = []
        numbers = []
        for record in records:
            if record["type"] == "directory":
                lines.append(record)
                continue
            numbers.append(self._number)
            lines.append({**record, "number": self._number})
            self._number += 1
        self._append(lines)
        self._writer.sync()
        return numbers

    def done(self, stayed: Mapping[int, Sequence[bytes]]) -> None:
        """Tell that all intents so far are done, but for the names that stayed, by number of intent."""
        texts = {str(number): [name_to_text(name) for name in names] for number, names in stayed.items()}
        self._append([{"type": "done", "before": self._number, "stayed": texts}])

    def end(self, outcome: Outcome) -> None:
        """End the run."""
        counts: Record = {"entries": outcome.entries, "disk_bytes": outcome.disk_bytes, "stayed": outcome.stayed_count}
        self._append([{"type": "end", **counts, "is_cancelled": outcome.is_cancelled}])
        self._writer.sync()


class Batch:
    """Steps that are told to the journal together, and whose intents name them."""

    def __init__(self, plan: Plan, chain: Sequence[int]) -> None:
        """Begin in a directory; `chain` leads to it from where it was found, so that the batch can be read alone."""
        self._plan = plan
        self.steps: list[Step] = []
        self.records: list[Record] = []
        self.size = 0
        """Entries that go."""
        for at, directory in enumerate(chain):
            self.records.append(_told(plan, directory) if not at else _told_below(plan, directory, chain[at - 1]))

    def add(self, step: Step, above: int) -> None:
        """Add a step; `above` is the directory where the steps are before it."""
        self.steps.append(step)
        match step:
            case Begin(directory):
                self.records.append(_told(self._plan, directory))
            case Enter(directory):
                self.records.append(_told_below(self._plan, directory, above))
            case Files(directory, entries):
                names = [name_to_text(self._plan.tree.name(entry)) for entry in entries]
                self.records.append({"type": "delete", "in": directory, "names": names})
                self.size += len(entries)
            case Leave(directory, parent):
                name = name_to_text(self._plan.tree.name(directory))
                self.records.append({"type": "delete", "in": parent, "names": [name], "is_directory": True})
                self.size += 1


def batches(plan: Plan, steps: Iterator[Step], first: int, most: int) -> Iterator[Batch]:
    """Yield steps in batches: the first of about so many entries, each of twice as many as the one before."""
    chain: list[int] = []
    batch, limit = Batch(plan, chain), first
    for step in steps:
        batch.add(step, chain[-1] if chain else 0)
        match step:
            case Begin(directory):
                chain = [directory]
            case Enter(directory):
                chain.append(directory)
            case Leave(directory):
                if chain[-1] == directory:
                    chain.pop()
        if batch.size >= limit:
            yield batch
            batch, limit = Batch(plan, chain), min(2 * limit, most)
    if batch.steps:
        yield batch


def _told(plan: Plan, directory: int) -> Record:
    return {"type": "directory", "id": directory, **told_place(plan, directory)}


def told_place(plan: Plan, directory: int) -> Record:
    """Return the members that tell where a directory is."""
    root, names = plan.place(directory)
    return {"root": name_to_text(plan.tree.name(root)), "below": [name_to_text(name) for name in names]}


def _told_below(plan: Plan, directory: int, above: int) -> Record:
    return {"type": "directory", "id": directory, "in": above, "name": name_to_text(plan.tree.name(directory))}
