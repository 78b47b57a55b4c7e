"""The one screen: lines above, the list, lines below; painted from the session after every change."""

import time
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from spacemap.render.text import cell_width, display_name
from spacemap.scan.mounts import read_mounts
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.cells import Piece, heading
from spacemap.tui.jobs import Arrived, Done, Ended, Failed, Jobs, Measured, NotKept, Progressed, Recalled, failure_of
from spacemap.tui.keys import BINDINGS
from spacemap.tui.look import View
from spacemap.tui.messages import Happened
from spacemap.tui.opening import Live, Unfinished
from spacemap.tui.screens.actions import SessionScreen
from spacemap.tui.screens.question import QuestionScreen
from spacemap.tui.screens.start import StartScreen
from spacemap.tui.session import Place, Session
from spacemap.tui.start import FileSystem, measure_space, sections, working_directory
from spacemap.tui.subject import Outcome, Setting, Subject
from spacemap.tui.summary import (
    is_partial,
    key_pieces,
    path_pieces,
    position_pieces,
    progress_pieces,
    recalled_origin,
    state_pieces,
    total_pieces,
)
from spacemap.tui.widgets.info import Fact, InfoPane, entry_facts, status_facts
from spacemap.tui.widgets.lines import Line
from spacemap.tui.widgets.listing import Listing
from spacemap.tui.widgets.search import SearchLine
from spacemap.units import format_ago

LEAST = (40, 10)
"""Columns and lines below which nothing sensible fits."""
_WIDE = 70
"""Columns from which on the age of a file is told in full."""
_EMPTY = {
    View.LIST: "nothing is in this directory",
    View.LARGEST: "no files are below this directory",
    View.TYPES: "no files are below this directory",
    View.AGES: "no files are below this directory",
    View.PROBLEMS: "everything could be read",
    View.FOUND: "no name contains this",
}


