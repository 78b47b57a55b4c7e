"""A whole snapshot as JSON, beside the report, and back: the same tree to the byte.

The member `snapshot` of the document holds the facts, the roots, and the kept columns of `spacemap.store.schema` as
arrays of numbers; names stand as texts, as `tree.names.name_to_text` writes them. Its checksum is that of the
columns as bytes, so the document may be indented or squeezed, and nothing in it altered.
"""

import os
import stat
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import orjson
from xxhash import xxh3_128

from spacemap.errors import FormatError, SpacemapError
from spacemap.store import snapshot as snapshot_file
from spacemap.store.blocks import Path as PathLike
from spacemap.store.blocks import atomic_file, damaged, naming, shown
from spacemap.store.columns import as_blocks, check_is_canonical, kept_columns, narrowed, tree_from_columns
from spacemap.store.facts import facts_from_json, facts_to_json, roots_from_json, roots_to_json
from spacemap.store.form import Form, stored_form
from spacemap.store.schema import FORMAT_VERSION, LAYOUTS
from spacemap.store.validity import Values, check_roots
from spacemap.tree.names import name_to_text, text_to_name
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.tree import Tree

_FORMAT = "spacemap snapshot"
_TEXTS = ("entries.name_length", "entries.names")
"""Columns that stand as one array of texts, `name`."""
_TYPES = {f"{kind}{width}" for kind in "ui" for width in (1, 2, 4, 8)}
_MEMBERS = {"format", "version", "checksum", "roots", "facts", "types"}


def write_json(path: PathLike, snapshot: Snapshot, report: bytes) -> None:
    """Write a report with every entry to a file, in the place of what may be there; `report` is an indented object.

    Raises SpacemapError; what was there before is then untouched.
    """
    with atomic_file(path) as file:
        file.write(report.removesuffix(b"\n}\n") + b',\n  "snapshot": ')
        file.write(snapshot_json(snapshot))
        file.write(b"\n}\n")


def snapshot_json(snapshot: Snapshot) -> bytes:
    """Return a whole snapshot as a JSON object."""
    check_is_canonical(snapshot.tree)
    columns = kept_columns(snapshot.tree)
    numbers = {name: values for name, values in columns.items() if name not in _TEXTS}
    document: dict[str, object] = {
        "format": _FORMAT,
        "version": FORMAT_VERSION,
        "checksum": _checksum(columns, snapshot),
        "roots": roots_to_json(snapshot.roots),
        "facts": facts_to_json(snapshot.facts),
        "types": {name: values.dtype.str[1:] for name, values in numbers.items()},
    }
    tables: dict[str, dict[str, object]] = {"entries": {"name": _texts(snapshot.tree), "parent": snapshot.tree.parent}}
    for name, values in numbers.items():
        table, _, column = name.partition(".")
        tables.setdefault(table, {})[column] = np.ascontiguousarray(values)
    return orjson.dumps(document | tables, option=orjson.OPT_SERIALIZE_NUMPY)


def read_json(path: PathLike) -> Snapshot:
    """Return the snapshot that a JSON file holds; memory is in proportion to the file.

    Raises FormatError for what is not whole, or holds no entries; SpacemapError for what cannot be read.
    """
    with naming(path):
        try:
            document: object = orjson.loads(_content(path))
        except orjson.JSONDecodeError as error:
            raise damaged("it is not a JSON document") from error
        if not isinstance(document, dict) or not isinstance(document.get("snapshot"), dict):
            raise FormatError("it carries no entries; write it with `--output FILE.json` and without --summary-only")
        return _snapshot(document["snapshot"])


def open_snapshot(path: PathLike) -> Snapshot:
    """Return the snapshot that a file holds, in whichever form: the content tells.

    Raises FormatError for what is none, or damaged; SpacemapError for what cannot be read.
    """
    form = stored_form(path)
    return read_json(path) if form is Form.JSON else snapshot_file.open_snapshot(path).load()


def _content(path: PathLike) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FormatError("it is not a regular file; name a JSON file that spacemap wrote")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise SpacemapError(f"{shown(path)}: cannot be read: {error.strerror}; check the path") from error


