"""Names that fit a glob or a regular expression, as a mask.

A glob is compared with the blob of all names byte by byte, which knows the names in ASCII. Those others that `?` or a
set may ask for are laid out one behind the other, with a NUL before each, for one expression to run over.
"""

import re
from collections.abc import Callable

import numpy as np

from spacemap.scan.glob import glob_expression, glob_parts, part_expression
from spacemap.tree.columns import I64, U8, Mask
from spacemap.tree.place import move_slices
from spacemap.tree.search import name_chunks
from spacemap.tree.tree import Tree

_CHUNK = 1 << 16
"""Names that are laid out at a time."""
_LOWER_BIT = np.uint8(0x20)
_BEYOND_ASCII = np.uint8(0x80)


def folds_case(text: str) -> bool:
    """Return whether ASCII letters of either case are equal to those of a glob: it holds no capital letter."""
    return not any("A" <= character <= "Z" for character in text)


def glob_matches(tree: Tree, glob: str, *, folds: bool) -> Mask:
    """Return which entries have a name that fits a glob from its first to its last character.

    A root is asked for the last part of its path. What has no name fits nothing.
    """
    compiled = re.compile(glob_expression(glob), re.DOTALL | (re.IGNORECASE if folds else 0))
    shape = _Shape(glob, folds=folds)
    mask = np.zeros(len(tree), np.bool_)
    for start, stop in name_chunks(tree, slice(0, len(tree))):
        offset = tree.name_offset[start : stop + 1].astype(np.int64)
        names = np.frombuffer(tree.names[int(offset[0]) : int(offset[-1])], np.uint8)
        offset -= offset[0]
        mask[shape.entries(names, offset) + start] = True
        if shape.asks_for_characters and len(places := np.flatnonzero(names >= _BEYOND_ASCII)):
            rows = np.unique(offset.searchsorted(places, side="right") - 1) + start
            mask[rows] = False
            mask[_fitting(tree, rows, compiled)] = True
    return _with_roots(tree, mask, lambda name: compiled.fullmatch(name) is not None)


def expression_matches(tree: Tree, expression: str) -> Mask:
    """Return which entries have a name in which a regular expression is found. Cost: some 300 ns for each entry."""
    search = re.compile(expression.encode("utf-8", "surrogateescape"), re.DOTALL).search
    mask = np.zeros(len(tree), np.bool_)
    for start in range(0, len(tree), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(tree)))
        names = _laid_out(tree, rows)[0][1:-1].split(b"\0")
        # As many turns as there are entries: each name has its own beginning and end, which a search may ask for.
        mask[rows] = [search(name) is not None for name in names]
    return _with_roots(tree, mask, lambda name: search(name) is not None)


def extension_matches(tree: Tree, extension: str) -> Mask:
    """Return which entries have a name that ends in a dot and an extension, with something before the dot.

    ASCII letters of either case are equal.
    """
    suffix = b"." + extension.encode("utf-8", "surrogateescape").lower()
    glob = "*" + re.sub(r"([*?[])", r"[\1]", suffix.decode("utf-8", "surrogateescape"))
    mask = glob_matches(tree, glob, folds=True) & (np.diff(tree.name_offset) > len(suffix))
    return _with_roots(tree, mask, lambda name: name.lower().endswith(suffix) and len(name) > len(suffix))


def roots_of(tree: Tree) -> range:
    """Return the entries whose names are whole paths: those that a scan was asked for."""
    return range(1) if tree.name(0) else tree.children(0)


def _with_roots(tree: Tree, mask: Mask, fits: Callable[[bytes], bool]) -> Mask:
    """Return the mask with an answer for each root, and none for what has no name."""
    mask[0] = False
    mask[tree.folded.entry] = False
    for root in roots_of(tree):
        mask[root] = fits(tree.name(root).rpartition(b"/")[2])
    return mask


