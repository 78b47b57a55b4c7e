"""The search as it is typed: in this directory, or in everything."""

from textual import on
from textual.widgets import Input

from spacemap.render.text import display_name
from spacemap.tui.jobs import Jobs
from spacemap.tui.place import Place
from spacemap.tui.screens.typing import TypingScreen
from spacemap.tui.subject import Setting, Subject
from spacemap.tui.widgets.search import SearchLine, TypedLine


class SearchingScreen(TypingScreen):
    """Holds the line of the search."""

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__(jobs, subject, setting)
        self._searches_everything = False
        self._before_search: tuple[Place, int | None] = (Place(0), None)

    def action_search(self) -> None:
        session = self.here
        self._before_search = (session.place, session.current)
        self._searches_everything = False
        line = self.query_one(SearchLine)
        with self.prevent(Input.Changed):
            line.value = ""
        self.set_typing(line, is_typing=True)
        self._show_extent()

    def _show_extent(self) -> None:
        if self._searches_everything:
            where = "in everything; Tab: only in this directory"
        else:
            where = f"in {display_name(self.here.path)}; Tab: in everything"
        self.tell_hint("Search", where, "faint")

    @on(Input.Changed, "SearchLine")
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

    @on(TypedLine.GivenUp, "SearchLine")
    def give_up(self) -> None:
        """Return to where the search began."""
        self.here.go(*self._before_search)
        self.end_typing(self.query_one(SearchLine))

    @on(Input.Submitted, "SearchLine")
    def keep(self) -> None:
        """Leave the line; what was found stays."""
        self.end_typing(self.query_one(SearchLine))
