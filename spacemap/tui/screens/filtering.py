"""The filter as it is typed: obeyed when it can be read, and told what is wrong with it when not."""

from abc import abstractmethod

from textual import on
from textual.widgets import Input

from spacemap.analyze.query import Query, parse_query
from spacemap.errors import UsageError
from spacemap.render.text import display_text
from spacemap.tui.cells import Piece
from spacemap.tui.screens.actions import SessionScreen
from spacemap.tui.widgets.search import FilterLine, TypedLine

_HINT = "size>1G age>90d type:video kind:file name:*.log; Enter keeps, Esc clears"


class FilteringScreen(SessionScreen):
    """Holds the line of the filter."""

    @abstractmethod
    def set_typing(self, line: TypedLine, *, is_typing: bool) -> None:
        """Show a line to be typed in, or the keys again."""

    @abstractmethod
    def tell_typing(self, pieces: list[Piece]) -> None:
        """Say something above the line that is typed in."""

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
            self._end_filter()

    @on(TypedLine.GivenUp, "FilterLine")
    def clear_filter(self) -> None:
        """Show everything again."""
        self.here.filter(None)
        self._end_filter()

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
        shown = self.setting.writing.cut(text.removeprefix("filter, "), max(self.size.width - 9, 1))
        self.tell_typing([Piece(" Filter ", "key"), Piece(shown, style)])

    def _end_filter(self) -> None:
        self.set_typing(self.query_one(FilterLine), is_typing=False)
        self.call_after_refresh(self.paint)


def _shown(query: Query | None) -> str:
    return "" if query is None else display_text(query.text)
