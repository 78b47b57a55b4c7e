"""A question: what it is about, to be scrolled, and what can be chosen below it; one of the choices declines."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from spacemap.tui.cells import Piece, Writing
from spacemap.tui.widgets.choices import Choices

CANCEL = "Cancel"
_LINES_BESIDE = 2
"""Lines that the title and what is typed take."""
_STYLES = ("text", "path", "faint", "alert")
Answer = TypeVar("Answer")


class QuestionScreen(ModalScreen[Answer | None], Generic[Answer]):
    """Asks; the answer is None where nothing is to be done."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"question--{name}" for name in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("pagedown", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-1)", "up", show=False),
    ]
    DEFAULT_CSS = """
    QuestionScreen { align: center middle; background: $background 60%; }
    QuestionScreen > Vertical {
        width: 84; max-width: 100%; height: auto; max-height: 100%; background: $surface; padding: 0 2;
    }
    QuestionScreen.-tall > Vertical { padding: 1 2; }
    QuestionScreen.-tall Choices, QuestionScreen.-tall #asked { margin-top: 1; }
    QuestionScreen .question--text { color: $foreground; }
    QuestionScreen .question--path { color: $foreground; text-style: bold; }
    QuestionScreen .question--faint { color: $foreground 75%; }
    QuestionScreen .question--alert { color: $warning; text-style: bold; }
    QuestionScreen #title { height: 1; text-style: bold; }
    QuestionScreen VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]

    def __init__(self, title: str, writing: Writing, choices: Sequence[str], declining: str = CANCEL) -> None:
        """What declines, as Escape does, comes first, unless it has its place among the choices."""
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self.title_text = title
        self._writing = writing
        self._declining = declining
        self._choices = tuple(choices) if declining in choices else (declining, *choices)
        self._about: Sequence[Piece] = ()

    def compose(self) -> ComposeResult:
        """What it is about, and the choices."""
        with Vertical():
            yield Static(self.title_text, id="title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(id="about", markup=False)
            yield Choices(*(Option(Text(choice), id=choice) for choice in self._choices))
            yield from self.more()

    def more(self) -> ComposeResult:
        """What else is below the choices: nothing."""
        return ()

    def on_mount(self) -> None:
        """Begin with the first choice: it changes no file."""
        self.tell(self._about)
        choices = self.query_one(Choices)
        choices.highlighted = 0
        choices.focus()

    def on_resize(self) -> None:
        """Leave room for the choices, however low the screen is."""
        padding = 3 if self.size.height >= self.VERTICAL_BREAKPOINTS[1][0] else 0
        room = self.size.height - len(self._choices) - _LINES_BESIDE - padding
        self.query_one(VerticalScroll).styles.max_height = max(room, 1)

    def tell(self, lines: Sequence[Piece]) -> None:
        """Show what the question is about, now or as soon as there is something to show it on."""
        self._about = lines
        for about in self.query("#about").results(Static):
            about.update(self._text())

    def _text(self) -> Text:
        text = Text()
        for number, line in enumerate(self._about):
            style = self.get_component_rich_style(f"question--{line.style}", partial=True)
            text.append("\n" if number else "")
            text.append(self._writing.cut(line.text, 4096), style)
        return text

    @abstractmethod
    def answer(self, choice: str) -> None:
        """Do what was chosen, anything but what declines."""

    @on(OptionList.OptionSelected)
    def choose(self, message: OptionList.OptionSelected) -> None:
        """Take a choice."""
        message.stop()
        if message.option_id == self._declining or message.option_id is None:
            self.dismiss(None)
        else:
            self.answer(message.option_id)

    def action_cancel(self) -> None:
        """Answer with nothing."""
        self.dismiss(None)

    def action_scroll(self, pages: int) -> None:
        """Scroll what the question is about."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=pages * max(scroll.size.height - 1, 1), animate=False)
