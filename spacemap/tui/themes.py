"""Two themes of our own, for dark and for light terminals."""

from textual.theme import Theme

from spacemap.config import ThemeChoice

DARK = Theme(
    name="spacemap-dark",
    primary="#5f9ea8",
    secondary="#8ab8ff",
    accent="#e5b567",
    warning="#e5b567",
    error="#ea868f",
    success="#8fc98a",
    foreground="#d8dce4",
    background="#14171c",
    surface="#1d2129",
    panel="#2f3a4f",
    dark=True,
)
LIGHT = Theme(
    name="spacemap-light",
    primary="#2f7f8c",
    secondary="#1d4fa0",
    accent="#8a5a00",
    warning="#8a4b00",
    error="#a8232f",
    success="#256b2a",
    foreground="#20242b",
    background="#fbfbf8",
    surface="#ecece6",
    panel="#c9d8ee",
    dark=False,
)


def theme_named(choice: ThemeChoice, color_fgbg: str) -> str:
    """Return the name of a theme; by itself, the one for a terminal that says `foreground;background` in COLORFGBG."""
    if choice is not ThemeChoice.AUTO:
        return LIGHT.name if choice is ThemeChoice.LIGHT else DARK.name
    background = color_fgbg.rpartition(";")[2]
    return LIGHT.name if background in {"7", "9", "10", "11", "12", "13", "14", "15"} else DARK.name
