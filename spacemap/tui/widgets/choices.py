"""A list to choose from: by keys of any keymap, or by the mouse."""

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
