"""The dialog of an export: in which form, and to which file."""

import os
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from spacemap.render.text import display_name
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.cells import Writing
from spacemap.tui.exporting import FORM_TEXT, ExportForm, default_name
from spacemap.tui.widgets.choices import ChoiceList

Wanted = tuple[ExportForm, bytes]
"""The form, and the path of the file."""
_HINTS = {
    "form": "Enter chooses, Esc cancels",
    "name": "Enter writes the file, Esc cancels",
    "exists": "It is there already; Enter once more replaces it",
    "stays": "It is there already, and stays; name another file",
    "directory": "That is a directory; name a file",
}


class ExportScreen(ModalScreen[Wanted | None]):
    """Returns what is wanted; None for nothing. A file that is there is replaced only when that was said twice, and
    where files may be changed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", show=False)]
    DEFAULT_CSS = """
    ExportScreen { align: center middle; background: $background 60%; }
    ExportScreen Vertical { width: 64; max-width: 100%; height: auto; background: $surface; padding: 1 2; }
    ExportScreen.-short Vertical { padding: 0 1; }
    ExportScreen #title { text-style: bold; }
    ExportScreen #hint { color: $foreground 75%; }
    ExportScreen Input {
        height: 1; border: none; padding: 0 1; margin: 1 0; background: $background;
    }
    ExportScreen Input:focus { border: none; }
    ExportScreen.-short Input { margin: 0; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (14, "-tall")]

    def __init__(self, snapshot: Snapshot, writing: Writing, *, may_replace: bool) -> None:
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._may_replace = may_replace
        self._snapshot = snapshot
        self._writing = writing
        self._form = ExportForm.SNAPSHOT
        self._suggested = ""
        self._warned = b""
        """The path of which was said that it is there."""

    def compose(self) -> ComposeResult:
        """The forms above the name."""
        with Vertical():
            yield Static("Write what is known to a file", id="title", markup=False)
            yield ChoiceList(*(Option(FORM_TEXT[form], form.value) for form in ExportForm), markup=False, compact=True)
            self._suggested = self._default_name()
            yield Input(self._suggested, select_on_focus=False)
            yield Static(_HINTS["form"], id="hint", markup=False)

    def _default_name(self) -> str:
        # A name that no terminal shows cannot be typed either; what is written then is what was shown.
        return self._writing.cut(display_name(default_name(self._snapshot, self._form)), 255)

    @on(OptionList.OptionHighlighted)
    def prefer(self, message: OptionList.OptionHighlighted) -> None:
        """Let the name follow the form, unless it is what somebody typed."""
        self._form = ExportForm(message.option_id)
        name = self.query_one(Input)
        if name.value == self._suggested:
            self._suggested = name.value = self._default_name()

    @on(OptionList.OptionSelected)
    def choose(self) -> None:
        """Go on to the name."""
        self.query_one(Input).focus()
        self._hint("name")

    @on(Input.Submitted)
    def write(self, message: Input.Submitted) -> None:
        """Return what is wanted, unless that would take the place of something unasked."""
        if not message.value:
            return
        path = os.path.abspath(os.path.expanduser(os.fsencode(message.value)))
        if os.path.isdir(path):
            self._hint("directory")
        elif os.path.lexists(path) and self._warned != path:
            self._warned = path if self._may_replace else b""
            self._hint("exists" if self._may_replace else "stays")
        else:
            self.dismiss((self._form, path))

    def _hint(self, name: str) -> None:
        self.query_one("#hint", Static).update(_HINTS[name])
