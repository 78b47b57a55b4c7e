"""What buckets tell apart, and the boundaries of ranges. Imports nothing heavy: the command line reads it early."""

from collections.abc import Callable
from enum import Enum
from itertools import pairwise

from spacemap.errors import UsageError
from spacemap.units import parse_age, parse_size

_MAX_BOUNDS = 100


class By(Enum):
    """What the buckets tell apart."""

    TYPE = "type"
    SIZE = "size"
    AGE = "age"
    OWNER = "owner"


def parse_size_bounds(text: str) -> tuple[int, ...]:
    """Return the boundaries of ranges such as `1M,10M,100M`, in bytes."""
    return _parse_bounds(text, parse_size)


def parse_age_bounds(text: str) -> tuple[int, ...]:
    """Return the boundaries of ranges such as `30d,90d,1y`, in seconds."""
    return _parse_bounds(text, parse_age)


def _parse_bounds(text: str, parse: Callable[[str], int]) -> tuple[int, ...]:
    bounds = tuple(parse(part) for part in text.split(","))
    if len(bounds) > _MAX_BOUNDS:
        raise UsageError(f"{len(bounds)} boundaries are too many: at most {_MAX_BOUNDS}")
    if bounds[0] <= 0 or any(low >= high for low, high in pairwise(bounds)):
        raise UsageError(f"{text!r}: boundaries must be above zero and ascend, as in 1M,10M,100M or 30d,90d,1y")
    if bounds[-1] >= 1 << 62:
        raise UsageError(f"{text!r}: {bounds[-1]:,} is beyond what a file can have")
    return bounds


DEFAULT_SIZE_BOUNDS = parse_size_bounds("4K,64K,1M,10M,100M,1G,10G")
DEFAULT_AGE_BOUNDS = parse_age_bounds("1d,7d,30d,90d,1y,2y,5y")
