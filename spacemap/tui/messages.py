"""What threads tell the screen."""

from textual.message import Message

from spacemap.tui.jobs import Happening


class Happened(Message):
    """Something happened in a job."""

    def __init__(self, happening: Happening) -> None:
        self.happening = happening
        super().__init__()
