"""The pictures of the documentation: each is drawn by a command, shown somewhere, and tells of no machine."""

import re
from pathlib import Path

import pytest

from tests.tui.pictures import DOCS, PICTURES, draw


def test_each_is_drawn_and_shown() -> None:
    """There is no picture that the command does not draw, and none that neither README nor docs show."""
    texts = [DOCS.parent / "README.md", *DOCS.glob("*.md")]
    shown = {name for text in texts for name in re.findall(r"!\[[^]]+\]\((?:docs/)?([^)]+)\)", text.read_text("utf-8"))}

    assert {f"{name}.svg" for name in PICTURES} == {path.name for path in DOCS.glob("*.svg")} == shown


@pytest.mark.parametrize("name", PICTURES)
def test_it_can_be_drawn(name: str) -> None:
    """Drawing gives a whole picture of the made-up home directory; `python -m tests.tui.pictures` stores it."""
    picture = draw(name)

    assert picture.rstrip().endswith("</svg>")
    assert "/home" in picture
    assert str(Path.home()) not in picture
