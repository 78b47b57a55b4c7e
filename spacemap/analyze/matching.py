"""Which entries of a tree a filter lets through: a mask over its rows, computed from columns."""

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spacemap.analyze.categories import Category
from spacemap.analyze.classify import classify
from spacemap.analyze.conditions import Condition, Either, Every, Not, Number, Pattern, Query, Words
from spacemap.analyze.naming import expression_matches, extension_matches, folds_case, glob_matches, roots_of
from spacemap.analyze.owner import owner_number
from spacemap.analyze.query import fail
from spacemap.errors import UsageError
from spacemap.tree.columns import U8, EntryIds, Flag, Kind, Mask, Skip
from spacemap.tree.measure import Measure, subtree_sizes, unit_column
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.subtree import subtree_slices
from spacemap.tree.tree import Tree

_DOT = ord(".")
_KINDS = {"file": Kind.FILE, "directory": Kind.DIRECTORY, "symlink": Kind.SYMLINK, "other": Kind.OTHER}
_BITS = {
    "mount": Flag.MOUNT,
    "hardlink": Flag.LINKED,
    "followed": Flag.VIA_SYMLINK,
    "folded": Flag.FOLDED,
    "unmeasured": Flag.UNMEASURED,
}
_SKIPS = {reason.name.lower().replace("_", "-"): reason for reason in Skip if reason is not Skip.NONE}


def check_query(query: Query, categories: Sequence[Category], snapshot: Snapshot | None = None) -> None:
    """Raise UsageError when a filter asks for a category or owner that is not there, or for what was not kept: times
    that were left out, or owners in a snapshot from before they were kept."""
    facts = None if snapshot is None else snapshot.facts
    if query.needs_times and facts is not None and facts.options.get("times") == "leave":
        raise UsageError("filter: age and modified need times, and this was scanned without them; scan again")
    for term in query.terms():
        if isinstance(term, Words) and term.key == "type":
            _category_numbers(term, categories)
        if isinstance(term, Words) and term.key == "owner":
            _owner_numbers(term)
            if snapshot is not None and not snapshot.tree.knows_owners:
                fail(term.position, "this was scanned before owners were kept: nothing tells whose it is; scan again")
            if facts is not None and facts.host != os.uname().nodename and not all(map(str.isdigit, term.words)):
                fail(term.position, f"this was scanned on {facts.host!r}, whose users are others: write numbers")


def _category_numbers(term: Words, categories: Sequence[Category]) -> list[int]:
    """Return the indices of the categories that words name by their keys, which may lack a final `s`."""
    keys = [category.key for category in categories]
    found = []
    for word in term.words:
        key = word if word in keys else f"{word}s"
        if key not in keys:
            fail(term.position, f"there is no type {word!r}; there are {', '.join(keys)}")
        found.append(keys.index(key))
    return found


def _owner_numbers(term: Words) -> set[int]:
    """Return the uids that words name."""
    numbers = set()
    for word in term.words:
        number = owner_number(word)
        if number is None:
            fail(term.position, f"there is no user {word!r} here: write a name that this machine knows, or a number")
        numbers.add(number)
    return numbers