def _snapshot(kept: Mapping[str, object]) -> Snapshot:
    version, types = kept.get("version"), kept.get("types")
    if kept.get("format") != _FORMAT or not isinstance(version, int):
        raise damaged("member snapshot does not say what it is")
    if version > FORMAT_VERSION:
        known = f"this spacemap reads versions up to {FORMAT_VERSION}"
        raise FormatError(f"it has version {version} of the format, {known}; use a newer spacemap")
    layout = LAYOUTS.get(version)
    if layout is None or not isinstance(types, dict) or not kept.keys() >= _MEMBERS:
        raise damaged("member snapshot has other members than those of its version")
    try:
        roots, facts = roots_from_json(kept["roots"]), facts_from_json(kept["facts"])
    except ValueError as error:
        raise damaged(f"the facts cannot be right ({error})") from error
    columns: dict[str, Values] = {}
    for name, kind in layout.columns.items():
        if name == "entries.names":
            continue
        if name == "entries.name_length":
            columns |= _names(_array(kept, "entries.name"))
        else:
            columns[name] = _numbers(_array(kept, name), name, kind, types.get(name))
    columns = {name: columns[name] for name in layout.columns}
    tree = tree_from_columns(columns)
    snapshot = Snapshot(tree, roots, facts)
    if kept["checksum"] != _checksum(columns, snapshot):
        raise damaged("the entries do not match their checksum")
    if not np.array_equal(_numbers(_array(kept, "entries.parent"), "entries.parent", "u", "u4"), tree.parent):
        raise damaged("column entries.parent does not fit the directories")
    check_roots(tree, roots)
    return snapshot


def _array(kept: Mapping[str, object], name: str) -> list[object]:
    table, _, column = name.partition(".")
    members = kept.get(table)
    values = members.get(column) if isinstance(members, dict) else None
    if not isinstance(values, list):
        raise damaged(f"column {name} is missing or no array")
    return values


def _numbers(values: list[object], name: str, kind: str, type_: object) -> Values:
    if not isinstance(type_, str) or type_ not in _TYPES or type_[0] != kind:
        raise damaged(f"column {name} has no type of its kind")
    # numpy would take fractions, truths and digits in texts for numbers.
    if not set(map(type, values)) <= {int}:
        raise damaged(f"column {name} holds something else than whole numbers")
    try:
        column: Values = np.array(values, type_)
    except OverflowError as error:
        raise damaged(f"column {name} holds numbers beyond its type") from error
    return column


def _names(texts: list[object]) -> dict[str, Values]:
    """Return the columns of names that the texts stand for."""
    names: list[bytes] = []
    for text in texts:  # one step for each entry
        if not isinstance(text, str):
            raise damaged("column entries.name holds something else than texts")
        try:
            names.append(text_to_name(text) if "\\" in text else text.encode())
        except ValueError as error:
            raise damaged("column entries.name holds a text that stands for no name") from error
    length = np.fromiter(map(len, names), np.int64, len(names)).astype(np.uint64)
    return {"entries.name_length": narrowed(length), "entries.names": np.frombuffer(b"".join(names), np.uint8)}


def _texts(tree: Tree) -> list[str]:
    """Return the names of all entries as texts: one step for each of them."""
    names, bounds = bytes(tree.names), pairwise(tree.name_offset.tolist())
    if names.isascii() and b"\\" not in names:
        text = names.decode("ascii")
        return [text[begin:end] for begin, end in bounds]
    return [name_to_text(names[begin:end]) for begin, end in bounds]


def _checksum(columns: Mapping[str, Values], snapshot: Snapshot) -> str:
    """Return a checksum of the values in their order, whatever the document looks like."""
    facts = [roots_to_json(snapshot.roots), facts_to_json(snapshot.facts)]
    checksum = xxh3_128(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS))
    for column in as_blocks(columns):
        checksum.update(f"{column.name} {column.type} {len(column.data)}".encode())
        checksum.update(column.data)
    return checksum.hexdigest()
