"""The command-line reference, made from the parser: `python tests/docs/reference.py > docs/cli.md`."""

import os

from spacemap.cli.arguments import HelpFormatter, parser
from spacemap.cli.commands import cache

HEAD = """\
# Command line

Made from the parser by `make docs`; a test compares.

"""


def reference() -> str:
    """Return docs/cli.md as it should be."""
    root = parser()
    root.formatter_class = lambda prog: HelpFormatter(prog, width=100)
    text = root.format_help().replace("\noptions:\n", "\nother:\n")
    of_cache = cache.parser()
    of_cache.formatter_class = root.formatter_class
    kept = of_cache.format_help().replace("\noptions:\n", "\nother:\n")
    engines = "`spacemap engines` prints which engines can be used here and which one `auto` takes."
    return f"{HEAD}```\n{text}```\n\n{engines}\n\n```\n{kept}```\n"


if __name__ == "__main__":
    os.write(1, reference().encode())