class Matcher:
    """A tree that filters can be asked of. The categories of its entries are found once."""

    def __init__(self, tree: Tree, categories: Sequence[Category], now_seconds: int) -> None:
        """Ages are counted from `now_seconds`, seconds since 1970."""
        self._tree = tree
        self._categories = categories
        self._now = now_seconds
        self._category: U8 | None = None

    def mask(self, query: Query, measure: Measure) -> Mask:
        """Return which entries a filter lets through; `size` is in the measure.

        A directory has the size, the age and the items of all below it. Raises UsageError as `check_query` does.
        """
        mask = self._matching(query.condition, measure)
        # What holds several roots is no entry of a file system.
        mask[0] &= bool(self._tree.name(0))
        return mask

    def _matching(self, condition: Condition, measure: Measure) -> Mask:
        match condition:
            case Not(negated):
                return ~self._matching(negated, measure)
            case Every(conditions):
                return ~_any_of([~self._matching(each, measure) for each in conditions])
            case Either(conditions):
                return _any_of([self._matching(each, measure) for each in conditions])
            case Number():
                return self._number(condition, measure)
            case Words():
                return self._words(condition)
            case Pattern():
                return self._pattern(condition)

    def _number(self, term: Number, measure: Measure) -> Mask:
        tree, low, high = self._tree, term.low, term.high
        match term.key:
            case "age":
                low, high = (None if bound is None else self._now - bound for bound in (term.high, term.low))
                mask = self._of_both(tree.mtime, tree.totals.newest_mtime, low, high)
            case "modified":
                mask = self._of_both(tree.mtime, tree.totals.newest_mtime, low, high)
            case "items":
                items = tree.totals.files + tree.totals.directories - np.uint64(1)
                mask = np.zeros(len(tree), np.bool_)
                mask[tree.directories.entry] = _within(items, low, high)
                return mask
            case "links":
                mask = (tree.kind != Kind.DIRECTORY) & ((low or 0) <= 1) & (high is None or high >= 1)
                mask[tree.links.entry] = _within(tree.links.link_count, low, high)
            case _:
                measure = {"disk": Measure.DISK, "apparent": Measure.APPARENT}.get(term.key, measure)
                column, unit = unit_column(tree, measure)
                mask = _within(column, None if low is None else -(-low // unit), None if high is None else high // unit)
                mask[tree.directories.entry] = _within(subtree_sizes(tree, measure), low, high)
        # Sums of many files say nothing of one, and zeros that stand for the unknown say nothing at all.
        mask &= (tree.flags & np.uint8(Flag.FOLDED | Flag.UNMEASURED)) == 0
        return mask

    def _of_both(
        self,
        column: npt.NDArray[np.integer],
        of_directories: npt.NDArray[np.integer],
        low: int | None,
        high: int | None,
    ) -> Mask:
        mask = _within(column, low, high)
        mask[self._tree.directories.entry] = _within(of_directories, low, high)
        return mask

    def _words(self, term: Words) -> Mask:
        match term.key:
            case "type":
                return _among(_category_numbers(term, self._categories), self._categorised())
            case "owner":
                numbers = _owner_numbers(term)
                is_meant = np.array([uid in numbers for uid in self._tree.owners.tolist()], np.bool_)
                return is_meant.take(self._tree.owner)
            case "kind":
                return _among([_KINDS[word] for word in term.words], self._tree.kind)
            case "ext":
                return _any_of([extension_matches(self._tree, word) for word in term.words])
        return _any_of([self._flagged(word) for word in term.words])

    def _categorised(self) -> U8:
        if self._category is None:
            self._category = classify(self._tree, self._categories)
        return self._category

    def _flagged(self, word: str) -> Mask:
        tree = self._tree
        if word in _BITS:
            mask: Mask = (tree.flags & np.uint8(_BITS[word])) != 0
            return mask
        if word == "hidden":
            return self._hidden()
        if word == "problem":
            return self._only(tree.problems.entry)
        return self._only(tree.directories.entry[tree.directories.skip == _SKIPS[word]])

    def _only(self, entries: EntryIds) -> Mask:
        mask = np.zeros(len(self._tree), np.bool_)
        mask[entries] = True
        return mask

    def _hidden(self) -> Mask:
        tree = self._tree
        names = np.frombuffer(tree.names, np.uint8)
        begin = tree.name_offset[:-1]
        mask: Mask = (names[np.minimum(begin, len(names) - 1)] == _DOT) & (tree.name_offset[1:] > begin)
        for root in roots_of(tree):
            mask[root] = tree.name(root).rpartition(b"/")[2].startswith(b".")
        return mask

    def _pattern(self, term: Pattern) -> Mask:
        if term.is_expression:
            return expression_matches(self._tree, term.text)
        if term.key == "name":
            return glob_matches(self._tree, term.text, folds=folds_case(term.text))
        return self._below_root(term.text)

    def _below_root(self, glob: str) -> Mask:
        """Return which entries have a path below their root that fits a glob, name by name from the root down."""
        tree, folds = self._tree, folds_case(glob)
        parts = glob.strip("/").split("/")
        if parts[-1] == "**":
            parts.append("*")  # at the end, it is what is below and not the directory itself
        masks = {part: glob_matches(tree, part, folds=folds) for part in set(parts) - {"**"}}
        reached = self._only(np.array(roots_of(tree)))
        for part in parts:
            if part == "**":
                for depth in subtree_slices(tree, 0)[1:]:
                    reached[depth] |= reached[tree.parent[depth]]
            else:
                reached = reached[tree.parent] & masks[part]
                reached[0] = False  # the root is its own parent
        return reached & (tree.kind == Kind.DIRECTORY) if glob.endswith("/") else reached


def _within(values: npt.NDArray[np.integer], low: int | None, high: int | None) -> Mask:
    """Return which numbers lie in a range with both its ends; None is no end."""
    mask = np.ones(len(values), np.bool_)
    if low is not None:
        mask &= values >= low
    if high is not None:
        mask &= values <= high
    return mask


def _any_of(masks: Sequence[Mask]) -> Mask:
    mask: Mask = np.logical_or.reduce(masks)
    return mask


def _among(numbers: Sequence[int], values: U8) -> Mask:
    table = np.zeros(256, np.bool_)
    table[list(numbers)] = True
    return table.take(values)
