"""The filter as it is typed: obeyed when it can be read, and told what is wrong with it when not."""

from textual import on
from textual.widgets import Input

from spacemap.analyze.conditions import Query
from spacemap.analyze.query import parse_query
from spacemap.errors import UsageError
from spacemap.render.text import display_text
from spacemap.tui.screens.typing import TypingScreen
from spacemap.tui.widgets.search import FilterLine, TypedLine

_HINT = "size>1G age>90d type:video kind:file name:*.log; Enter keeps, Esc clears"


class FilteringScreen(TypingScreen):
    """Holds the line of the filter."""

    def action_filter(self) -> None:
        line, query = self.query_one(FilterLine), self.here.look.filter
        with self.prevent(Input.Changed):
            line.value = _shown(query)
        line.cursor_position = len(line.value)
        self.set_typing(line, is_typing=True)
        self._say_of_filter(None)

    @on(Input.Changed, "FilterLine")
    def filter(self) -> None:
        """Show what matches so far; what cannot be read leaves everything as it was."""
        self._say_of_filter(self._obey())
        self.paint()

    @on(Input.Submitted, "FilterLine")
    def keep_filter(self) -> None:
        """Leave the line; the filter stays. One that cannot be read keeps the line open."""
        if self._obey() is None:
            self.end_typing(self.query_one(FilterLine))

    @on(TypedLine.GivenUp, "FilterLine")
    def clear_filter(self) -> None:
        """Show everything again."""
        self.here.filter(None)
        self.end_typing(self.query_one(FilterLine))

    def complain_of_filter(self) -> None:
        """Say so where the filter cannot be asked of what is shown: it would seem that nothing matches."""
        try:
            self.here.filter(self.here.look.filter)
        except UsageError as error:
            self.complain(error)

    def _obey(self) -> UsageError | None:
        """Filter by what is in the line; return what is wrong with it."""
        try:
            query = self._typed()
            if query != self.here.look.filter:
                self.here.filter(query)
        except UsageError as error:
            return error
        return None

    def _typed(self) -> Query | None:
        text, query = self.query_one(FilterLine).value, self.here.look.filter
        if not text.strip():
            return None
        # One from the command line may hold what no terminal shows.
        return query if text == _shown(query) else parse_query(text)

    def _say_of_filter(self, error: UsageError | None) -> None:
        text, style = (_HINT, "faint") if error is None else (display_text(str(error)), "alert")
        self.tell_hint("Filter", text.removeprefix("filter, "), style)


def _shown(query: Query | None) -> str:
    return "" if query is None else display_text(query.text)
