"""Whether a directory holds what the tree says and nothing else, so that it may be moved whole."""

import os

from spacemap.clean.known import compare, compare_directory, known_entries, skip_of
from spacemap.clean.outcome import GONE, StaysError, failure
from spacemap.clean.places import MOUNTED, Places
from spacemap.clean.plan import Plan
from spacemap.clean.steps import Enter, Files, Leave, directory_steps
from spacemap.render.text import display_name
from spacemap.tree.columns import ELSEWHERE, Skip
from spacemap.tree.tree import Tree

_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _InsideError(StaysError):
    """About an entry of the directory at hand, with whose name the reason begins."""


def check_whole(plan: Plan, places: Places, top: int) -> None:
    """Raise StaysError where something in a directory differs from the tree, or was added to it.

    What went by itself is no difference. What the scan did not list is not looked at: the plan tells of it. `places`
    stands in the directory that holds `top`, and does so afterwards.
    """
    tree = plan.tree
    gone: int | None = None
    for step in directory_steps(tree, top):
        if gone is not None:
            gone = None if isinstance(step, Leave) and step.directory == gone else gone
            continue
        entry = step.directory
        try:
            match step:
                case Enter(directory):
                    places.enter(directory)
                    _check_names(tree, places.innermost.descriptor, directory)
                case Files():
                    _check_files(plan, places, step)
                case Leave(directory) if places.innermost.directory == directory:
                    places.leave()
                case Leave(directory):
                    _check_empty(tree, places, directory)
        except StaysError as error:
            if error.reason == GONE:
                gone = entry if isinstance(step, Enter) else None
                continue
            raise StaysError(error.operation, _told(error, tree, top, entry)) from error


def _check_files(plan: Plan, places: Places, step: Files) -> None:
    for known in known_entries(plan.snapshot, step.directory, step.entries):
        try:
            compare(places.look_at(known.name), known)
        except StaysError as error:
            if error.reason != GONE:
                raise _InsideError(error.operation, f"{display_name(known.name)}: {error.reason}") from error


def _check_empty(tree: Tree, places: Places, directory: int) -> None:
    """Compare a directory that has no entries in the tree."""
    if skip_of(tree, directory) in ELSEWHERE:
        raise StaysError("compare", MOUNTED)
    if skip_of(tree, directory) is not Skip.NONE:
        compare_directory(places.look_at(tree.name(directory)), tree, directory)
        return
    places.enter(directory)
    _check_names(tree, places.innermost.descriptor, directory)
    places.leave()


def _check_names(tree: Tree, descriptor: int, directory: int) -> None:
    """Compare the names that a directory has with those of the tree."""
    try:
        listed = os.open(b".", _LIST, dir_fd=descriptor)
        try:
            names = {os.fsencode(name) for name in os.listdir(listed)}
        finally:
            os.close(listed)
    except OSError as error:
        raise StaysError("open", failure(error)) from error
    added = names.difference(tree.name(child) for child in tree.children(directory))
    if added:
        shown = display_name(min(added))
        raise _InsideError("compare", f"{shown} was added since the scan, or left out by it; scan again, or delete")


def _told(error: StaysError, tree: Tree, top: int, directory: int) -> str:
    """Return a reason that begins with the path of what differs, below the directory that stays for it."""
    if directory == top:
        return error.reason
    path = display_name(tree.path(directory)[len(tree.path(top)) + 1 :])
    return f"{path}{'/' if isinstance(error, _InsideError) else ': '}{error.reason}"
