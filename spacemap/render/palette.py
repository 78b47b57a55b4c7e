"""The colours that can be named, and those of ranges from low to high and of things side by side."""

import re

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_PLAIN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
TERMINAL_COLORS = (*_PLAIN, *(f"bright_{color}" for color in _PLAIN))

_RAMP = ("#5f87af", "#5fafaf", "#5faf87", "#87af5f", "#afaf5f", "#d7af5f", "#d7875f", "#d75f5f", "#d75f87", "#af5faf")


def is_color(text: str) -> bool:
    """Return whether the text is `#rrggbb` or one of the sixteen names of terminal colours."""
    return text in TERMINAL_COLORS or _HEX.fullmatch(text) is not None


def distinct(count: int) -> tuple[str, ...]:
    """Return a colour for each of so many things without an order; neighbours differ, and after ten they repeat."""
    return tuple(_RAMP[number * 7 % len(_RAMP)] for number in range(count))


def ramp(steps: int) -> tuple[str, ...]:
    """Return a colour for each step from low to high, spread over the whole ramp."""
    last = len(_RAMP) - 1
    return tuple(_RAMP[step * last // max(steps - 1, 1)] for step in range(steps))


def blend(color: str, base: tuple[int, int, int], share: float) -> str:
    """Return a colour mixed with another, of which it is that share, as `#rrggbb`."""
    mixed = (round(a * share + b * (1 - share)) for a, b in zip(_rgb(color), base, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _rgb(color: str) -> tuple[int, int, int]:
    if not color.startswith("#"):
        bright, low = (0xFF, 0x55) if color.startswith("bright_") else (0xAA, 0)
        number = _PLAIN.index(color.removeprefix("bright_"))
        red, green, blue = (bright if number >> bit & 1 else low for bit in range(3))
        return red, green, blue
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
