"""What to do with an unfinished scan: asked once, before anything is scanned."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from spacemap.tui.cells import Writing
from spacemap.tui.widgets.choices import ChoiceList

Answer = tuple[str, str]
"""What the answer is called, and what it says."""


class ResumeScreen(ModalScreen[str]):
    """Returns the answer; Escape is the last one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "decline", "the last answer", show=False)]
    DEFAULT_CSS = """
    ResumeScreen { align: center middle; background: $background 60%; }
    ResumeScreen Vertical { width: 64; max-width: 100%; height: auto; background: $surface; padding: 1 2; }
    ResumeScreen Static { margin-bottom: 1; }
    ResumeScreen.-short Vertical { padding: 0 1; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (14, "-tall")]

    def __init__(self, question: str, answers: Sequence[Answer], writing: Writing) -> None:
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._question = writing.cut(question, 4096)
        self._answers = answers

    def compose(self) -> ComposeResult:
        """The question above its answers."""
        with Vertical():
            yield Static(Text(self._question), markup=False)
            yield ChoiceList(*(Option(Text(text), name) for name, text in self._answers), markup=False, compact=True)

    @on(OptionList.OptionSelected)
    def answer(self, message: OptionList.OptionSelected) -> None:
        """Return what was chosen."""
        self.dismiss(message.option_id or "")

    def action_decline(self) -> None:
        """Return the last answer."""
        self.dismiss(self._answers[-1][0])
