"""The report for people, as it comes out on terminals and in pipes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spacemap.analyze.breakdown import BreakdownOptions, breakdown
from spacemap.analyze.by import By
from spacemap.analyze.categories import default_categories
from spacemap.analyze.top import largest_directories, largest_files
from spacemap.cli.report import Findings, ReportOptions, render_report
from spacemap.render.text import cell_width
from spacemap.scan.space import DiskSpace
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.measure import Measure
from spacemap.tree.selection import select
from spacemap.tree.snapshot import Completeness, Snapshot
from spacemap.units import Units
from tests.trees import Folder, Leaf, Spec, snapshot_of, tree_of

OPTIONS = ReportOptions(
    by=By.TYPE,
    measure=Measure.DISK,
    units=Units.IEC,
    verbose=False,
    color=False,
    width=60,
    encoding="utf-8",
    whole_paths=False,
)
HOSTILE = ["[bold]x[/]", "[/]", "\x1b[31mred", "\x1b]52;c;eA==\x07", "a\nb", "\u202eevil", "   ", "\x85\x9b", "宽" * 80]


def _render(snapshot: Snapshot, options: ReportOptions = OPTIONS) -> str:
    tree = snapshot.tree
    findings = Findings(
        buckets=breakdown(
            tree,
            BreakdownOptions(options.by, options.measure, default_categories(), 1_700_000_000, units=options.units),
        ),
        top_files=largest_files(tree, 10, options.measure).tolist(),
        top_directories=largest_directories(tree, 10, options.measure).tolist(),
        disk=DiskSpace(100 * 2**30, 40 * 2**30, 50 * 2**30),
    )
    return render_report(snapshot, findings, options)


def _snapshot() -> Snapshot:
    return snapshot_of(tree_of({"a.jpg": 3 * 2**20, "b.py": 2**20, "sub": {"c.py": 100}}))


def test_plain_report() -> None:
    """Without colour, a report is the paths, the totals, the disk, and a table of shares."""
    actual = _render(_snapshot())

    assert (
        """\
/root
4.0 MiB disk usage in 3 files, 2 directories; <0.1% of the
used disk (1.5 s)
Disk: 100.0 GiB total, 50.0 GiB used (55.6%), 40.0 GiB free

Category     Disk usage   Share                        Files
Images          3.0 MiB   75.0%  ███████████████           1
Source code     1.0 MiB   25.0%  █████                     2
Total           4.0 MiB  100.0%                            3
"""
        == actual
    )


def test_ascii_report() -> None:
    """A stream without UTF-8 gets bars of number signs, and escapes for what it does not have."""
    snapshot = snapshot_of(tree_of({"日本.jpg": 2**20}))
    actual = _render(snapshot, replace(OPTIONS, encoding="ascii", verbose=True))

    assert "#####" in actual
    assert "1.0 MiB  /root/\\u65e5\\u672c.jpg\n" in actual
    assert actual.isascii()


@pytest.mark.parametrize(
    ("options", "total"),
    [
        (replace(OPTIONS, units=Units.SI), "4.2 MB disk usage"),
        (replace(OPTIONS, units=Units.BYTES), "4,194,816 B disk usage"),
        (replace(OPTIONS, measure=Measure.APPARENT, units=Units.BYTES), "4,194,404 B apparent size"),
    ],
    ids=["si", "bytes", "apparent"],
)
def test_units_and_measure(options: ReportOptions, total: str) -> None:
    """Sizes are in the units, and of the measure, that were asked for."""
    actual = _render(_snapshot(), options)

    assert total == actual.splitlines()[1][: len(total)]


def test_size_is_never_a_label_alone() -> None:
    """The word size always says which one."""
    for by in By:
        for measure in Measure:
            actual = _render(_snapshot(), replace(OPTIONS, by=by, measure=measure, verbose=True, width=120))
            alone = re.sub("apparent size", "", actual, flags=re.IGNORECASE)

            assert "size" not in alone.lower()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("by", By)
def test_fits_the_width(width: int, by: By) -> None:
    """On a terminal, no line is longer than the terminal is wide, whatever the names."""
    spec: dict[str, Spec] = {name: number * 2**30 for number, name in enumerate(HOSTILE, 1)}
    spec["deep" * 20] = {"er" * 60: {"f.tar.gz": 2**40}}
    actual = _render(snapshot_of(tree_of(spec)), replace(OPTIONS, width=width, by=by, verbose=True))
    too_long = [line for line in actual.splitlines() if cell_width(line) > max(width, 40)]

    assert [] == too_long


@pytest.mark.parametrize("color", [False, True], ids=["plain", "color"])
def test_hostile_names_are_inert(color: bool) -> None:
    """No name reaches the terminal raw, and markup in it is text."""
    spec: dict[str, Spec] = {name: Leaf(100, problem=(Operation.STAT, 5)) for name in HOSTILE}
    spec |= {f"d{name}": Folder({"x": 1000}, problem=(Operation.LIST, 5)) for name in HOSTILE}
    snapshot = snapshot_of(tree_of(spec, "/ro\x1bot"), notes=("note \x1b[1m",))
    actual = _render(snapshot, replace(OPTIONS, verbose=True, color=color, width=200))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", actual) if color else actual

    assert [] == [c for c in plain if c != "\n" and not c.isprintable()]
    assert "/[bold]x[/]\n" in plain
    assert "\\x1b[31mred" in plain
    assert plain.splitlines()[0] == "/ro\\x1bot"


def test_colors_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences come with colour only."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    actual = ["\x1b" in _render(_snapshot(), replace(OPTIONS, color=color)) for color in (False, True)]

    assert [False, True] == actual


def test_whole_paths_in_a_pipe() -> None:
    """In a pipe, a path is whole however long, on a line of its own."""
    name = "n" * 200
    actual = _render(snapshot_of(tree_of({name: 2**20})), replace(OPTIONS, verbose=True, whole_paths=True))

    assert f"1.0 MiB  /root/{name}\n" in actual


def test_remarks() -> None:
    """Each thing that qualifies the totals has a line, whether verbose or not."""
    tree = tree_of(
        {
            "limit": Folder({}, skip=Skip.DEPTH_LIMIT),
            "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
            "proc": Folder({}, skip=Skip.KERNEL_FS),
            "view": Folder({}, skip=Skip.SECOND_VIEW),
            "rest": Folder({}, skip=Skip.UNLISTED),
            "pruned": Folder({}, skip=Skip.PRUNED),
            "": Leaf(2048, folded_files=1500),
            "link": Leaf(4096, inode=5, link_count=2),
        }
    )
    snapshot = snapshot_of(
        tree, options={"max_depth": 3}, completeness=Completeness.INTERRUPTED, notes=("a worker was replaced",)
    )
    actual = _render(snapshot, replace(OPTIONS, width=120)).split("\n\n")[-1]

    assert (
        """\
