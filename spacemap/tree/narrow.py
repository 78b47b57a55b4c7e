"""Columns in the narrowest types that hold them, where what made them wide is gone."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import Signed, Unsigned
from spacemap.tree.tree import Tree

Column = TypeVar("Column", bound=npt.NDArray[np.integer])


def narrowest(tree: Tree) -> Tree:
    """Return the tree with the types that a scan of the same entries gives it; equal columns are shared."""
    return replace(
        tree,
        apparent_size=_unsigned(tree.apparent_size),
        blocks=_unsigned(tree.blocks),
        inode=_unsigned(tree.inode),
        mtime=_signed(tree.mtime),
    )


def _unsigned(column: Unsigned) -> Unsigned:
    return _as(column, np.min_scalar_type(int(column.max(initial=0))))


def _signed(column: Signed) -> Signed:
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    fits = -(1 << 31) <= low and high < 1 << 31
    return _as(column, np.dtype(np.int32 if fits else np.int64))


def _as(column: Column, dtype: "np.dtype[np.integer]") -> Column:
    if column.dtype == dtype:
        return column
    narrowed = column.astype(dtype)
    narrowed.flags.writeable = False
    return narrowed  # type: ignore[return-value]
