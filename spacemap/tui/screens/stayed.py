"""What a removal left where it was, and why."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from spacemap.clean import Outcome
from spacemap.render.text import display_name, display_text
from spacemap.tui.cells import Writing
from spacemap.units import format_count, format_number


class StayedScreen(ModalScreen[None]):
    """A list to be scrolled: each entry, the step that was not taken, and the reason."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,left,h", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]
    DEFAULT_CSS = """
    StayedScreen { align: center middle; background: $background 60%; }
    StayedScreen VerticalScroll {
        width: 100; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
    }
    StayedScreen.-tall VerticalScroll { max-height: 94%; padding: 1 2; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]

    def __init__(self, outcome: Outcome, writing: Writing) -> None:
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._outcome = outcome
        self._writing = writing

    def compose(self) -> ComposeResult:
        """The list."""
        with VerticalScroll():
            yield Static(stayed_text(self._outcome, self._writing), markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def stayed_text(outcome: Outcome, writing: Writing) -> Text:
    """Return what stayed, two lines each."""
    text = Text(f"{format_number(outcome.stayed_count, 'entry', 'entries')} stayed", "bold")
    for path, operation, reason in outcome.stayed:
        text.append("\n" + writing.cut(display_name(path), 4096))
        text.append(f"\n  {writing.cut(display_text(f'{operation}: {reason}'), 4096)}", "dim")
    if outcome.stayed_count > len(outcome.stayed):
        text.append(f"\nand {format_count(outcome.stayed_count - len(outcome.stayed))} more")
    return text
