"""Removing from the browser: a question, then a job with progress, then what came of it, and a look at what is left."""

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event

import numpy as np

from spacemap.scan.rescan import Level, Rescan
from spacemap.tui.jobs import Jobs, Told
from spacemap.tui.marks import Ids, markable
from spacemap.tui.opening import Live
from spacemap.tui.screens.actions import SessionScreen
from spacemap.tui.subject import Setting, Subject
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
from spacemap.units import format_number

TYPE_CHECKING = False  # what mypy takes for true; most who browse remove nothing, and need none of this
if TYPE_CHECKING:
    from spacemap.clean import Journal, Method, Outcome, Removing
    from spacemap.tui.proposal import Proposal
    from spacemap.tui.screens.remove import Script


class RemovingScreen(SessionScreen):
    """Asks, removes, and tells. Scanning and removing exclude one another."""

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__(jobs, subject, setting)
        self.removing: Removing | None = None
        """How far a removal is, as soon as it has told."""
        self._cancels: Event | None = None
        """What ends the removal that runs."""
        self._leaves_with: tuple[bytes | None] | None = None
        """What to leave with when the removal has ended."""
        self._is_asking = False
        """Whether it is being worked out what would go, or asked about it."""
        self._looks_no_more = Event()
        """What ends the comparison of what would go with the disk."""

    @property
    def is_removing(self) -> bool:
        """Whether a removal runs."""
        return self._cancels is not None

    @property
    def _journal(self) -> "Journal":
        if not isinstance(self.subject, Live) or self.subject.journal is None:
            raise AssertionError("unreachable: check_action leaves these actions out")
        return self.subject.journal()

    def busy(self) -> str:
        """Return what keeps files from being looked at or removed now; empty for nothing."""
        if self.is_removing:
            return f"Something is being removed; {self.setting.key('stop')} stops that"
        return super().busy()

    def action_remove(self) -> None:
        from spacemap.clean import Method  # noqa: PLC0415 - as above

        self._propose(tuple(Method))

    def action_trash(self) -> None:
        from spacemap.clean import Method  # noqa: PLC0415 - as above

        self._propose((Method.TRASH,))

    def action_undo_trash(self) -> None:
        from spacemap.tui.removal import look_back  # noqa: PLC0415 - as above

        self._work(partial(look_back, self._journal))

    def _propose(self, methods: "tuple[Method, ...]") -> None:
        from spacemap.tui.removal import make_proposal  # noqa: PLC0415 - as above

        entries = self._chosen()
        if len(entries):
            self._work(partial(make_proposal, self.here.snapshot, entries, methods))
        else:
            self.say("Nothing is marked, and the cursor is on nothing that can be removed")

    def _chosen(self) -> Ids:
        """Return what is marked, else what is under the cursor."""
        session = self.here
        current = [] if session.current is None else [session.current]
        return session.marks.entries if len(session.marks) else markable(session.tree, np.array(current, np.int64))

    def _work(self, work: Callable[[Callable[[Told], object]], None]) -> None:
        """Work out what to ask about, unless that is done already, or something is in its way."""
        if busy := self.busy():
            self.say(busy)
        elif not self._is_asking:
            self._is_asking = True
            self.jobs.do(work)

    def take_told(self, told: Told) -> None:
        """Go on where work has told something."""
        match told:
            case Proposed():
                self._ask(told)
            case Inspected() | Comparing() | Compared():
                self._show(told)
            case Trashed():
                self._ask_back(told)
            case Going(removing):
                self.removing = removing
            case Removed(outcome, method, changed):
                what = "moved to the trash" if method.value == "trash" else "deleted"
                amount = self.setting.writing.amount(outcome.disk_bytes)
                self._end_removal(outcome, f"{what}, {amount}", changed)
            case PutBack(outcome, changed):
                self._end_removal(outcome, "put back", changed)
            case Written(path):
                self.say(f"Wrote {path}; nothing was removed")
            case NotBegun(error, changed):
                self._is_asking = False
                self.complain(error)
                if not self._end_work() and changed:
                    self._look_again(changed)

    def _ask(self, proposed: Proposed) -> None:
        from spacemap.tui.removal import look_at  # noqa: PLC0415 - as above
        from spacemap.tui.screens.remove import RemoveScreen  # noqa: PLC0415 - as above

        is_filtered = self.here.look.filter is not None
        question = RemoveScreen(proposed.proposal, proposed.methods, self.setting.writing, is_filtered=is_filtered)
        self.app.push_screen(question, partial(self._answer, proposed.proposal))
        self._looks_no_more = Event()
        self.jobs.do(partial(look_at, proposed.proposal, self._looks_no_more.is_set))

    def _show(self, told: Inspected | Comparing | Compared) -> None:
        from spacemap.tui.screens.remove import RemoveScreen  # noqa: PLC0415 - as above

        if isinstance(self.app.screen, RemoveScreen):
            self.app.screen.take(told)

    def _answer(self, proposal: "Proposal", answer: "Method | Script | None") -> None:
        from spacemap.tui.removal import carry_out, write_down  # noqa: PLC0415 - as above
        from spacemap.tui.screens.remove import Script  # noqa: PLC0415 - as above

        self._is_asking = False
        self._looks_no_more.set()
        if isinstance(answer, Script):
            self.jobs.do(partial(write_down, proposal, answer.path))
        elif answer is not None:
            self._begin(lambda cancels: partial(carry_out, proposal, answer, self._journal, cancels.is_set))

    def _ask_back(self, trashed: Trashed) -> None:
        from spacemap.tui.screens.undo import UndoScreen  # noqa: PLC0415 - as above

        self.app.push_screen(UndoScreen(trashed.paths, self.setting.writing), self._answer_back)

    def _answer_back(self, answer: bool | None) -> None:  # noqa: FBT001 - Textual's
        from spacemap.tui.removal import put_back  # noqa: PLC0415 - as above

        self._is_asking = False
        if answer:
            self._begin(lambda _: partial(put_back, self._journal))

    def _begin(self, work: Callable[[Event], Callable[[Callable[[Told], object]], None]]) -> None:
        if busy := self.busy():
            self.say(busy)
            return
        self._cancels = Event()
        self.removing = None
        self.jobs.do(work(self._cancels))
        self.paint()

    def _end_removal(self, outcome: "Outcome", what: str, changed: Iterable[bytes]) -> None:
        from spacemap.tui.screens.stayed import StayedScreen  # noqa: PLC0415 - as above

        if self._end_work():
            return
        stopped = "Stopped; " if outcome.is_cancelled else ""
        self.say(f"{stopped}{format_number(outcome.entries, 'entry', 'entries')} {what}")
        if outcome.stayed_count:
            self.app.push_screen(StayedScreen(outcome, self.setting.writing))
        self._look_again(changed)

    def _end_work(self) -> bool:
        """Let nothing be removed any more; leave if that was asked for meanwhile, and tell so."""
        self._cancels = None
        if self._leaves_with is not None:
            self._leave(*self._leaves_with)
        return self._leaves_with is not None

    def _look_again(self, changed: Iterable[bytes]) -> None:
        """Let the tree follow what was changed."""
        from spacemap.tui.proposal import nearest_directories  # noqa: PLC0415 - as above

        if not isinstance(self.subject, Live):
            raise AssertionError("unreachable: nothing is removed from what is kept")
        snapshot = self.here.snapshot
        directories = nearest_directories(snapshot, changed)
        if directories:
            rescan = Rescan(Level.TRUST, again=directories)
            self._is_refreshed = True
            self.jobs.scan(self.subject.paths, self.subject.options, snapshot, rescan)

    def action_stop(self) -> None:
        if self._cancels is None:
            super().action_stop()
        else:
            self._cancels.set()
            self.say("Stopping; what is gone stays gone")

    def action_leave_program(self) -> None:
        if self.is_removing and not self.asked_to_leave:
            self.asked_to_leave = True
            self.say("Something is being removed; once more stops that and quits")
        else:
            super().action_leave_program()

    def _leave(self, directory: bytes | None) -> None:
        self._looks_no_more.set()
        if self._cancels is None or self._leaves_with is not None:
            super()._leave(directory)
            return
        # What is at hand is finished and told to the journal.
        self._leaves_with = (directory,)
        self._cancels.set()
