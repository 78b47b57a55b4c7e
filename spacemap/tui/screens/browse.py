"""The one screen: lines above, the list, lines below; painted from the session after every change."""

import time
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container

from spacemap.render.text import cell_width
from spacemap.scan.mounts import read_mounts
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.cells import Piece, heading
from spacemap.tui.empty import empty_text
from spacemap.tui.jobs import (
    Arrived,
    Broken,
    Done,
    Ended,
    Failed,
    Jobs,
    Measured,
    NotKept,
    Previewed,
    Progressed,
    Recalled,
    Told,
    failure_of,
)
from spacemap.tui.keys import BINDINGS
from spacemap.tui.legend import color_pieces, current_pieces
from spacemap.tui.look import View
from spacemap.tui.marking import add_up
from spacemap.tui.marks import Marks
from spacemap.tui.messages import Happened
from spacemap.tui.opening import Live, Unfinished
from spacemap.tui.screens.filtering import FilteringScreen
from spacemap.tui.screens.panes import PaneScreen
from spacemap.tui.screens.removing import RemovingScreen
from spacemap.tui.screens.resume import ResumeScreen
from spacemap.tui.screens.searching import SearchingScreen
from spacemap.tui.screens.start import StartScreen
from spacemap.tui.session import Session
from spacemap.tui.start import FileSystem, measure_space, sections, working_directory
from spacemap.tui.subject import Outcome, Setting, Subject
from spacemap.tui.summary import (
    State,
    key_pieces,
    path_pieces,
    position_pieces,
    progress_pieces,
    recalled_origin,
    removing_pieces,
    state_pieces,
    totals_and_marks,
)
from spacemap.tui.widgets.info import InfoPane
from spacemap.tui.widgets.lines import Line
from spacemap.tui.widgets.listing import Listing
from spacemap.tui.widgets.preview import PreviewPane
from spacemap.tui.widgets.search import FilterLine, SearchLine, TypedLine
from spacemap.tui.widgets.treemap import Treemap
from spacemap.units import format_ago

LEAST = (40, 10)
"""Columns and lines below which nothing sensible fits."""
_WIDE = 100
"""Columns from which on the preview is beside the list."""
_WIDE_ENOUGH = 70
"""Columns from which on the age of a file is told in full."""


