"""How an interrupted scan is continued, told so that it can be pasted into a shell."""

import os
import shlex
from collections.abc import Sequence

from spacemap.render.text import display_text

RESUME = "--resume"


def how_to_resume(words: Sequence[str], path: str) -> str:
    """Return what to type to continue a checkpoint that a command line with these words left.

    Paths, exclusions and all that shapes the tree are in the checkpoint, so its name alone is enough where a word
    holds something that a terminal would not show as it is.
    """
    option = [f"{RESUME}={path}"] if path.startswith("-") else [RESUME, path]
    if not _is_plain(path):
        return f"spacemap --resume, and the name of the file, which this terminal cannot show: {display_text(path)}"
    rest = _without_checkpoint(words)
    if all(map(_is_plain, rest)):
        return shlex.join(["spacemap", *option, *rest])
    return shlex.join(["spacemap", *option])


def _is_plain(text: str) -> bool:
    return display_text(text) == text


def _without_checkpoint(words: Sequence[str]) -> list[str]:
    """Return the words without --checkpoint FILE and --resume [FILE]."""
    end = words.index("--") if "--" in words else len(words)
    kept: list[str] = []
    at = 0
    while at < end:
        word = words[at]
        at += 1
        if word == "--checkpoint":
            at += 1
        elif word == RESUME:
            follows = words[at] if at < end else "-"
            at += not follows.startswith("-") and not os.path.isdir(follows)
        elif not word.startswith(("--checkpoint=", f"{RESUME}=")):
            kept.append(word)
    return [*kept, *words[end:]]
