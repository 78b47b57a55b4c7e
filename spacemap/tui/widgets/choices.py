"""Lists to choose from: by keys of any keymap, or by the mouse."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class ChoiceList(OptionList):
    """An option list that knows the keys of the browser, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "up", show=False),
        Binding("j", "cursor_down", "down", show=False),
        Binding("l,right", "select", "choose", show=False),
    ]
    DEFAULT_CSS = """
    ChoiceList {
        border: none !important; padding: 0; height: auto; max-height: 100%; background: transparent;
        scrollbar-size-vertical: 1;
    }
    ChoiceList:focus { background-tint: $foreground 0%; }
    ChoiceList > .option-list--option { padding: 0 1; }
    ChoiceList > .option-list--option-highlighted { background: $panel; color: $foreground; text-style: bold; }
    ChoiceList:focus > .option-list--option-highlighted { background: $panel; color: $foreground; text-style: bold; }
    ChoiceList > .option-list--option-disabled { color: $foreground 75%; text-style: bold; }
    """


class Choices(ChoiceList, inherit_bindings=False):
    """The answers to a question: only Enter chooses, and keys that move do not go round, so that nobody reaches the
    last by one up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False),
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("enter", "select", "choose", show=False),
    ]
    DEFAULT_CSS = "Choices { background: $surface; max-height: 6; }"

    def action_step(self, rows: int) -> None:
        """Go to the next choice."""
        self.highlighted = max(0, min((self.highlighted or 0) + rows, self.option_count - 1))
