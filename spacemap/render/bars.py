"""Shares as bars of character cells."""

from enum import Enum

_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


class BarStyle(Enum):
    """What a bar is made of."""

    BLOCKS = "blocks"
    """Eighths of a cell."""
    ASCII = "ascii"
    """Whole cells, for terminals without UTF-8."""


def share_bar(part: int, whole: int, cells: int, style: BarStyle) -> str:
    """Return a bar padded to so many cells; a share that is not nothing is never drawn as nothing."""
    if part <= 0 or whole <= 0 or cells <= 0:
        return " " * max(cells, 0)
    part = min(part, whole)
    if style is BarStyle.ASCII:
        filled = (part * cells * 2 + whole) // (whole * 2)
        return ("#" * filled or ".").ljust(cells)
    eighths = max((part * cells * 16 + whole) // (whole * 2), 1)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).ljust(cells)
