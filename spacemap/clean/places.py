"""The directories on the way to what is being removed, each found again by its descriptor and compared."""

import errno
import os
from collections.abc import Sequence

from spacemap.clean.known import compare_directory, skip_of
from spacemap.clean.outcome import GONE, StaysError, failure
from spacemap.clean.plan import Plan
from spacemap.clean.system import PLACE_FLAGS, open_below
from spacemap.tree.columns import ELSEWHERE, Flag
from spacemap.tree.tree import Tree

MOUNTED = "another file system is mounted there"
OPEN_PLACES = 64
"""So many descriptors are held at most; those above are found again by `..`, and compared."""
_PIECE = 3800  # bytes of a path that one call gets


class Place:
    """A directory that is open, or was."""

    __slots__ = ("descriptor", "directory", "keeps")

    def __init__(self, directory: int, descriptor: int) -> None:
        self.directory = directory
        self.descriptor = descriptor
        """-1 while it is closed to save descriptors."""
        self.keeps = False
        """Whether something in it stays, so that it must stay, too."""


class Places:
    """A stack of directories, the innermost last. The innermost is always open."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tree = plan.tree
        self._stack: list[Place] = []

    @property
    def innermost(self) -> Place:
        """The directory that was entered last."""
        return self._stack[-1]

    def begin(self, directory: int) -> None:
        """Find a directory again from its root, and let the stack begin with it. Raises StaysError."""
        self.close()
        self._stack.append(Place(directory, open_directory(self._plan, directory)))

    def enter(self, directory: int) -> None:
        """Enter a directory of the innermost one. Raises StaysError."""
        descriptor = open_child(self._tree, self.innermost.descriptor, directory)
        if len(self._stack) >= OPEN_PLACES:
            above = self._stack[-OPEN_PLACES]
            _close(above)
        self._stack.append(Place(directory, descriptor))

    def look_at(self, name: bytes) -> os.stat_result:
        """Return what a name of the innermost directory leads to now. Raises StaysError."""
        try:
            return os.stat(name, dir_fd=self.innermost.descriptor, follow_symlinks=False)
        except FileNotFoundError as error:
            raise StaysError("compare", GONE) from error
        except OSError as error:
            raise StaysError("compare", failure(error)) from error

    def leave(self) -> Place:
        """Return the innermost directory, closed; the one above it is open again. Raises StaysError."""
        left, above = self._stack.pop(), self.innermost
        try:
            if above.descriptor < 0:
                above.descriptor = self._open_again(above.directory, left.descriptor)
        finally:
            _close(left)
        return left

    def _open_again(self, directory: int, below: int) -> int:
        """Open a directory by way of one that is in it; where that was moved away, from the root."""
        try:
            descriptor = os.open(b"..", PLACE_FLAGS, dir_fd=below)
        except OSError:
            return open_directory(self._plan, directory)
        try:
            compare_directory(os.fstat(descriptor), self._tree, directory)
        except StaysError:
            os.close(descriptor)
            return open_directory(self._plan, directory)
        return descriptor

    def close(self) -> None:
        """Close all of them."""
        while self._stack:
            _close(self._stack.pop())


def open_directory(plan: Plan, directory: int) -> int:
    """Return a descriptor of a directory of the tree, found again below its root.

    No symlink is followed on the way, and a mount is entered only where the scan saw one; what is found there, and in
    the end, is compared with the tree. Raises StaysError.
    """
    tree = plan.tree
    root, names = plan.place(directory)
    try:
        # Symlinks in the path of the root are the user's own: resolved once, and the end compared.
        descriptor = os.open(tree.name(root), PLACE_FLAGS & ~os.O_NOFOLLOW)
    except OSError as error:
        raise StaysError("open", f"the root of the scan cannot be opened: {failure(error)}") from error
    try:
        _compare_open(descriptor, tree, root)
        way = [directory, *tree.ancestors(directory)][: len(names)][::-1]
        while way:
            count = _piece(tree, way)
            below = _open_piece(tree, descriptor, way[:count])
            os.close(descriptor)
            descriptor, way = below, way[count:]
    except StaysError:
        os.close(descriptor)
        raise
    return descriptor


def open_child(tree: Tree, place: int, directory: int) -> int:
    """Return a descriptor of a directory in `place`, compared with the tree. Raises StaysError."""
    if tree.flags[directory] & Flag.MOUNT or skip_of(tree, directory) in ELSEWHERE:
        raise StaysError("open", MOUNTED)
    return _open_piece(tree, place, [directory])


def _piece(tree: Tree, way: Sequence[int]) -> int:
    """Return how many names of a way go into one call: up to a mount, or a mount alone."""
    length = 0
    for count, directory in enumerate(way):
        if tree.flags[directory] & Flag.MOUNT:
            return max(count, 1)
        length += len(tree.name(directory)) + 1
        if length > _PIECE:
            return max(count, 1)
    return len(way)


def _open_piece(tree: Tree, place: int, way: Sequence[int]) -> int:
    try:
        if tree.flags[way[0]] & Flag.MOUNT:
            descriptor = os.open(tree.name(way[0]), PLACE_FLAGS, dir_fd=place)
        else:
            descriptor = open_below(place, b"/".join(tree.name(each) for each in way))
    except OSError as error:
        raise StaysError("open", _why_not_opened(error)) from error
    try:
        _compare_open(descriptor, tree, way[-1])
    except StaysError:
        os.close(descriptor)
        raise
    return descriptor


def _why_not_opened(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "another file system was mounted there since the scan"
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return "something else has taken its place, or that of a directory above it, since the scan"
    if error.errno == errno.ENOENT:
        return GONE
    return failure(error)


def _compare_open(descriptor: int, tree: Tree, directory: int) -> None:
    compare_directory(os.fstat(descriptor), tree, directory)


def _close(place: Place) -> None:
    if place.descriptor >= 0:
        os.close(place.descriptor)
        place.descriptor = -1
