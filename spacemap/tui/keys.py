"""The keys: what each does, in which words, and where help shows it. Every key of ncdu does what it does there."""

import re
from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """One action and the keys that start it."""

    keys: str
    """As Textual calls them, with commas between."""
    action: str
    shown: str
    """As people call them."""
    text: str
    """What it does, for help."""
    group: str
    short: str = ""
    """A word for the last line; empty: not shown there."""

    @property
    def name(self) -> str:
        """What the configuration calls the action."""
        return _NAMES.get(self.action) or re.sub("[^a-z]+", "_", self.action.lower()).strip("_")


_NAMES = {
    "move(-1)": "up",
    "move(1)": "down",
    "page(-1)": "page_up",
    "page(1)": "page_down",
    "history(-1)": "history_back",
    "history(1)": "history_forward",
    "extend(-1)": "extend_up",
    "extend(1)": "extend_down",
    "scroll_pane(-1)": "scroll_up",
    "scroll_pane(1)": "scroll_down",
    "app.suspend_process": "suspend",
    "step('LEFT')": "tile_left",
    "step('RIGHT')": "tile_right",
    "step('UP')": "tile_up",
    "step('DOWN')": "tile_down",
}
"""Actions whose arguments are no words, or that say little by themselves."""
KEYS = (
    Key("up,k", "move(-1)", "↑ k", "up one row", "Move"),
    Key("down,j", "move(1)", "↓ j", "down one row", "Move"),
    Key("pageup", "page(-1)", "PgUp", "up one screen", "Move"),
    Key("pagedown", "page(1)", "PgDn", "down one screen", "Move"),
    Key("home,0", "first", "Home 0", "to the first row", "Move"),
    Key("end,G", "last", "End G", "to the last row", "Move"),
    Key("right,enter,l", "open", "→ Enter l", "open the directory; in a flat list, go where the entry is", "Move"),
    Key("left,h,<,backspace", "back", "← h < Backspace", "back to where this was opened from", "Move"),
    Key("escape", "leave", "Esc", "leave a search or a view, then the filter; then clear the marks", "Move"),
    Key("[", "history(-1)", "[", "to where this was before, however one came here", "Move"),
    Key("]", "history(1)", "]", "forward again, after going back so", "Move"),
    Key("s", "sort('SIZE')", "s", "by size; once more reverses", "Sort", "size"),
    Key("n", "sort('NAME')", "n", "by name", "Sort", "name"),
    Key("C", "sort('ITEMS')", "C", "by number of items", "Sort"),
    Key("M", "sort('MTIME')", "M", "by time of modification", "Sort"),
    Key("t", "directories_first", "t", "directories first, or among the files", "Sort"),
    Key("a", "measure", "a", "disk usage or apparent size", "Show"),
    Key("g", "graph", "g", "bar, percent, both or none; in the treemap, colours by type or by age", "Show"),
    Key("u", "sharing", "u", "shared bytes of hard links, exclusive bytes, or neither", "Show"),
    Key("c", "items", "c", "number of items", "Show"),
    Key("m", "mtime", "m", "time of modification", "Show"),
    Key("e", "hidden", "e", "hidden and excluded entries, or not", "Show"),
    Key("I", "ignore", "I", "leave the entry under the cursor out for now, or no longer", "Show"),
    Key("z", "ignored", "z", "show what is left out so, or not", "Show"),
    Key("i", "info", "i", "all that is known of the entry under the cursor", "Look", "info"),
    Key("1", "tab('INFO')", "1", "its path, sizes, owner, times", "Look"),
    Key("2", "tab('LINKS')", "2", "its other hard links; Enter goes to one", "Look"),
    Key("3", "tab('SIZE')", "3", "why it is so large, and what deleting it would free", "Look"),
    Key("tab", "next_tab", "Tab", "the next of these pages", "Look"),
    Key("p", "preview", "p", "the beginning of a file; what is in an archive or a directory", "Look", "preview"),
    Key("ctrl+down", "scroll_pane(1)", "Ctrl+↓", "scroll preview or info down", "Look"),
    Key("ctrl+up", "scroll_pane(-1)", "Ctrl+↑", "scroll preview or info up", "Look"),
    Key("/", "search", "/", "search names here; Tab: in everything", "Look", "search"),
    Key("f", "filter", "f", "filter, as in size>1G age>90d type:video name:*.log; Esc clears it", "Look", "filter"),
    Key("v", "view", "v", "next view: list, treemap, largest files, by type, by age, by owner", "Look", "view"),
    Key("T", "see('LARGEST')", "T", "largest files below this directory", "Look"),
    Key("!", "see('PROBLEMS')", "!", "what could not be read, by reason; R tries that again", "Look"),
    Key("space", "mark", "Space", "mark, or no longer, and move down", "Mark", "mark"),
    Key("shift+down,J", "extend(1)", "Shift+↓ J", "mark this row and the one below", "Mark"),
    Key("shift+up,K", "extend(-1)", "Shift+↑ K", "mark this row and the one above", "Mark"),
    Key("ctrl+a", "mark_all", "Ctrl+A", "mark all rows", "Mark"),
    Key("*", "mark_others", "*", "mark the rows that are not marked, and not those that are", "Mark"),
    Key("x", "see('MARKED')", "x", "the basket: what is marked; Space takes out, Enter goes there", "Mark", "basket"),
    Key("d", "remove", "d", "remove what is marked, else what is under the cursor; asks how", "Remove", "remove"),
    Key("D", "trash", "D", "move it to the trash; asks once", "Remove"),
    Key("U", "undo_trash", "U", "put back what was moved to the trash last; asks once", "Remove"),
    Key("r", "refresh", "r", "scan this directory again", "Do", "refresh"),
    Key(
        "R",
        "refresh_all",
        "R",
        "scan everything again, quickly; among what could not be read, only that",
        "Do",
    ),
    Key("ctrl+c", "stop", "Ctrl+C", "stop the scan and keep what is known; without one, twice quits", "Do"),
    Key("b", "shell", "b", "a shell in this directory", "Do"),
    Key("o", "open_externally", "o", "open with the program for it", "Do"),
    Key("O", "open_folder", "O", "open the directory that holds it", "Do"),
    Key("y", "copy", "y", "copy the path to the clipboard (OSC 52)", "Do"),
    Key("Y", "copy_marked", "Y", "copy the paths of all that is marked, one a line", "Do"),
    Key("E", "export", "E", "write what is known to a file", "Do"),
    Key("ctrl+z", "app.suspend_process", "Ctrl+Z", "suspend; fg brings it back", "Do"),
    Key("ctrl+l", "repaint", "Ctrl+L", "paint the screen again", "Do"),
    Key("?,f1", "help", "? F1", "this help", "Do", "help"),
    Key("q", "leave_program", "q", "quit", "Do", "quit"),
    Key("Q", "leave_here", "Q", "quit and print the directory that is shown", "Do"),
)
TILE_KEYS = (
    Key("left", "step('LEFT')", "←", "in the treemap: to the tile at the left", "Treemap"),
    Key("right", "step('RIGHT')", "→", "to the tile at the right", "Treemap"),
    Key("up", "step('UP')", "↑", "to the tile above", "Treemap"),
    Key("down", "step('DOWN')", "↓", "to the tile below", "Treemap"),
)
"""Keys of the treemap, which there come before those above."""
READ_ONLY = frozenset({"refresh", "refresh_all", "shell", "open_externally", "open_folder", "stop"})
"""Actions that a kept snapshot does not have: what it tells of may be elsewhere, or gone."""
CHANGING = frozenset({"remove", "trash", "undo_trash"})
"""Actions that lead to changes of files, each by way of a question."""
OTHER_PROGRAMS = frozenset({"shell", "open_externally", "open_folder"})
"""Actions that start what may change anything."""
BINDINGS: list[BindingType] = [
    # Before Textual's own Ctrl+C, which would explain how to quit.
    Binding(key.keys, key.action, key.text, show=False, id=key.name, priority=key.keys == "ctrl+c")
    for key in KEYS
]
