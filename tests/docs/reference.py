"""The command-line reference, made from the parser: `python tests/docs/reference.py > docs/cli.md`."""

import os

from spacemap.cli.arguments import HelpFormatter, parser
from spacemap.cli.commands import cache, journal

HEAD = """\
# Command line

Made from the parser by `make docs`; a test compares.

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
    return "\n".join([f"{HEAD}```\n{text}```\n\n{engines}\n", *(f"```\n{each}```\n" for each in commands)])


if __name__ == "__main__":
    os.write(1, reference().encode())
