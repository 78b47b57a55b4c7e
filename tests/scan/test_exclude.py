"""Exclusions on real trees: what each kind of pattern leaves out, and that it costs nothing below."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spacemap.scan import CacheTagged, EngineName, ScanOptions, scan
from spacemap.tree.columns import Skip
from tests.scan.comparison import paths, skips
from tests.scan.engines import each_engine
from tests.scan.processes import COMMAND, environment, spacemap
from tests.scan.specs import Entry, make_tree

TREE = [
    Entry("a/b/c/x.o", content=1),
    Entry("a/b/x.c", content=1),
    Entry("a/x.o", content=1),
    Entry("b/c/y", content=1),
    Entry("c/a/b/z", content=1),
    Entry("xa/b/z", content=1),
    Entry("build", content=1),
    Entry("d/build/out", content=1),
    Entry("é/宽", content=1),
    Entry("bad\\xff", content=1),
    Entry("new\nline/k", content=1),
    Entry("[x]/k", content=1),
]
EVERYTHING = {
    "a", "a/b", "a/b/c", "a/b/c/x.o", "a/b/x.c", "a/x.o", "b", "b/c", "b/c/y", "c", "c/a", "c/a/b", "c/a/b/z", "xa",
    "xa/b", "xa/b/z", "build", "d", "d/build", "d/build/out", "é", "é/宽", "bad\udcff", "new\nline", "new\nline/k",
    "[x]", "[x]/k",
}  # fmt: skip
# pattern: (entries that are gone, directories that are shown as excluded)
CASES = {
    "x.o": ({"a/b/c/x.o", "a/x.o"}, set()),
    "*.?": ({"a/b/c/x.o", "a/x.o", "a/b/x.c"}, set()),
    "b": ({"a/b/c", "a/b/c/x.o", "a/b/x.c", "b/c", "b/c/y", "c/a/b/z", "xa/b/z"}, {"a/b", "b", "c/a/b", "xa/b"}),
    "b/": ({"a/b/c", "a/b/c/x.o", "a/b/x.c", "b/c", "b/c/y", "c/a/b/z", "xa/b/z"}, {"a/b", "b", "c/a/b", "xa/b"}),
    "build": ({"build", "d/build/out"}, {"d/build"}),
    "build/": ({"d/build/out"}, {"d/build"}),
    "/build": ({"build"}, set()),
    "/build/": (set(), set()),
    "a/b": ({"a/b/c", "a/b/c/x.o", "a/b/x.c"}, {"a/b"}),
    "/a/b/": ({"a/b/c", "a/b/c/x.o", "a/b/x.c"}, {"a/b"}),
    "a/*": ({"a/b/c", "a/b/c/x.o", "a/b/x.c", "a/x.o"}, {"a/b"}),
    "a/*/x.*": ({"a/b/x.c"}, set()),
    "a/**/x.o": ({"a/b/c/x.o", "a/x.o"}, set()),
    "**/b": ({"a/b/c", "a/b/c/x.o", "a/b/x.c", "b/c", "b/c/y", "c/a/b/z", "xa/b/z"}, {"a/b", "b", "c/a/b", "xa/b"}),
    "c/**": ({"c/a/b", "c/a/b/z"}, {"c/a"}),
    "?/a": ({"c/a/b", "c/a/b/z"}, {"c/a"}),
    "?": (
        {"a/b", "a/b/c", "a/b/c/x.o", "a/b/x.c", "a/x.o", "b/c", "b/c/y", "c/a", "c/a/b", "c/a/b/z", "xa/b/z",
         "d/build", "d/build/out", "é/宽", "new\nline/k", "[x]/k"},
        {"a", "b", "c", "d", "é", "xa/b"},
    ),
    "bad?": ({"bad\udcff"}, set()),
    "[a-b]": (
        {"a/b", "a/b/c", "a/b/c/x.o", "a/b/x.c", "a/x.o", "b/c", "b/c/y", "c/a/b", "c/a/b/z", "xa/b/z"},
        {"a", "b", "c/a", "xa/b"},
    ),
    "[!a-z[b]*": ({"é/宽"}, {"é"}),
    "[à-ÿ]": ({"é/宽"}, {"é"}),
    "[一-龥]": ({"é/宽"}, set()),
    "[[]x]": ({"[x]/k"}, {"[x]"}),
    "new*": ({"new\nline/k"}, {"new\nline"}),
    "new*line/?": ({"new\nline/k"}, set()),
    "re:^a/": ({"a/b/c", "a/b/c/x.o", "a/b/x.c", "a/x.o"}, {"a/b"}),
    r"re:\.o$": ({"a/b/c/x.o", "a/x.o"}, set()),
    "re:b/.$": ({"a/b/c/x.o", "b/c/y", "c/a/b/z", "xa/b/z"}, {"a/b/c", "b/c"}),
    "re:é": ({"é/宽"}, {"é"}),
    "re:/$": (set(), set()),
}  # fmt: skip


@pytest.mark.parametrize("pattern", CASES)
@each_engine
def test_patterns(place: Path, pattern: str, engine: EngineName) -> None:
    """A pattern leaves out files, and the contents of directories, which stay visible as excluded."""
    gone, excluded = CASES[pattern]
    root = make_tree(place / "tree", TREE)

    snapshot = scan([root], ScanOptions(engine=engine, exclude=(pattern,)))

    assert EVERYTHING - gone == {path.decode("utf-8", "surrogateescape") for path in paths(snapshot)}
    assert dict.fromkeys(excluded, Skip.EXCLUDED) == {path.decode(): skip for path, skip in skips(snapshot).items()}


@each_engine
def test_prune(place: Path, engine: EngineName) -> None:
    """A pruned directory is measured and shown, its contents are not; a file of that name is no matter."""
    root = make_tree(place / "tree", TREE)
    expected = [len(EVERYTHING) - 1, {b"d/build": Skip.PRUNED}, 4096]

    snapshot = scan([root], ScanOptions(engine=engine, prune=("build",)))

    tree = snapshot.tree
    row = tree.directories.skip.tolist().index(Skip.PRUNED)
    assert expected == [len(paths(snapshot)), skips(snapshot), int(tree.totals.disk[row])]


@each_engine
def test_exclusion_wins_over_prune(place: Path, engine: EngineName) -> None:
    """What is both excluded and pruned is excluded."""
    root = make_tree(place / "tree", TREE)

    snapshot = scan([root], ScanOptions(engine=engine, prune=("build",), exclude=("build",)))

    assert {b"d/build": Skip.EXCLUDED} == skips(snapshot)


@each_engine
def test_exclude_caches(place: Path, engine: EngineName) -> None:
    """Only a regular CACHEDIR.TAG with the signature at its beginning makes a cache."""
    signature = "Signature: 8a477f597d28d172789f06886806bc55"
    root = make_tree(place / "tree", [Entry(f"{name}/file", content=5000) for name in "abcdefg"])
    (root / "a/CACHEDIR.TAG").write_text(f"{signature}\n# made by somebody\n")
    (root / "b/CACHEDIR.TAG").write_text(signature)
    (root / "c/CACHEDIR.TAG").write_text(signature[:-1])
    (root / "d/CACHEDIR.TAG").write_text(f" {signature}")
    (root / "e/CACHEDIR.TAG").mkdir()
    (root / "f/CACHEDIR.TAG").symlink_to("../a/CACHEDIR.TAG")
    (root / "g/cachedir.tag").write_text(signature)

    snapshot = scan([root], ScanOptions(engine=engine, cache_tagged=CacheTagged.EXCLUDE))

    assert {b"a": Skip.CACHE_TAGGED, b"b": Skip.CACHE_TAGGED} == skips(snapshot)


@each_engine
def test_a_fifo_as_cache_tag(place: Path, engine: EngineName) -> None:
    """A fifo of the tag's name is not waited for."""
    root = make_tree(place / "tree", [Entry("a/CACHEDIR.TAG", "fifo")])

    snapshot = scan([root], ScanOptions(engine=engine, cache_tagged=CacheTagged.EXCLUDE))

    assert ({}, [b"a", b"a/CACHEDIR.TAG"]) == (skips(snapshot), paths(snapshot))