class BrowseScreen(SearchingScreen, FilteringScreen, RemovingScreen, PaneScreen):
    """Shows a session; what takes time is done by jobs, which tell by messages."""

    BINDINGS = BINDINGS
    DEFAULT_CSS = """
    BrowseScreen { background: $background; overflow: hidden; layers: base above; }
    BrowseScreen #main { height: 1fr; layout: vertical; }
    BrowseScreen Listing { height: 1fr; }
    BrowseScreen.-wide #main { layout: horizontal; }
    BrowseScreen.-wide PreviewPane { width: 45%; height: 100%; }
    BrowseScreen #progress, BrowseScreen #small, BrowseScreen #searching { display: none; }
    BrowseScreen.-scanning > #progress, BrowseScreen.-removing > #progress { display: block; }
    BrowseScreen.-informing > InfoPane, BrowseScreen.-previewing PreviewPane { display: block; }
    BrowseScreen #small { layer: above; dock: top; height: 100%; }
    BrowseScreen.-small > #small { display: block; }
    """

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__(jobs, subject, setting)
        self.set_class(not setting.writing.is_unicode, "-plain")
        self._adding_up: Marks | None = None
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
        with Container(id="main"):
            yield Listing(self.setting.writing)
            yield Treemap(self.setting.writing, self.setting.keys)
            yield PreviewPane(self.setting.writing)
        yield InfoPane(self.setting.writing)
        yield Line(name="searching", classes="-bar")
        yield SearchLine(select_on_focus=False)
        yield FilterLine(select_on_focus=False)
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
        def begin(answer: bool | None) -> None:  # noqa: FBT001 - Textual's
            self.jobs.open(live, resumes=bool(answer))
            self.paint()

        self.app.push_screen(ResumeScreen(format_ago(unfinished.seconds), self.setting.writing), begin)

    def on_resize(self, event: events.Resize) -> None:
        """Fit everything; say so where it cannot be."""
        self.set_class(event.size.width < LEAST[0] or event.size.height < LEAST[1], "-small")
        self.set_class(event.size.width >= _WIDE, "-wide")
        self.call_after_refresh(self.paint)

    @property
    def page(self) -> int:
        """Rows on the screen."""
        return self._list.size.height

    @property
    def _list(self) -> Listing:
        return self.query_one(Listing)

    @property
    def _map(self) -> Treemap:
        return self.query_one(Treemap)

    @property
    def _rows_widget(self) -> Listing | Treemap:
        return self._map if self.has_class("-treemap") else self._list

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
                self.complain_of_filter()
                self.call_after_refresh(self.jobs.show)
            case Ended():
                self._end(happening)
            case Measured():
                self.show_status(happening)
            case Previewed():
                self.show_preview(happening)
            case NotKept() | Done() | Failed() | Broken() | Told():
                self._tell(happening)

    def _tell(self, happening: NotKept | Done | Failed | Broken | Told) -> None:
        match happening:
            case Broken(error):
                raise error
            case Told():
                self.take_told(happening)
                self.paint()
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
            self.tell_of_retry()
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
        state = state_pieces(session, self._state())
        self.set_class(self.is_removing, "-removing")
        if self.is_removing:
            self._line("progress").show(removing_pieces(self.removing, width, writing))
        room = width - sum(cell_width(piece.text) for piece in state)
        keys = self.keys()
        if session is None:
            self._line("path").show(self._waiting_for(room - 1), state)
            self._line("keys").show(key_pieces(keys, width))
        else:
            self._line("path").show(path_pieces(session, room - 1, writing), state)
            self._add_up(session.marks)
            self._line("totals").show(*totals_and_marks(session, width, writing))
            self._show_rows(session)
            position = position_pieces(session)
            self._line("keys").show(key_pieces(keys, width - cell_width(position[0].text) - 1), position)
        self._line("small").show([Piece(f"Too small: {LEAST[0]}x{LEAST[1]} is needed", "alert")])
        if session is None:
            self._list.show(None, self._empty_text())
        else:
            self.paint_panes()
            self._give_focus()

    def _show_rows(self, session: Session) -> None:
        """Show the rows as a list or as tiles, and above them what there is to say of them."""
        writing = self.setting.writing
        is_treemap = session.place.view is View.TREEMAP
        if is_treemap != self.has_class("-treemap"):
            self.set_class(is_treemap, "-treemap")
            # At once and not when styles are worked out anew: the keys that follow are already for the other widget.
            self._map.display, self._list.display = is_treemap, not is_treemap
            # What was not shown has no size yet, which tiles and columns are made for.
            self.call_after_refresh(self.paint)
        if not is_treemap:
            self._line("heading").show(heading(session, self._list.cells, writing))
            self._list.show(session, self._empty_text())
            return
        self._map.show(session, self._empty_text())
        width = self.size.width
        colors = color_pieces(self._map.mosaic, f"by {session.look.tiles.value}", width * 2 // 5, writing)
        room = width - sum(cell_width(piece.text) for piece in colors)
        self._line("heading").show(current_pieces(session, room, writing), colors)

    def _give_focus(self) -> None:
        """Let keys go where they belong: to the line in which is typed, to links, or to the rows."""
        if any(line.display for line in self.query(TypedLine)):
            return
        wanted = self.query_one(InfoPane) if self.is_choosing_link else self._rows_widget
        if self.focused is not wanted:
            self.set_focus(wanted)

    def _add_up(self, marks: Marks) -> None:
        """Let what is marked be added up beside this where that takes time."""
        if marks.is_added_up:
            self._adding_up = None
        elif self._adding_up is not marks:
            self._adding_up = marks
            self.jobs.do(partial(add_up, marks))

    def _state(self) -> State:
        """Return what is under way, and whether this can change anything."""
        origin = "" if self.session is None else self._origin(self.session)
        if not isinstance(self.subject, Live):
            return State(origin=origin, is_read_only=self.session is not None)
        return State(
            origin=origin,
            is_scanning=self.jobs.is_scanning,
            is_removing=self.is_removing,
            is_read_only=bool(self.subject.paths) and self.subject.journal is None,
        )

    def _origin(self, session: Session) -> str:
        """Return how old what is shown is; empty for what was just scanned."""
        if self._recalled is not None:
            return recalled_origin(self._recalled.facts, time.time_ns())
        if isinstance(self.subject, Live):
            return ""
        origin = self.subject.origin(session.snapshot)
        # The moment gives way to the path; how long ago it was stays.
        return origin if self.size.width >= _WIDE_ENOUGH else origin.rpartition(", ")[2]

    def _waiting_for(self, room: int) -> list[Piece]:
        paths = self.subject.paths if isinstance(self.subject, Live) else (self.subject.path,)
        return [Piece(self.setting.writing.name(b", ".join(paths), room), "path")]

    def _empty_text(self) -> str:
        if self.session is not None:
            return empty_text(self.session, self.setting.key)
        return "the first rows are on their way" if isinstance(self.subject, Live) else "opening the snapshot"

    def set_typing(self, line: TypedLine, *, is_typing: bool) -> None:
        """Show a line to be typed in, or the keys again."""
        # At once and not when styles are worked out anew: the keys that follow are already for the other widget.
        line.display = self._line("searching").display = is_typing
        self._line("keys").display = not is_typing
        self.set_focus(line if is_typing else self._rows_widget)

    def tell_typing(self, pieces: list[Piece]) -> None:
        """Say something above the line that is typed in."""
        self._line("searching").show(pieces)

    @on(Treemap.Chosen)
    def choose(self, message: Treemap.Chosen) -> None:
        """Put the cursor on a tile; open it, with the cursor on what of it was clicked."""
        session = self.here
        row = session.rows().row_of(message.entry)
        if row is None:
            return
        session.move_to(row)
        if message.opens:
            self.action_open()
            if message.inner is not None and session.place.directory == message.entry:
                session.go(session.place, message.inner)
        self.paint()

    def action_open(self) -> None:
        # What has no tile of its own is in the list.
        if self.here.place.view is View.TREEMAP and self._map.is_on_others:
            self.action_see(View.LIST.name)
        else:
            super().action_open()

    @on(Listing.Clicked)
    def click(self, message: Listing.Clicked) -> None:
        """Put the cursor where the mouse is; open at the second click."""
        self.here.move_to(message.row)
        if message.opens:
            self.here.open()
        self.paint()