class _Shape:
    """A glob as what its names look like byte by byte: texts of known lengths with stars between them.

    `?` and sets are bytes here, which is right for names in ASCII.
    """

    def __init__(self, glob: str, *, folds: bool) -> None:
        self._flags = re.DOTALL | (re.IGNORECASE if folds else 0)
        self._texts: list[list[Mask]] = [[]]
        self.asks_for_characters = False
        for part in glob_parts(glob):
            if part.startswith("*"):
                self._texts.append([])
            elif part == "?" or len(part) > 1:
                self._texts[-1].append(self._bytes_like(part_expression(part)))
                self.asks_for_characters = True
            else:
                raw = part.encode("utf-8", "surrogateescape")
                self._texts[-1] += [self._bytes_like(re.escape(bytes([byte]))) for byte in raw]

    def _bytes_like(self, expression: bytes) -> Mask:
        """Return which of the 256 bytes an expression fits."""
        fits = re.compile(expression, self._flags).fullmatch
        return np.array([fits(bytes([byte])) is not None for byte in range(256)], np.bool_)

    def entries(self, names: U8, offset: I64) -> I64:
        """Return the rows of names that fit, ascending; a name is `names[offset[row] : offset[row + 1]]`."""
        begin, end = offset[:-1], offset[1:]
        first, last = self._texts[0], self._texts[-1] if len(self._texts) > 1 else []
        least = len(first) + len(last)
        length = end - begin
        rows = np.flatnonzero(length >= least if len(self._texts) > 1 else length == least)
        for before, table in enumerate(reversed(last), 1):
            rows = rows[_among(table, names[end[rows] - before])]
        for place, table in enumerate(first):
            rows = rows[_among(table, names[begin[rows] + place])]
        # The leftmost place for each text leaves most room for the next.
        place_of = begin[rows] + len(first)
        for text in filter(None, self._texts[1:-1]):
            found = np.append(_places(names, text), len(names))
            place_of = found[found.searchsorted(place_of)] + len(text)
            has_room = place_of <= end[rows] - len(last)
            rows, place_of = rows[has_room], place_of[has_room]
        return rows


def _among(table: Mask, values: U8) -> Mask:
    """Return which bytes a table has; one byte, or a letter in either case, is compared, which takes less time."""
    known = np.flatnonzero(table).tolist()
    if len(known) == 2 and known[0] ^ known[1] == _LOWER_BIT:
        values = values | _LOWER_BIT
    elif len(known) != 1:
        return table.take(values)
    mask: Mask = values == known[-1]
    return mask


def _places(names: U8, text: list[Mask]) -> I64:
    """Return where in the names a text begins; it may span two of them."""
    room = max(len(names) - len(text) + 1, 0)
    places = np.flatnonzero(_among(text[0], names[:room]))
    for further, table in enumerate(text[1:], 1):
        places = places[_among(table, names[places + further])]
    return places


def _fitting(tree: Tree, entries: I64, compiled: re.Pattern[bytes]) -> I64:
    """Return those of some entries whose whole names an expression fits, which must match no NUL."""
    whole = re.compile(rb"\0(?:" + compiled.pattern + rb")(?=\0)", compiled.flags)
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(entries), _CHUNK):
        rows = entries[start : start + _CHUNK]
        laid_out, place = _laid_out(tree, rows)
        at = np.array([match.start() for match in whole.finditer(laid_out)], np.int64)
        found.append(rows[place.searchsorted(at)])
    return np.concatenate(found)


def _laid_out(tree: Tree, rows: I64) -> tuple[bytearray, I64]:
    """Return names with a NUL before each and behind the last, and where those NULs before them are."""
    begin, end = tree.name_offset[rows].astype(np.int64), tree.name_offset[rows + 1].astype(np.int64)
    length = end - begin
    place = np.cumsum(length + 1) - length - 1
    target = bytearray(int(length.sum()) + len(rows) + 1)
    move_slices(target, tree.names, place + 1, begin, end, 1)
    return target, place
