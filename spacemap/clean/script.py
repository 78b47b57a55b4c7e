"""A plan as a POSIX shell script: to be read, and run by hand. It checks before it removes, as far as a shell can."""

import os
import stat
from collections.abc import Iterator

from spacemap.clean.places import MOUNTED
from spacemap.clean.plan import Plan, planned_slices
from spacemap.errors import UsageError
from spacemap.render.text import display_name
from spacemap.store.blocks import atomic_file
from spacemap.tree.columns import Flag, Kind
from spacemap.tree.subtree import directory_rows
from spacemap.units import Units, format_moment, format_number, format_size

_HEAD = b"""\
root=%(root)s
# `x` keeps a newline at the end of the path.
if test "$(pwd -P; echo x)" != "$root
x"; then
    printf '%%s\\n' "run this in the directory that it was made for: cd -- %(shown)s" >&2
    exit 2
fi
status=0

stays() {
    printf 'stays: %%s: %%s\\n' "$1" "$2" >&2
    status=1
}

# No directory on the way to it may be a symlink, and its inode (the first word of ls) must be the one of the scan.
is_same() {
    rest=${1#./}
    way=.
    while test "$rest" != "${rest#*/}"; do
        way=$way/${rest%%%%/*}
        rest=${rest#*/}
        if test -L "$way"; then return 1; fi
    done
    found=$(LC_ALL=C ls -di -- "$1" 2>/dev/null)
    found=${found#"${found%%%%[! ]*}"}
    test "${found%%%% *}" = "$2"
}

# Whether nothing is mounted there or below, as far as the system tells; it writes a blank in a name as \\040.
is_unmounted() {
    test -e /proc/self/mountinfo || return 0
    LC_ALL=C within=${root%%/}/${1#./} awk '
        BEGIN {
            within = ENVIRON["within"]
            for (at = 1; at <= length(within); at++) {
                c = substr(within, at, 1)
                if (c == " ") c = "\\\\040"
                else if (c == "\\t") c = "\\\\011"
                else if (c == "\\n") c = "\\\\012"
                else if (c == "\\\\") c = "\\\\134"
                point = point c
            }
        }
        $5 == point || index($5, point "/") == 1 { found = 1 }
        END { exit found }
    ' /proc/self/mountinfo
}

# How this rm is told to stay on one file system, for what is mounted meanwhile.
alone=
for option in --one-file-system -x; do
    if rm -f "$option" 2>/dev/null; then alone=$option; break; fi
done

# NAME INODE BYTES
remove_file() {
    if test -L "$1" || ! test -f "$1"; then stays "$1" 'no file'
    elif ! is_same "$1" "$2" || test -z "$(find "$1" -prune -size "$3"c)"; then stays "$1" 'changed since the scan'
    else rm -f -- "$1" || status=1
    fi
}

# NAME INODE
remove_other() {
    if test -d "$1" && ! test -L "$1"; then stays "$1" 'a directory'
    elif ! is_same "$1" "$2"; then stays "$1" 'changed since the scan'
    else rm -f -- "$1" || status=1
    fi
}

# NAME INODE
remove_directory() {
    if test -L "$1" || ! test -d "$1"; then stays "$1" 'no directory'
    elif ! is_same "$1" "$2"; then stays "$1" 'changed since the scan'
    elif ! is_unmounted "$1"; then stays "$1" '%(mounted)s'
    else rm -rf $alone -- "$1" || status=1
    fi
}

"""
_FUNCTIONS = {Kind.FILE: b"remove_file", Kind.DIRECTORY: b"remove_directory"}


def write_script(plan: Plan, path: str | bytes | os.PathLike[str]) -> None:
    """Write a plan as a shell script that its owner may run; whole, or not at all.

    Unlike `remove` it takes directories with all that is in them by then, but leaves out those that hold a mount.
    Raises UsageError when the plan is about several roots, SpacemapError when the file cannot be written.
    """
    roots = {plan.place(entry)[0] for entry in plan.entries.tolist()}
    if len(roots) != 1:
        raise UsageError("a script is for one root: plan what is below another one apart")
    with atomic_file(path) as file:
        os.fchmod(file.fileno(), stat.S_IRWXU)
        file.writelines(_lines(plan, plan.tree.name(roots.pop())))


def _lines(plan: Plan, root: bytes) -> Iterator[bytes]:
    disk = sum(int(plan.tree.disk_usage(part).sum()) for part in planned_slices(plan.tree, plan.entries.tolist()))
    yield b"#!/bin/sh\n"
    told = f"{format_number(plan.count, 'entry', 'entries')}, {format_size(disk, Units.IEC)} disk usage"
    yield f"# {told}; scanned {format_moment(plan.snapshot.facts.started_ns)}. Made by spacemap.\n".encode()
    yield b"# Read it first: what is removed here is gone for ever.\n\n"
    # Twice quoted: for the message, and for whoever copies it.
    shown = display_name(root).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    yield _HEAD % {b"root": _quoted(root), b"shown": shown.encode(), b"mounted": MOUNTED.encode()}
    for entry in plan.entries.tolist():
        yield _line(plan, entry)
    yield b"exit $status\n"


def _line(plan: Plan, entry: int) -> bytes:
    tree = plan.tree
    kind = Kind(int(tree.kind[entry]))
    name = _quoted(b"./" + b"/".join(plan.place(entry)[1]))
    if kind is Kind.DIRECTORY and _holds_mount(plan, entry):
        return b"stays %s %s\n" % (name, _quoted(MOUNTED.encode()))
    size = b" %d" % int(tree.apparent_size[entry]) if kind is Kind.FILE else b""
    return b"%s %s %d%s\n" % (_FUNCTIONS.get(kind, b"remove_other"), name, int(tree.inode[entry]), size)


def _holds_mount(plan: Plan, directory: int) -> bool:
    tree = plan.tree
    return any(
        bool((tree.flags[tree.directories.entry[directory_rows(tree, part)]] & Flag.MOUNT).any())
        for part in planned_slices(tree, [directory])
    )


def _quoted(name: bytes) -> bytes:
    return b"'" + name.replace(b"'", b"'\\''") + b"'"
