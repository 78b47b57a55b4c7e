"""A page of text over the browser, to be scrolled and closed."""

from abc import abstractmethod
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from spacemap.tui.cells import Writing


class PageScreen(ModalScreen[None]):
    """Shows one text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,left,h", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]
    DEFAULT_CSS = """
    PageScreen { align: center middle; background: $background 60%; }
    PageScreen VerticalScroll {
        width: 84; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
    }
    PageScreen.-tall VerticalScroll { max-height: 94%; padding: 1 2; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]

    def __init__(self, writing: Writing) -> None:
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._writing = writing

    @abstractmethod
    def text(self) -> Text | Group:
        """Return what the page says."""

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll():
            yield Static(self.text(), markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
