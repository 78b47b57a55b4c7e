"""What a removal left where it was, and why."""

from rich.text import Text

from spacemap.clean import Outcome
from spacemap.render.text import display_name, display_text
from spacemap.tui.cells import Writing
from spacemap.tui.screens.page import PageScreen
from spacemap.units import format_count, format_number


class StayedScreen(PageScreen):
    """Each entry, the step that was not taken, and the reason."""

    DEFAULT_CSS = "StayedScreen VerticalScroll { width: 100; }"

    def __init__(self, outcome: Outcome, writing: Writing) -> None:
        super().__init__(writing)
        self._outcome = outcome

    def text(self) -> Text:
        """Return what stayed."""
        return stayed_text(self._outcome, self._writing)


def stayed_text(outcome: Outcome, writing: Writing) -> Text:
    """Return what stayed, two lines each."""
    text = Text(f"{format_number(outcome.stayed_count, 'entry', 'entries')} stayed", "bold")
    for path, operation, reason in outcome.stayed:
        text.append("\n" + writing.cut(display_name(path), 4096))
        text.append(f"\n  {writing.cut(display_text(f'{operation}: {reason}'), 4096)}", "dim")
    if outcome.stayed_count > len(outcome.stayed):
        text.append(f"\nand {format_count(outcome.stayed_count - len(outcome.stayed))} more")
    return text