class BrowseScreen(SessionScreen):
    """Shows a session; what takes time is done by jobs, which tell by messages."""

    BINDINGS = BINDINGS
    DEFAULT_CSS = """
    BrowseScreen { background: $background; overflow: hidden; layers: base above; }
    BrowseScreen Listing { height: 1fr; }
    BrowseScreen #progress, BrowseScreen #small, BrowseScreen #searching { display: none; }
    BrowseScreen.-scanning > #progress { display: block; }
    BrowseScreen.-informing > InfoPane { display: block; }
    BrowseScreen #small { layer: above; dock: top; height: 100%; }
    BrowseScreen.-small > #small { display: block; }
    """

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__(jobs, subject, setting)
        self.set_class(not setting.writing.is_unicode, "-plain")
        self._facts: tuple[bytes, list[Fact]] = (b"", [])
        self._searches_everything = False
        self._before_search: tuple[Place, int | None] = (Place(0), None)
        self._was_chosen = False
        """Whether what is scanned was chosen here: then it can be chosen again."""
        self._recalled: Snapshot | None = None
        """The kept scan that is shown, until something newer is."""

    def compose(self) -> ComposeResult:
        """The lines and the list."""
        yield Line(name="path", classes="-bar")
        yield Line(name="totals", classes="-bar")
        yield Line(name="progress", classes="-bar")
        yield Line(name="heading")
        yield Listing(self.setting.writing)
        yield InfoPane()
        yield Line(name="searching", classes="-bar")
        yield SearchLine(select_on_focus=False)
        yield Line(name="keys", classes="-bar")
        yield Line(name="small")

    def on_mount(self) -> None:
        """Wait for the first tree, or take the one that came while all this was imported."""
        self._list.focus()
        self.jobs.listen(lambda happening: self.post_message(Happened(happening)))
        if not isinstance(self.subject, Live):
            return
        if not self.subject.paths:
            self._choose()
        elif self.subject.unfinished is not None:
            self._ask_to_resume(self.subject, self.subject.unfinished)

    def _choose(self) -> None:
        """Let directories be chosen."""

        def begin(paths: tuple[bytes, ...] | None) -> None:
            if paths is None:
                self.app.exit(Outcome(None, is_partial=False, directory=None))
            else:
                self.begin(self.setting.open(paths))

        self._was_chosen = True
        found = sections(working_directory(), read_mounts(), self.setting.cache_directory)
        systems = [start for _, starts in found for start in starts if isinstance(start, FileSystem)]
        self.app.push_screen(StartScreen(found, partial(measure_space, systems), self.setting.writing), begin)

    def begin(self, live: Live) -> None:
        """Scan directories and show them; ask first where an earlier scan of them was interrupted."""
        self.subject = live
        if live.unfinished is not None:
            self._ask_to_resume(live, live.unfinished)
        else:
            self.jobs.open(live)
        self.paint()

    def _ask_to_resume(self, live: Live, unfinished: Unfinished) -> None:
        question = f"A scan of the same was interrupted {format_ago(unfinished.seconds)}."

        def begin(answer: str | None) -> None:
            self.jobs.open(live, resumes=answer == "resume")
            self.paint()

        answers = (("resume", "Go on with it, and look again at what has changed"), ("anew", "Scan everything anew"))
        self.app.push_screen(QuestionScreen(question, answers, self.setting.writing), begin)

    def on_resize(self, event: events.Resize) -> None:
        """Fit everything; say so where it cannot be."""
        self.set_class(event.size.width < LEAST[0] or event.size.height < LEAST[1], "-small")
        self.call_after_refresh(self.paint)

    @property
    def page(self) -> int:
        """Rows on the screen."""
        return self._list.size.height

    @property
    def _list(self) -> Listing:
        return self.query_one(Listing)

    def _line(self, name: str) -> Line:
        return self.query_one(f"#{name}", Line)

    @on(Happened)
    def take(self, message: Happened) -> None:
        """Show what happened in a job."""
        happening = message.happening
        match happening:
            case Progressed():
                self.scan_elapsed_ns = happening.progress.elapsed_ns
                self.set_class(self.jobs.is_scanning, "-scanning")
                width = self.size.width
                self._line("progress").show(progress_pieces(happening.progress, width, self.setting.writing))
                if self.session is None:
                    self.paint()
            case Arrived(snapshot):
                # One that was still being built when the whole tree came is late.
                if self.jobs.is_scanning:
                    self._put(Session(snapshot, self.setting.settings.categories, self.setting.look))
            case Recalled(snapshot):
                self._recalled = snapshot
                self._put(Session(snapshot, self.setting.settings.categories, self.setting.look))
                self.call_after_refresh(self.jobs.show)
            case Ended():
                self._end(happening)
            case Measured():
                self._show_status(happening)
            case NotKept() | Done() | Failed():
                self._tell(happening)

    def _tell(self, happening: NotKept | Done | Failed) -> None:
        match happening:
            case NotKept(reason):
                self.note_loss(reason)
            case Done(text):
                self.say(text)
            case Failed(reason):
                self.complain(reason)

    def _put(self, session: Session) -> None:
        """Let a tree take the place of the one before."""
        if self.session is None:
            self.session = session
            self.refresh_bindings()
        else:
            self.session.replace(session.snapshot)
        self.paint()

    def _end(self, ended: Ended) -> None:
        self.remove_class("-scanning")
        failure = failure_of(ended)
        if failure is None:
            self._take_whole(ended.result.result())
        elif self._was_chosen and self.session is None:
            self.complain(failure)
            self._choose()
        elif self.session is None:
            self.app.exit(failure)
        else:
            self.complain(failure)
            self.paint()

    def _take_whole(self, snapshot: Snapshot) -> None:
        """Show what a scan or a file held, and keep it for the next time."""
        if snapshot is not self._recalled:
            self._recalled = None
        self._put(Session(snapshot, self.setting.settings.categories, self.setting.look))
        if isinstance(self.subject, Live):
            self.end_scan(self.subject, snapshot)

    def paint(self) -> None:
        """Show the session as it is now."""
        if not self.is_mounted:
            return
        writing, session, width = self.setting.writing, self.session, self.size.width
        state = state_pieces(session, is_scanning=self.jobs.is_scanning, origin=self._origin())
        room = width - sum(cell_width(piece.text) for piece in state)
        keys = self.keys()
        if session is None:
            self._line("path").show(self._waiting_for(room - 1), state)
            self._line("keys").show(key_pieces(keys, width))
        else:
            self._line("path").show(path_pieces(session, room - 1, writing), state)
            self._line("totals").show(total_pieces(session, writing))
            self._line("heading").show(heading(session, self._list.cells, writing))
            position = position_pieces(session)
            self._line("keys").show(key_pieces(keys, width - cell_width(position[0].text) - 1), position)
        self._list.show(session, self._empty_text())
        self._line("small").show([Piece(f"Too small: {LEAST[0]}x{LEAST[1]} is needed", "alert")])
        if self.has_class("-informing"):
            self._inform()

    def _origin(self) -> str:
        if self.session is None:
            return ""
        if self._recalled is not None:
            return recalled_origin(self._recalled.facts, time.time_ns(), is_scanning=self.jobs.is_scanning)
        if isinstance(self.subject, Live):
            return ""
        origin = self.subject.origin(self.session.snapshot)
        # The moment gives way to the path; how long ago it was stays.
        return f"{origin if self.size.width >= _WIDE else origin.rpartition(', ')[2]}, read-only"

    def _waiting_for(self, room: int) -> list[Piece]:
        paths = self.subject.paths if isinstance(self.subject, Live) else (self.subject.path,)
        return [Piece(self.setting.writing.name(b", ".join(paths), room), "path")]

    def _empty_text(self) -> str:
        session = self.session
        if session is None:
            return "the first rows are on their way" if isinstance(self.subject, Live) else "opening the snapshot"
        if session.place.search:
            return _EMPTY[View.FOUND]
        if session.hidden():
            return f"everything here is hidden; {self.setting.key('hidden')} shows it"
        is_unfinished = session.place.view is View.LIST and is_partial(session.snapshot)
        return "nothing is known of this directory yet" if is_unfinished else _EMPTY[session.place.view]

    def action_info(self) -> None:
        self.toggle_class("-informing")
        self._facts = (b"", [])
        self.call_after_refresh(self.paint)

    def _inform(self) -> None:
        """Show what is known of the entry under the cursor, and ask the file system for the rest."""
        session = self.here
        entry = session.current
        pane = self.query_one(InfoPane)
        if entry is None:
            entry = session.place.directory
        path = session.tree.path(entry)
        if path == self._facts[0]:
            return
        facts = entry_facts(session.snapshot, entry, self.setting.writing.units)
        self._facts = (path, facts)
        pane.show(facts, self.setting.writing)
        if isinstance(self.subject, Live) and path:
            self.jobs.measure(path)

    def _show_status(self, measured: Measured) -> None:
        path, facts = self._facts
        if path == measured.path:
            self.query_one(InfoPane).show([*facts, *status_facts(measured.result)], self.setting.writing)

    def action_search(self) -> None:
        session = self.here
        self._before_search = (session.place, session.current)
        self._searches_everything = False
        line = self.query_one(SearchLine)
        with self.prevent(Input.Changed):
            line.value = ""
        self._set_searching(True)
        self._show_extent()

    def _set_searching(self, is_searching: bool) -> None:  # noqa: FBT001 - both ways
        line = self.query_one(SearchLine)
        # At once and not when styles are worked out anew: the keys that follow are already for the other widget.
        line.display = self._line("searching").display = is_searching
        self._line("keys").display = not is_searching
        self.set_focus(line if is_searching else self._list)

    def _show_extent(self) -> None:
        if self._searches_everything:
            where = "in everything; Tab: only in this directory"
        else:
            where = f"in {display_name(self.here.path)}; Tab: in everything"
        pieces = [Piece(" Search ", "key"), Piece(self.setting.writing.cut(where, self.size.width - 9), "faint")]
        self._line("searching").show(pieces)

    @on(Input.Changed)
    def search(self) -> None:
        """Show what contains the text so far."""
        text = self.query_one(SearchLine).value.encode("utf-8", "surrogateescape")
        self.here.search(text, everywhere=self._searches_everything)
        self.paint()

    @on(SearchLine.Widened)
    def widen(self) -> None:
        """Search in everything, or only here."""
        self._searches_everything = not self._searches_everything
        self._show_extent()
        self.search()

    @on(SearchLine.Stepped)
    def step(self, message: SearchLine.Stepped) -> None:
        """Move in what was found."""
        self.action_move(message.rows)

    @on(SearchLine.GivenUp)
    def give_up(self) -> None:
        """Return to where the search began."""
        self.here.go(*self._before_search)
        self._end_search()

    @on(Input.Submitted)
    def keep(self) -> None:
        """Leave the line; what was found stays."""
        self._end_search()

    def _end_search(self) -> None:
        self._set_searching(False)
        self.call_after_refresh(self.paint)

    @on(Listing.Clicked)
    def click(self, message: Listing.Clicked) -> None:
        """Put the cursor where the mouse is; open at the second click."""
        self.here.move_to(message.row)
        if message.opens:
            self.here.open()
        self.paint()
