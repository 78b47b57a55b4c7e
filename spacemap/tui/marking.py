"""How keys mark: the row under the cursor, rows from one to another, all rows. No terminal."""

import numpy as np

from spacemap.tui.jobs import Post
from spacemap.tui.look import View
from spacemap.tui.marks import Ids, Marks, Range
from spacemap.tui.session import Session
from spacemap.tui.tellings import AddedUp


def switch_mark(session: Session) -> None:
    """Mark what is under the cursor, or no longer, and move down; in the basket what is below moves up instead."""
    entry = session.current
    count = len(session.rows())
    if entry is not None:
        session.mark(session.marks.switched(np.array([entry])))
    if len(session.rows()) == count:
        session.move_to(session.cursor + 1)


def extend_marks(session: Session, rows: int) -> None:
    """Mark the rows from where this began to the next one; on the way back they are as they were before."""
    if session.place.view is View.MARKED:  # all of it is marked
        session.move_to(session.cursor + rows)
        return
    reach = session.reach
    goes_on = reach is not None and reach.after is session.marks and reach.cursor == session.cursor
    first, before = (reach.first, reach.before) if reach is not None and goes_on else (session.cursor, session.marks)
    session.move_to(session.cursor + rows)
    low, high = sorted((first, session.cursor))
    session.mark(before.plus(_entries(session, low, high + 1)))
    session.reach = Range(first, session.cursor, before, session.marks)


def mark_all(session: Session) -> None:
    """Mark all rows."""
    session.mark(session.marks.plus(session.rows().entries))


def mark_others(session: Session) -> None:
    """Mark the rows that are not marked, and no longer those that are."""
    session.mark(session.marks.switched(session.rows().entries))


def clear_marks(session: Session) -> None:
    """Mark nothing."""
    session.mark(Marks(session.tree))


def add_up(marks: Marks, tell: Post) -> None:
    """Find out what removing the marks would free; for a thread."""
    _ = marks.sum
    tell(AddedUp(marks))


def _entries(session: Session, begin: int, end: int) -> Ids:
    rows = session.rows()
    at = slice(max(begin - rows.has_parent, 0), max(end - rows.has_parent, 0))
    return rows.entries[at].astype(np.int64)
