"""Colours that are mixed."""

import pytest

from spacemap.render.palette import blend


@pytest.mark.parametrize(
    ("color", "share", "expected"),
    [
        ("#ff8000", 1.0, "#ff8000"),
        ("#ff8000", 0.0, "#102030"),
        ("#ffffff", 0.5, "#889098"),
        ("red", 1.0, "#aa0000"),
        ("bright_cyan", 1.0, "#55ffff"),
    ],
)
def test_blend(color: str, share: float, expected: str) -> None:
    """A mixture has that share of a colour, by code or by name, and the rest of the other."""
    assert expected == blend(color, (0x10, 0x20, 0x30), share)
