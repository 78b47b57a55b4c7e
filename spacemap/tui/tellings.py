"""Work in threads that concerns marks, and what it tells."""

from dataclasses import dataclass

from spacemap.tui.jobs import Post, Told
from spacemap.tui.marks import Marks


@dataclass(frozen=True, slots=True)
class AddedUp(Told):
    """What is marked has its sum."""

    marks: Marks


def add_up(marks: Marks, tell: Post) -> None:
    """Add up what is marked."""
    _ = marks.sum
    tell(AddedUp(marks))
