"""The bytes of a whole tree in buckets: by category, by how large or how old the files are, or by whose they are.

Each inode counts once, and the buckets of a tree add up to the totals of its root, to the byte.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spacemap.analyze.by import DEFAULT_AGE_BOUNDS, DEFAULT_SIZE_BOUNDS, By
from spacemap.analyze.categories import DIRECTORIES, FOLDED, SPECIAL_CATEGORIES, Category
from spacemap.analyze.classify import classify
from spacemap.analyze.owner import owner_name
from spacemap.render.palette import distinct, ramp
from spacemap.tree.columns import U8, EntryIds, Flag, Kind, Mask, Unsigned
from spacemap.tree.measure import Measure, root_size, sizes, subtree_sizes, unit_column
from spacemap.tree.owners import UNKNOWN_OWNER, index_type
from spacemap.tree.subtree import directory_rows, repeated_within, subtree_slices
from spacemap.tree.tree import Tree
from spacemap.units import Units, format_age, format_bound, percent

_CHUNK = 32_768
"""Entries at a time. Half of a 64-bit value, so many times, stays below 2^53 and is exact as a float."""
_UNKNOWN_COLOR = "#767676"
_SPECIAL = {category.key: category for category in SPECIAL_CATEGORIES}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A part of a tree's bytes."""

    key: str
    """Stable: the key of a category, the boundaries of a range, or a uid."""
    label: str
    bytes: int
    percent: float
    """Of the bytes of the whole tree."""
    file_count: int
    """Entries that are not directories, every link counted."""
    color: str
    representative_extension: str | None


