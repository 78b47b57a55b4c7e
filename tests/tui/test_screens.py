"""Whole screens, compared with those that are stored: every size, both themes, without colours, and in ASCII.

`python -m tests.tui.screens` writes them anew; what changed is then looked at in the difference.
"""

import asyncio

import pytest

from spacemap.tui.themes import DARK, LIGHT
from tests.tui.screens import SCREENS, STORED, Screen, painted, set_environment


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_as_stored(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen is what it was when somebody last looked at it; `python -m tests.tui.screens` stores a new one."""
    set_environment(screen, monkeypatch)
    stored = STORED / f"{screen.name}.txt"

    assert stored.read_text("utf-8") == asyncio.run(painted(screen))


def test_every_file_is_compared() -> None:
    """Nothing is stored that no screen is compared with."""
    assert {f"{screen.name}.txt" for screen in SCREENS} == {path.name for path in STORED.iterdir()}


@pytest.mark.parametrize("name", sorted(screen.name for screen in SCREENS if "-plain" in screen.name))
def test_ascii_only(name: str) -> None:
    """Where the terminal has no other characters there are none."""
    assert (STORED / f"{name}.txt").read_text("utf-8").isascii()


@pytest.mark.parametrize("name", sorted(screen.name for screen in SCREENS if "-no-color" in screen.name))
def test_no_colors(name: str) -> None:
    """With NO_COLOR nothing is red, green or blue, and the cursor can still be told from the rest."""
    styles = [line for line in (STORED / f"{name}.txt").read_text("utf-8").splitlines() if line.startswith("| ")]
    colors = {word for line in styles for word in line.split() if word.startswith("#")}

    assert colors
    assert all(color[1:3] == color[3:5] == color[5:7] for color in colors)
    assert any("bold" in line for line in styles)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ["foreground", "secondary", "warning", "success", "error"])
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_contrast(theme: object, role: str, ground: str) -> None:
    """Whatever is written can be read: 4.5 to 1, as WCAG asks for text."""
    darker, lighter = sorted((_luminance(getattr(theme, role)), _luminance(getattr(theme, ground))))

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
