"""What is said where there are no rows: why, and which key shows more. No terminal."""

from collections.abc import Callable

from spacemap.tui.look import View
from spacemap.tui.session import Session
from spacemap.tui.summary import is_partial

_EMPTY = {
    View.LIST: "nothing is in this directory",
    View.TREEMAP: "nothing is in this directory",
    View.LARGEST: "no files are below this directory",
    View.TYPES: "no files are below this directory",
    View.AGES: "no files are below this directory",
    View.OWNERS: "no files of an owner are below this directory",
    View.PROBLEMS: "everything could be read",
    View.FOUND: "no name contains this",
    View.MARKED: "nothing is marked",
}


def empty_text(session: Session, key_of: Callable[[str], str]) -> str:
    """Return why a session has no rows; `key_of` returns what the key of an action is called."""
    place = session.place
    if place.search:
        return _EMPTY[View.FOUND]
    if session.look.filter is not None and place.view is not View.PROBLEMS:
        return f"nothing here matches the filter; {key_of('filter')} changes it, {key_of('leave')} clears it"
    if session.hidden():
        return f"everything here is hidden; {key_of('hidden')} shows it"
    if session.left_out():
        return f"everything here is ignored; {key_of('ignored')} shows it"
    if place.shows_children and is_partial(session.snapshot):
        return "nothing is known of this directory yet"
    text = _EMPTY[place.view]
    return f"{text}; {key_of('mark')} marks" if place.view is View.MARKED else text
