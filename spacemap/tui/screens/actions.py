"""What keys do: changes of a session, other programs, and jobs; the screen that paints builds on this."""

import os
import time
from abc import abstractmethod
from dataclasses import replace
from enum import Enum
from typing import TypeVar

from textual.screen import Screen

from spacemap.analyze.by import By
from spacemap.errors import SpacemapError
from spacemap.render.text import display_name, display_text
from spacemap.scan.rescan import Level, Rescan
from spacemap.tree.measure import Measure
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.copying import MOST_COPIED, clipboard_text
from spacemap.tui.exporting import export
from spacemap.tui.jobs import Jobs
from spacemap.tui.keys import CHANGING, KEYS, OTHER_PROGRAMS, READ_ONLY, Key
from spacemap.tui.launch import open_with_its_program, run_shell
from spacemap.tui.look import Graph, Look, Sharing, Sort, View
from spacemap.tui.marking import clear_marks, extend_marks, mark_all, mark_others, switch_mark
from spacemap.tui.opening import Live
from spacemap.tui.screens.export import ExportScreen, Wanted
from spacemap.tui.screens.help import HelpScreen
from spacemap.tui.session import Session
from spacemap.tui.subject import Outcome, Setting, Subject
from spacemap.tui.summary import is_partial
from spacemap.units import format_count, format_duration, format_number

_OURS = frozenset(key.action.partition("(")[0] for key in KEYS)
_WITHOUT_ROWS = frozenset({"stop", "repaint", "help", "leave_program", "leave_here"})
"""Actions that make sense before there are rows."""
_LONG_SCAN_NS = 3_000_000_000
"""A scan that has taken so long is not thrown away by one key."""
_TOLD_SECONDS = 3
"""So long what is told in passing stays."""
Choice = TypeVar("Choice", bound=Enum)