Partial: the scan was interrupted, 1 directory not listed
1 path could not be read (-v lists them)
3 directories not descended into (pruned 1, kernel file systems 1, counted where they are seen first 1)
Totals stop at depth 3 for 1 directory
1,500 small files folded into 1 entry to save memory; totals are exact
4.0 KiB disk usage is also hard-linked from outside
a worker was replaced
"""
        == actual
    )


def test_filtered() -> None:
    """What a filter hides is told right below the totals, and what it cannot know of among the remarks."""
    tree = tree_of({"": Leaf(2048, folded_files=1500), "link": Leaf(4096, inode=5, link_count=2), "x": 100})
    selection = select(tree, np.array([False, False, True, False]))
    findings = Findings((), (), (), None, selection.applied("links>1 \x1b[1m", OPTIONS.measure))
    options = replace(OPTIONS, width=120)
    lines = render_report(snapshot_of(selection.tree), findings, options).splitlines()

    assert "4.0 KiB disk usage in 1 file, 0 directories (1.5 s)" == lines[1]
    assert "Filter links>1 \\x1b[1m hides 1,502 of 1,503 entries, 2.5 KiB of 6.5 KiB" == lines[2]
    assert "1,500 small files folded into 1 entry to save memory; a filter knows only that they are files" in lines
    assert "4.0 KiB disk usage is also hard-linked from outside what matches" in lines


def test_problems_by_reason() -> None:
    """A verbose report lists the problems below their reasons, the most frequent first."""
    tree = tree_of(
        {
            "a": Leaf(problem=(Operation.STAT, 5)),
            "b": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
            "c": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
            "d": Folder({}, skip=Skip.WORKER_LOST, problem=(Operation.SCAN, 0)),
        }
    )
    actual = _render(snapshot_of(tree), replace(OPTIONS, verbose=True)).partition("could not be read\n")[2]

    assert (
        """\
1 directory not descended into (lost with a worker 1)

2 paths cannot be opened: Permission denied (EACCES)
  /root/b
  /root/c

1 path cannot be measured: Input/output error (EIO)
  /root/a

1 path given up while being listed
  /root/d
"""
        == actual
    )


def test_empty_tree() -> None:
    """A tree without a byte is reported as that."""
    actual = _render(snapshot_of(tree_of({})))

    assert "0 B disk usage in 0 files, 1 directory (1.5 s)" == actual.splitlines()[1]


def test_several_roots() -> None:
    """Each of several roots has its line; their nameless parent has none and is not counted."""
    tree = tree_of({"/a": {"x": 1}, "/b": {}}, root="")
    actual = _render(snapshot_of(tree, "/a", "/b")).splitlines()[:3]

    assert ["/a", "/b", "512 B disk usage in 1 file, 2 directories; <0.1% of the used"] == actual
