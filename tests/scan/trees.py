"""Random trees, for Hypothesis."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.scan.specs import Entry

ODD_NAMES = [
    "0", "1", "2", "a", "b", "B", "a.txt", "é", "宽", "\\xff", "\\xfe\\x80", " ", "-", "~", "\n", "\x1b[31m", "[bold]",
    "\\\\", "*", "a b", "\x7f", "ab", "abcdefgh", "abcdefghi", "abcdefgh\\xff", "x" * 255, "宽" * 85,
]  # fmt: skip
DIRECTORIES = ["0", "1", "2", "宽", "\\xff"]


@st.composite
def random_trees(draw: st.DrawFn, names: Sequence[str] = ODD_NAMES, *, follow: bool = False) -> list[Entry]:
    """Draw a tree of all kinds of entries; symlinks lead anywhere in the tree when they are to be followed."""
    directories = [""]
    for parent, name in draw(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(DIRECTORIES)), max_size=8)):
        path = directories[parent % len(directories)] + name + "/"
        if path not in directories:
            directories.append(path)
    entries = [Entry(path.rstrip("/"), "directory") for path in directories[1:]]
    taken = {entry.path for entry in entries}
    lines = st.tuples(
        st.sampled_from(directories),
        st.sampled_from(names),
        st.sampled_from(["file", "file", "sparse", "link", "link", "symlink", "fifo", "socket"]),
        st.integers(0, 20_000),
    )
    linkable: list[str] = []
    for directory, name, kind, number in draw(st.lists(lines, max_size=25)):
        path = directory + name
        if path in taken:
            continue
        taken.add(path)
        if kind == "link" and linkable:
            entries.append(Entry(path, "link", target=linkable[number % len(linkable)]))
        elif kind == "symlink":
            entries.append(Entry(path, "symlink", target=_target(directory, directories, linkable, number, follow)))
        elif kind in ("fifo", "socket"):
            entries.append(Entry(path, kind))
        else:
            size = number * 1_000_003 if kind == "sparse" else 0
            entries.append(Entry(path, content=number, size=size, mtime=number - 10_000))
        if kind != "symlink":
            linkable.append(path)
    return entries


def _target(directory: str, directories: list[str], files: list[str], number: int, follow: bool) -> str:
    if not follow:
        return "x" * (number % 200 + 1)
    everything = [*directories, *files]
    # An own prefix keeps what a symlink leads to inside the tree; no symlink leads to itself.
    return "../" * directory.count("/") + "./" + everything[number % len(everything)]
