"""Bars and colours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.render.bars import BarStyle, share_bar
from spacemap.render.palette import is_color, ramp
from spacemap.render.text import cell_width


@pytest.mark.parametrize(
    ("part", "whole", "style", "bar"),
    [
        (1, 2, BarStyle.BLOCKS, "██  "),
        (1, 1, BarStyle.BLOCKS, "████"),
        (3, 32, BarStyle.BLOCKS, "▍   "),
        (1, 10**9, BarStyle.BLOCKS, "▏   "),
        (0, 5, BarStyle.BLOCKS, "    "),
        (5, 0, BarStyle.BLOCKS, "    "),
        (9, 5, BarStyle.BLOCKS, "████"),
        (1, 2, BarStyle.ASCII, "##  "),
        (1, 10**9, BarStyle.ASCII, ".   "),
    ],
)
def test_share_bar(part: int, whole: int, style: BarStyle, bar: str) -> None:
    """A bar shows a share in eighths of a cell, or whole ones, and never hides one that is there."""
    actual = share_bar(part, whole, 4, style)

    assert bar == actual


@given(st.integers(0, 2**70), st.integers(0, 2**70), st.integers(0, 100), st.sampled_from(BarStyle))
def test_share_bar_width(part: int, whole: int, cells: int, style: BarStyle) -> None:
    """A bar takes exactly the cells that it is given."""
    actual = cell_width(share_bar(part, whole, cells, style))

    assert cells == actual


def test_is_color() -> None:
    """Colours are six hexadecimal digits or a name that every terminal knows."""
    actual = [text for text in ("#10aFff", "red", "bright_black", "#fff", "rot", "#10aFff ", "") if is_color(text)]

    assert ["#10aFff", "red", "bright_black"] == actual


def test_ramp() -> None:
    """A ramp has as many colours as asked for, from one end to the other."""
    actual = [ramp(1), ramp(2), len(ramp(40))]

    assert [("#5f87af",), ("#5f87af", "#af5faf"), 40] == actual