class SessionScreen(Screen[None]):
    """Holds a session and all actions on it."""

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__()
        self.session: Session | None = None
        self.jobs = jobs
        self.subject = subject
        self.setting = setting
        self.scan_elapsed_ns = 0
        self._retried: int | None = None
        """How many entries could not be read before they were tried again; None: nobody asked."""
        self.asked_to_leave = False
        self._sure_until = 0.0
        """Until when one more key that stops scans quits; monotonic seconds."""
        self._loss_ns = 0
        """How long the scan took that would be lost; 0: nothing would."""
        self._was_told_of_loss = False
        self._is_refreshed = False
        """Whether the last scan looked at a part only: what is kept was looked at as a whole."""

    @abstractmethod
    def paint(self) -> None:
        """Show the session as it is now."""

    @property
    @abstractmethod
    def page(self) -> int:
        """Rows on the screen."""

    def has_action(self, name: str) -> bool:
        """Return whether an action makes sense for what is browsed."""
        if not isinstance(self.subject, Live):
            return name not in READ_ONLY and name not in CHANGING
        return self.subject.journal is not None or not (name in CHANGING or name in OTHER_PROGRAMS)

    def keys(self) -> list[Key]:
        """Return the keys of what can be done here."""
        return [key for key in self.setting.keys if self.has_action(key.action.partition("(")[0])]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Leave out what a kept snapshot does not have, and what needs rows before there are any."""
        if action not in _OURS or action in _WITHOUT_ROWS:
            return self.has_action(action)
        return self.has_action(action) and self.session is not None

    @property
    def here(self) -> Session:
        """The session, for actions that are not there without one."""
        if self.session is None:
            raise AssertionError("unreachable: check_action leaves these actions out")
        return self.session

    def action_move(self, rows: int) -> None:
        self.here.move_to(self.here.cursor + rows)
        self.paint()

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(self.page - 1, 1))

    def action_first(self) -> None:
        self.here.move_to(0)
        self.paint()

    def action_last(self) -> None:
        self.here.move_to(len(self.here.rows()) - 1)
        self.paint()

    def action_open(self) -> None:
        self.here.open()
        self.paint()

    def action_back(self) -> None:
        self.here.back()
        self.paint()

    def action_leave(self) -> None:
        place = self.here.place
        if place.view is View.TREEMAP and not place.search:
            self.action_see(View.LIST.name)
        elif place.search or place.view is not View.LIST:
            self.action_back()
        elif self.here.look.filter is not None:
            self.here.filter(None)
            self.paint()
        else:
            clear_marks(self.here)
            self.paint()

    def action_mark(self) -> None:
        switch_mark(self.here)
        self.paint()

    def action_extend(self, rows: int) -> None:
        extend_marks(self.here, rows)
        self.paint()

    def action_mark_all(self) -> None:
        mark_all(self.here)
        self.paint()

    def action_mark_others(self) -> None:
        mark_others(self.here)
        self.paint()

    def action_history(self, steps: int) -> None:
        self.here.revisit(steps)
        self.paint()

    def action_ignore(self) -> None:
        self.here.ignore()
        self.paint()

    def action_ignored(self) -> None:
        self._look(replace(self.here.look, shows_ignored=not self.here.look.shows_ignored))

    def action_sort(self, sort: str) -> None:
        self.here.sort_by(Sort[sort])
        self.paint()

    def action_measure(self) -> None:
        measure = Measure.APPARENT if self.here.look.measure is Measure.DISK else Measure.DISK
        self._look(replace(self.here.look, measure=measure))

    def action_directories_first(self) -> None:
        self._look(replace(self.here.look, directories_first=not self.here.look.directories_first))

    def action_graph(self) -> None:
        look = self.here.look
        if self.here.place.view is View.TREEMAP:
            self._look(replace(look, tiles=By.AGE if look.tiles is By.TYPE else By.TYPE))
        else:
            self._look(replace(look, graph=_after(look.graph, Graph)))

    def action_sharing(self) -> None:
        self._look(replace(self.here.look, sharing=_after(self.here.look.sharing, Sharing)))

    def action_items(self) -> None:
        self._look(replace(self.here.look, shows_items=not self.here.look.shows_items))

    def action_mtime(self) -> None:
        self._look(replace(self.here.look, shows_mtime=not self.here.look.shows_mtime))

    def action_hidden(self) -> None:
        self._look(replace(self.here.look, shows_hidden=not self.here.look.shows_hidden))

    def _look(self, look: Look) -> None:
        self.here.change(look)
        self.paint()

    def action_view(self) -> None:
        self.here.see_next()
        self.paint()

    def action_see(self, view: str) -> None:
        self.here.see(View[view])
        self.paint()

    def action_refresh(self) -> None:
        path = self.here.path
        # Several roots hang below a directory without a path.
        self._rescan(Rescan(Level.TRUST, only=(path,) if path else self.here.snapshot.roots))

    def action_refresh_all(self) -> None:
        is_retry = self.here.place.view is View.PROBLEMS
        self._rescan(Rescan(Level.TRUST, retry=True) if is_retry else Rescan(Level.FAST))

    def tell_of_retry(self) -> None:
        """Tell, after a scan, how much of what could not be read could be now, if that was the question."""
        if self._retried is not None:
            left = len(self.here.tree.problems)
            now = max(self._retried - left, 0)
            self.say(f"{format_number(now, 'entry', 'entries')} could be read now, {format_count(left)} cannot")
        self._retried = None

    def _rescan(self, rescan: Rescan) -> None:
        if not isinstance(self.subject, Live):
            raise AssertionError("unreachable: check_action leaves this out")
        if busy := self.busy():
            self.say(busy)
            return
        self._retried = len(self.here.tree.problems) if rescan.retry else None
        self._is_refreshed = rescan.level is Level.TRUST
        self.jobs.scan(self.subject.paths, self.subject.options, self.here.snapshot, rescan)
        self.paint()

    def busy(self) -> str:
        """Return what keeps files from being looked at now; empty for nothing."""
        return f"A scan is under way; {self.setting.key('stop')} stops it" if self.jobs.is_scanning else ""

    def action_stop(self) -> None:
        if self.jobs.is_scanning:
            self.jobs.stop()
            self.say("Stopping the scan; what is known stays")
        else:
            self._quit_when_sure()

    def _quit_when_sure(self) -> None:
        """Quit when this is asked for twice, while it still says so."""
        if time.monotonic() < self._sure_until:
            self.action_leave_program()
            return
        self._sure_until = time.monotonic() + _TOLD_SECONDS
        if not self._must_ask():
            self.say("No scan is running; once more quits")

    def action_shell(self) -> None:
        with self.app.suspend():
            failure = self._try_shell()
        if failure is not None:
            self.complain(failure)
        self.app.refresh(layout=True)

    def _try_shell(self) -> SpacemapError | None:
        try:
            run_shell(self.here.path or b"/", self.setting.environment)
        except SpacemapError as error:
            return error
        return None

    def action_open_externally(self) -> None:
        self._open_with_its_program(self._current_path())

    def action_open_folder(self) -> None:
        self._open_with_its_program(os.path.dirname(self._current_path()))

    def _open_with_its_program(self, path: bytes) -> None:
        def work() -> str:
            open_with_its_program(path, self.setting.environment)
            return f"Opened {display_name(path)}"

        self.jobs.run(work)

    def action_export(self) -> None:
        snapshot, measure = self.here.snapshot, self.here.look.measure

        def write(wanted: Wanted | None) -> None:
            if wanted is not None:
                self.jobs.write(lambda: self._export(wanted, snapshot, measure))

        may_replace = not isinstance(self.subject, Live) or self.subject.journal is not None
        self.app.push_screen(ExportScreen(snapshot, self.setting.writing, may_replace=may_replace), write)

    def _export(self, wanted: Wanted, snapshot: Snapshot, measure: Measure) -> str:
        form, path = wanted
        export(path, snapshot, form, self.setting.settings, measure)
        return f"Wrote {display_name(path)}"

    def action_copy(self) -> None:
        path = self._current_path()
        self.app.copy_to_clipboard(clipboard_text([path]))
        self.say(f"Copied {display_name(path)}")

    def action_copy_marked(self) -> None:
        marks = self.here.marks
        if not len(marks):
            self.say(f"Nothing is marked; {self.setting.key('mark')} marks, {self.setting.key('copy')} copies one path")
        elif len(marks) > MOST_COPIED:
            most, count = format_count(MOST_COPIED), format_count(len(marks))
            self.say(f"{count} are marked, and no more than {most} paths are copied; nothing was")
        else:
            self.app.copy_to_clipboard(clipboard_text(map(marks.tree.path, marks.entries.tolist())))
            self.say(f"Copied {format_number(len(marks), 'path')}")

    def _current_path(self) -> bytes:
        """Return the path of the entry under the cursor, or of the directory where there is none."""
        entry = self.here.current
        return self.here.path if entry is None else self.here.tree.path(entry)

    def action_repaint(self) -> None:
        self.app.refresh(layout=True)
        self.paint()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.keys(), self.setting.writing))

    def end_scan(self, live: Live, snapshot: Snapshot) -> None:
        """Keep what a scan found, where scans are kept."""
        self.asked_to_leave = False
        self._loss_ns = snapshot.facts.elapsed_ns if live.keeping is None or is_partial(snapshot) else 0
        if live.keeping is not None and not self._is_refreshed:
            self.jobs.keep(live.keeping, snapshot)

    def note_loss(self, reason: SpacemapError) -> None:
        """Say, once, that scans cannot be kept."""
        self._loss_ns = self.here.snapshot.facts.elapsed_ns
        if not self._was_told_of_loss:
            self._was_told_of_loss = True
            self.complain(SpacemapError(f"this scan is not kept: {reason}"))

    def action_leave_program(self) -> None:
        if not self._must_ask():
            self.leave_now()

    def _must_ask(self) -> bool:
        """Return whether one more key is needed to leave, and say so: a scan that took long would be lost."""
        is_lost = self._loss_ns > _LONG_SCAN_NS
        is_running = self.jobs.is_scanning and self.scan_elapsed_ns > _LONG_SCAN_NS
        if self.asked_to_leave or not (is_running or is_lost):
            return False
        self.asked_to_leave = True
        if is_running:
            self.say("The scan is still running; once more quits")
        else:
            self.say(f"This scan took {format_duration(self._loss_ns)} and is not kept; once more quits")
        return True

    def leave_now(self) -> None:
        """End without a question."""
        self._leave(None)

    def action_leave_here(self) -> None:
        if not self._must_ask():
            path = self.session.path if self.session is not None else b""
            self._leave(path or None)

    def _leave(self, directory: bytes | None) -> None:
        snapshot = self.session.snapshot if self.session is not None else None
        # What is being updated is whole.
        unfinished = snapshot is None or is_partial(snapshot)
        self.jobs.stop()
        self.app.exit(Outcome(snapshot, unfinished, directory))

    def say(self, text: str) -> None:
        """Tell something in passing."""
        self.app.notify(display_text(text), markup=False, timeout=_TOLD_SECONDS)

    def complain(self, error: SpacemapError) -> None:
        """Tell what went wrong."""
        self.app.notify(display_text(str(error)), severity="error", markup=False)


def _after(choice: Choice, choices: type[Choice]) -> Choice:
    """Return the choice that follows, the first after the last."""
    members = list(choices)
    return members[(members.index(choice) + 1) % len(members)]
