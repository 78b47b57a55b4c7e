"""Carrying out a plan: every entry is found again, compared right before its step, and told to the journal before."""

import time
from collections.abc import Callable

from spacemap.clean.delete import Deleting
from spacemap.clean.journal import Journal
from spacemap.clean.outcome import Method, Outcome, Removing, Tally
from spacemap.clean.plan import Plan
from spacemap.clean.trash import Trashing
from spacemap.tree.tree import Tree

MOST_PLANNED = 100
"""So many planned paths are named where the journal begins to tell of them."""
_TICK_NS = 100_000_000

OnProgress = Callable[[Removing], None]
IsCancelled = Callable[[], bool]


def remove(
    plan: Plan,
    method: Method,
    journal: Journal,
    on_progress: OnProgress = lambda _: None,
    is_cancelled: IsCancelled = lambda: False,
) -> Outcome:
    """Remove what a plan says, and return what went, and what stayed and why.

    What differs from the plan is left alone, and the rest goes on. Of a directory that is deleted only what the tree
    knows goes; one that is moved to the trash holds nothing else, or it stays. About every 0.1 s progress is told and
    cancelling asked for; it ends between two entries. Blocks until it is over.

    Raises UsageError when another process removes, SpacemapError when the journal cannot be written: nothing goes
    that it does not tell.
    """
    tally = Tally()
    goes_on = _Watch(plan.tree, tally, on_progress, is_cancelled).goes_on
    planned = [plan.tree.path(entry) for entry in plan.entries[:MOST_PLANNED].tolist()]
    with journal.recording(method.value, planned, len(plan.entries)) as recorder:
        worker = (Trashing if method is Method.TRASH else Deleting)(plan, tally, recorder, goes_on)
        outcome = tally.outcome(is_cancelled=not worker.run())
        recorder.end(outcome)
    return outcome


class _Watch:
    """Tells progress and asks whether to go on, ten times a second at most."""

    def __init__(self, tree: Tree, tally: Tally, on_progress: OnProgress, is_cancelled: IsCancelled) -> None:
        self._tree = tree
        self._tally = tally
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._next_ns = 0

    def goes_on(self, entry: int) -> bool:
        """Return whether to go on with an entry."""
        now = time.monotonic_ns()
        if now < self._next_ns:
            return True
        self._next_ns = now + _TICK_NS
        self._on_progress(Removing(self._tally.entries, self._tally.disk_bytes, self._tree.path(entry)))
        return not self._is_cancelled()