def test_exclude_from(place: Path) -> None:
    """A file of patterns may hold comments, blank lines and bytes that are not UTF-8."""
    root = make_tree(place / "tree", TREE)
    patterns = place / "patterns"
    patterns.write_bytes(b"# a comment\n\nbad\xff\n  re:^a/  \nbuild/\r\n")

    result = spacemap(root, "--exclude-from", patterns, "--json")

    # a, a/b, b, b/c, b/c/y, c…z, xa…z, build, d, d/build, é, é/宽, new\nline and k, [x] and k
    assert (0, b"") == (result.returncode, result.stderr)
    assert re.search(rb'"file_count": 7,\s+"dir_count": 15,', result.stdout)


@pytest.mark.parametrize("word", ["re:(", "re:[", "", "/", "//"])
def test_bad_patterns(word: str) -> None:
    """A pattern that cannot be used is an error that quotes it, before anything is scanned."""
    result = spacemap("/", "--exclude", word)

    assert (2, b"") == (result.returncode, result.stdout)
    assert repr(word) in result.stderr.decode()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@each_engine
@pytest.mark.parametrize("options", [["--exclude", "secret"], ["--exclude", "/d/secret/"], ["--prune", "secret"]])
def test_no_system_call_below_an_excluded_directory(place: Path, engine: EngineName, options: list[str]) -> None:
    """Nothing in an excluded or pruned directory is ever named to the kernel, and an excluded one is not opened."""
    root = make_tree(place / "tree", [Entry("d/secret/inside/deeper", content=1), Entry("d/file", content=1)])
    trace = place / "trace"
    command = ["strace", "-f", "-y", "-o", trace, "-e", "trace=%file,getdents64", *COMMAND, root, *options]

    result = subprocess.run([*command, "--engine", engine.value], capture_output=True, env=environment(), check=False)

    lines = [line for line in trace.read_text("utf-8", "replace").splitlines() if "execve" not in line]
    opened = [line for line in lines if "secret" in line and ("open" in line or "getdents" in line)]
    assert (0, []) == (result.returncode, opened)
    assert [] == [line for line in lines if "inside" in line]
    assert [] != [line for line in lines if "/tree/d>" in line]


@each_engine
def test_an_excluded_name_is_not_measured(place: Path, engine: EngineName) -> None:
    """No system call is made for an excluded file or directory itself, where the kernel tells its kind."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root = make_tree(place / "tree", [Entry("d/secret/x", content=1), Entry("d/secretfile", content=1)])
    trace = place / "trace"
    command = ["strace", "-f", "-o", trace, "-e", "trace=%file", *COMMAND, root, "--exclude", "secret*"]

    subprocess.run([*command, "--engine", engine.value], capture_output=True, env=environment(), check=True)

    lines = trace.read_text("utf-8", "replace").splitlines()
    assert [] == [line for line in lines if '"secret' in line and "execve" not in line]
