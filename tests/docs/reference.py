"""The command-line reference, made from the parser: `python tests/docs/reference.py > docs/cli.md`."""

import argparse
import os

from spacemap.cli.arguments import parser

HEAD = """\
# Command line

Made from the parser by `make docs`; a test compares.

"""


def reference() -> str:
    """Return docs/cli.md as it should be."""
    root = parser()
    root.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100)
    text = root.format_help().replace("\noptions:\n", "\nother:\n")
    engines = "`spacemap engines` prints which engines can be used here and which one `auto` takes."
    return f"{HEAD}```\n{text}```\n\n{engines}\n"


if __name__ == "__main__":
    os.write(1, reference().encode())
