"""What could not be read, grouped by reason."""

import numpy as np

from spacemap.analyze.breakdown import Bucket
from spacemap.tree.columns import EntryIds
from spacemap.tree.omissions import describe_problem
from spacemap.tree.tree import Tree
from spacemap.units import percent


def reasons(tree: Tree) -> tuple[Bucket, ...]:
    """Return a bucket for each reason, the most frequent first; what is counted are entries, bytes are not known."""
    code, count = np.unique(_codes(tree), return_counts=True)
    buckets = [
        Bucket(key_of(each), label_of(key_of(each)), 0, percent(number, len(tree.problems)), number, "", None)
        for each, number in zip(code.tolist(), count.tolist(), strict=True)
    ]
    return tuple(sorted(buckets, key=lambda bucket: (-bucket.file_count, bucket.label)))


def entries_with(tree: Tree, key: str) -> EntryIds:
    """Return the entries that could not be read for a reason, ascending."""
    operation, errno = map(int, key.split(":"))
    return np.unique(tree.problems.entry[_codes(tree) == (operation << 32 | errno)]).astype(np.int64)


def key_of(code: int) -> str:
    """Return the key of a bucket: the step that failed, and the number of the error."""
    return f"{code >> 32}:{code & 0xFFFFFFFF}"


def label_of(key: str) -> str:
    """Return a reason in words."""
    operation, errno = map(int, key.split(":"))
    return describe_problem(operation, errno)


def _codes(tree: Tree) -> EntryIds:
    return tree.problems.operation.astype(np.int64) << 32 | tree.problems.errno.astype(np.int64)