@dataclass(frozen=True, slots=True)
class BreakdownOptions:
    """What to tell apart, and in which measure."""

    by: By
    measure: Measure
    categories: tuple[Category, ...]
    """The special ones last, as `default_categories` returns them."""
    now_seconds: int
    """The moment from which ages are counted, seconds since 1970."""
    size_bounds: tuple[int, ...] = DEFAULT_SIZE_BOUNDS
    """Ascending, bytes."""
    age_bounds: tuple[int, ...] = DEFAULT_AGE_BOUNDS
    """Ascending, seconds."""
    extension_colors: Mapping[str, str] = field(default_factory=dict)
    units: Units = Units.IEC
    """In the labels of ranges."""
    name_owner: Callable[[int], str] = owner_name
    """Returns what a uid is called."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A bucket before it is filled."""

    key: str
    label: str
    color: str
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Buckets before they are filled, and which of them entries are in."""

    kinds: list[_Kind]
    bucket_of: Callable[[slice], Unsigned]
    """Returns the index into `kinds` for some rows."""
    ranges: int
    """How many of the first buckets are ranges, which stay where they are and when they are empty; 0: none."""
    has_directories: bool = True
    """Whether directories are among the entries that a bucket opens."""


_LEFT_OUT = _Kind("", "", _UNKNOWN_COLOR)
"""The bucket of what does not match; it is never returned."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Which bucket each entry of a tree is in, to be asked of many of its directories."""

    tree: Tree
    plan: _Plan
    bucket: Unsigned
    """Index into the kinds of the plan."""

    def buckets(self, measure: Measure, directory: int) -> tuple[Bucket, ...]:
        """Return the buckets of a subtree; what has neither bytes nor files is left out, but for ranges."""
        parts = subtree_slices(self.tree, directory)
        total = int(subtree_sizes(self.tree, measure)[self.tree.directory_row(directory)])
        part = _Part(parts, repeated_within(self.tree, parts), total)
        return _arranged(_fill(self.tree, measure, self.plan.kinds, lambda rows: self.bucket[rows], part), self.plan)

    def entries(self, key: str, directory: int) -> EntryIds:
        """Return what of a subtree is in a bucket, ascending; of an owner, what is no directory."""
        index = next(number for number, kind in enumerate(self.plan.kinds) if kind.key == key)
        parts = subtree_slices(self.tree, directory)
        found = np.concatenate([np.flatnonzero(self.bucket[part] == index) + part.start for part in parts])
        return found if self.plan.has_directories else found[self.tree.kind[found] != Kind.DIRECTORY]

    def main_kind(self, measure: Measure, entry: int) -> tuple[str, str]:
        """Return label and colour of the bucket of an entry, for a directory of the one with the most of its bytes.

        Where it has no bytes, entries count; every link does. Directories themselves only where there is nothing else.
        """
        is_directory = self.tree.kind[entry] == Kind.DIRECTORY
        kind = self.plan.kinds[self._main_bucket(measure, entry) if is_directory else int(self.bucket[entry])]
        return kind.label, kind.color

    def _main_bucket(self, measure: Measure, directory: int) -> int:
        keys = [kind.key for kind in self.plan.kinds]
        aside = [number for number, key in enumerate(keys) if key in (DIRECTORIES, _LEFT_OUT.key)]
        parts = subtree_slices(self.tree, directory)
        for column in (unit_column(self.tree, measure)[0], None):
            weights = np.zeros(len(keys))
            for part in parts:
                of_part = None if column is None else column[part]
                weights += np.bincount(self.bucket[part], weights=of_part, minlength=len(keys))
            weights[aside] = 0
            if weights.any():
                return int(weights.argmax())
        # What a filter leaves out is still a directory.
        return keys.index(DIRECTORIES) if DIRECTORIES in keys else int(self.bucket[directory])


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a tree is added up."""

    slices: Sequence[slice]
    left_out: EntryIds
    """Entries whose sizes do not count, ascending."""
    total: int
    """Bytes."""


def breakdown(tree: Tree, options: BreakdownOptions, matching: Mask | None = None) -> tuple[Bucket, ...]:
    """Return the buckets of a tree: categories and owners by falling bytes, ranges from low to high.

    What has neither bytes nor files is left out, but for ranges. With `matching`, the tree is that of a selection.
    """
    plan = _plan(tree, options, matching)
    left_out = tree.links.entry[(tree.flags[tree.links.entry] & np.uint8(Flag.REPEATED)) != 0]
    part = _Part([slice(0, len(tree))], left_out, root_size(tree, options.measure))
    return _arranged(_fill(tree, options.measure, plan.kinds, plan.bucket_of, part), plan)


def partition(tree: Tree, options: BreakdownOptions, matching: Mask | None = None) -> Partition:
    """Return which bucket each entry is in: a byte for each, or for owners the column that the tree has.

    With `matching`, the tree is that of a selection.
    """
    plan = _plan(tree, options, matching)
    if options.by is By.OWNER and matching is None:
        return Partition(tree, plan, tree.owner)
    bucket = [plan.bucket_of(rows) for rows in _chunks(slice(0, len(tree)))]
    return Partition(tree, plan, np.concatenate(bucket))


def _arranged(filled: list[Bucket], plan: _Plan) -> tuple[Bucket, ...]:
    filled = [bucket for bucket in filled if bucket.key != _LEFT_OUT.key]
    if plan.ranges:
        return _without_empty(filled, plan.ranges)
    return tuple(sorted((b for b in filled if b.bytes or b.file_count), key=lambda b: (-b.bytes, b.key)))


def _chunks(part: slice) -> Iterator[slice]:
    for start in range(part.start, part.stop, _CHUNK):
        yield slice(start, min(start + _CHUNK, part.stop))


def _plan(tree: Tree, options: BreakdownOptions, matching: Mask | None) -> _Plan:
    plan = _plan_of_all(tree, options)
    if matching is None:
        return plan
    number = index_type(len(plan.kinds) + 1).type(len(plan.kinds))
    return replace(
        plan,
        kinds=[*plan.kinds, _LEFT_OUT],
        bucket_of=lambda rows: np.where(matching[rows], plan.bucket_of(rows), number),
    )


def _plan_of_all(tree: Tree, options: BreakdownOptions) -> _Plan:
    match options.by:
        case By.TYPE:
            return _by_type(tree, options)
        case By.SIZE:
            return _by_size(tree, options)
        case By.AGE:
            return _by_age(tree, options)
        case By.OWNER:
            return _by_owner(tree, options)


def _by_type(tree: Tree, options: BreakdownOptions) -> _Plan:
    category = classify(tree, options.categories)
    kinds = []
    for each in options.categories:
        extension = each.extensions[0] if each.extensions else None
        kinds.append(_Kind(each.key, each.label, options.extension_colors.get(extension or "", each.color), extension))
    return _Plan(kinds, lambda rows: category[rows], 0)


def _by_size(tree: Tree, options: BreakdownOptions) -> _Plan:
    kinds = _ranges(options.size_bounds, lambda bound: format_bound(bound, options.units))
    kinds.append(_Kind("unknown", "Unknown", _UNKNOWN_COLOR))
    kinds += _special_kinds(options.categories)
    bounds = np.array(options.size_bounds, np.uint64)

    def bucket_of(rows: slice) -> U8:
        bucket = np.searchsorted(bounds, sizes(tree, options.measure, rows), side="right").astype(np.uint8)
        bucket[_unmeasured(tree, rows)] = len(bounds) + 1
        return _with_special(tree, rows, bucket, len(bounds) + 2)

    return _Plan(kinds, bucket_of, len(bounds) + 1)


def _by_age(tree: Tree, options: BreakdownOptions) -> _Plan:
    kinds = _ranges(options.age_bounds, format_age)
    kinds.append(_Kind("future", "In the future", _UNKNOWN_COLOR))
    kinds.append(_Kind("unknown", "Unknown", _UNKNOWN_COLOR))
    kinds += _special_kinds(options.categories)
    # Descending times are ascending ages; a time is compared, not subtracted, so that no age overflows.
    bounds = np.array([options.now_seconds - bound for bound in reversed(options.age_bounds)], np.int64)
    count = len(bounds)

    def bucket_of(rows: slice) -> U8:
        mtime = tree.mtime[rows]
        bucket = (count - np.searchsorted(bounds, mtime, side="left")).astype(np.uint8)
        bucket[mtime > options.now_seconds] = count + 1
        bucket[_unmeasured(tree, rows)] = count + 2
        return _with_special(tree, rows, bucket, count + 3)

    return _Plan(kinds, bucket_of, count + 1)


def _by_owner(tree: Tree, options: BreakdownOptions) -> _Plan:
    """Directories are somebody's as files are: their own blocks are in the sum, and their rows would hold others'."""
    uids = tree.owners.tolist()
    kinds = [
        _Kind("unknown", "Unknown", _UNKNOWN_COLOR)
        if uid == UNKNOWN_OWNER
        else _Kind(str(uid), options.name_owner(uid), color)
        for uid, color in zip(uids, distinct(len(uids)), strict=True)
    ]
    return _Plan(kinds, lambda rows: tree.owner[rows], 0, has_directories=False)


def _ranges(bounds: tuple[int, ...], text: Callable[[int], str]) -> list[_Kind]:
    colors = ramp(len(bounds) + 1)
    first = _Kind(f"0-{bounds[0]}", f"Under {text(bounds[0])}", colors[0])
    between = [
        _Kind(f"{low}-{high}", f"{text(low)} to {text(high)}", color)
        for (low, high), color in zip(pairwise(bounds), colors[1:-1], strict=True)
    ]
    return [first, *between, _Kind(f"{bounds[-1]}-", f"{text(bounds[-1])} and more", colors[-1])]


def _special_kinds(categories: tuple[Category, ...]) -> list[_Kind]:
    known = _SPECIAL | {category.key: category for category in categories}
    return [_Kind(key, known[key].label, known[key].color) for key in (DIRECTORIES, FOLDED)]


def _unmeasured(tree: Tree, rows: slice) -> Mask:
    mask: Mask = (tree.flags[rows] & np.uint8(Flag.UNMEASURED)) != 0
    return mask


def _with_special(tree: Tree, rows: slice, bucket: U8, directories: int) -> U8:
    bucket[tree.kind[rows] == Kind.DIRECTORY] = directories
    bucket[(tree.flags[rows] & np.uint8(Flag.FOLDED)) != 0] = directories + 1
    return bucket


def _without_empty(buckets: list[Bucket], ranges: int) -> tuple[Bucket, ...]:
    return (*buckets[:ranges], *(bucket for bucket in buckets[ranges:] if bucket.bytes or bucket.file_count))


def _fill(
    tree: Tree, measure: Measure, kinds: list[_Kind], bucket_of: Callable[[slice], Unsigned], part: _Part
) -> list[Bucket]:
    """Return the buckets with their sums; `bucket_of` gives the index into `kinds` for some rows."""
    sums, counts = [0] * len(kinds), [0] * len(kinds)
    column, unit = unit_column(tree, measure)
    for each in part.slices:
        for rows in _chunks(each):
            bucket = bucket_of(rows).astype(np.intp)
            values = column[rows]
            begin, end = np.searchsorted(part.left_out, [rows.start, rows.stop]).tolist()
            if begin != end:
                values = values.copy()
                values[part.left_out[begin:end].astype(np.intp) - rows.start] = 0
            _add(sums, _exact_sums(bucket, values, len(kinds)))
            _add(counts, _file_counts(tree, rows, bucket, len(kinds)))
    return [
        Bucket(kind.key, kind.label, value * unit, percent(value * unit, part.total), count, kind.color, kind.extension)
        for kind, value, count in zip(kinds, sums, counts, strict=True)
    ]


def _file_counts(tree: Tree, rows: slice, bucket: npt.NDArray[np.intp], count: int) -> list[int]:
    """Return how many files are in each bucket, given that of each row: no directories, and all behind an aggregate."""
    result = np.bincount(bucket, minlength=count)
    directories = tree.directories.entry[directory_rows(tree, rows)].astype(np.intp) - rows.start
    result -= np.bincount(bucket[directories], minlength=count)
    begin, end = tree.folded.entry.searchsorted(np.array([rows.start, rows.stop], np.uint32)).tolist()
    if begin != end:
        aggregates = bucket[tree.folded.entry[begin:end].astype(np.intp) - rows.start]
        np.add.at(result, aggregates, tree.folded.file_count[begin:end].astype(np.intp) - 1)
    counts: list[int] = result.tolist()
    return counts


def _exact_sums(bucket: npt.NDArray[np.intp], values: npt.NDArray[np.unsignedinteger], count: int) -> list[int]:
    """Return the sum of values in each bucket, exact beyond 64 bits."""
    if values.dtype.itemsize <= 4:
        return [int(value) for value in np.bincount(bucket, weights=values, minlength=count)]
    low = np.bincount(bucket, weights=values & np.uint64(0xFFFFFFFF), minlength=count)
    high = np.bincount(bucket, weights=values >> np.uint64(32), minlength=count)
    return [(int(upper) << 32) + int(lower) for upper, lower in zip(high, low, strict=True)]


def _add(sums: list[int], values: list[int]) -> None:
    for index, value in enumerate(values):
        sums[index] += value
