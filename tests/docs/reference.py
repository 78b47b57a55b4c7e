"""The command-line reference, made from the parser and the keys: `python tests/docs/reference.py > docs/cli.md`."""

import os

from spacemap.cli.arguments import HelpFormatter, parser
from spacemap.cli.commands import cache, journal
from spacemap.config import Browsing, Keymap
from spacemap.tui.keymap import keys_of
from spacemap.tui.keys import KEYS, TILE_KEYS

HEAD = """\
# Command line

Made from the parser and the keys by `make docs`; a test compares.

"""


def reference() -> str:
    """Return docs/cli.md as it should be."""
    root = parser()
    root.formatter_class = lambda prog: HelpFormatter(prog, width=100)
    text = root.format_help().replace("\noptions:\n", "\nother:\n")
    commands = []
    for parser_of in (cache.parser, journal.parser):
        of_command = parser_of()
        of_command.formatter_class = root.formatter_class
        commands.append(of_command.format_help().replace("\noptions:\n", "\nother:\n"))
    engines = "`spacemap engines` prints which engines can be used here and which one `auto` takes."
    of_commands = (f"```\n{each}```\n" for each in commands)
    return "\n".join([f"{HEAD}```\n{text}```\n\n{engines}\n", *of_commands, _keys()])


def _keys() -> str:
    """Return the actions of the browser, and their keys in each map."""
    maps = [keys_of(Browsing(keymap=keymap)) for keymap in Keymap]
    lines = [
        "## Keys of the browser",
        "",
        "`[browser] keymap` chooses a column, `[browser.keys]` gives other keys to an action.",
        "",
        f"| action | {' | '.join(keymap.value for keymap in Keymap)} | |",
        f"|---|{'---|' * (len(maps) + 1)}",
    ]
    for number, key in enumerate((*KEYS, *TILE_KEYS)):
        shown = " | ".join(" ".join(f"`{each}`" for each in keys[number].shown.split(" ")) for keys in maps)
        lines.append(f"| `{key.name}` | {shown} | {key.text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.write(1, reference().encode())
