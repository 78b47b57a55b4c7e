"""What to do with an unfinished scan: asked once, before anything is scanned."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from spacemap.tui.cells import Piece, Writing
from spacemap.tui.screens.question import QuestionScreen

GO_ON = "Go on with it, and look again at what has changed"
ANEW = "Scan everything anew"


class ResumeScreen(QuestionScreen[bool]):
    """Answers whether to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "cancel", "scan anew", show=False)]

    def __init__(self, age: str, writing: Writing) -> None:
        """`age` tells how long ago the scan was interrupted."""
        super().__init__("An unfinished scan", writing, (GO_ON, ANEW), ANEW)
        self.tell([Piece(f"A scan of the same was interrupted {age}.", "text")])

    def answer(self, choice: str) -> None:  # noqa: ARG002 - there is only one beside the one that declines
        """Go on."""
        self.dismiss(True)
