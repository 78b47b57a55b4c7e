"""The question before what was moved to the trash is put back."""

from collections.abc import Sequence

from spacemap.render.text import display_name
from spacemap.tui.cells import Piece, Writing
from spacemap.tui.screens.question import QuestionScreen
from spacemap.units import format_count, format_number

PUT_BACK = "Put back"
MOST_PATHS = 100


class UndoScreen(QuestionScreen[bool]):
    """Tells what was moved, and where it would be again."""

    def __init__(self, paths: Sequence[bytes], writing: Writing) -> None:
        what = format_number(len(paths), "entry", "entries")
        super().__init__(f"Put back {what} that went to the trash last", writing, (PUT_BACK,))
        lines = [Piece(display_name(path), "text") for path in paths[:MOST_PATHS]]
        if len(paths) > MOST_PATHS:
            lines.append(Piece(f"and {format_count(len(paths) - MOST_PATHS)} more", "faint"))
        self.tell(lines)

    def answer(self, choice: str) -> None:  # noqa: ARG002 - there is only one
        """Put back."""
        self.dismiss(True)
