"""Which category each entry belongs to, told from its name: a whole name, or what follows the last dot.

Names are read as 64-bit words that end where the name ends, most significant byte first, so an extension is the
low bytes of a word. Almost every file is settled in a first pass that looks at one word; only names that end like
something the first pass cannot know (long extensions, whole names, version numbers) get a second look.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spacemap.analyze.categories import DIRECTORIES, FOLDED, LINKS, OTHER, Category
from spacemap.tree.columns import I64, U8, U16, U64, Kind, Mask
from spacemap.tree.threads import in_two_threads
from spacemap.tree.tree import Tree

MAX_VERSION_PARTS = 4
"""Suffixes of digits that are taken off: `libc.so.6`, `libicu.so.70.1`, `messages.log.1`."""
MAX_VERSION_DIGITS = 7

Words = npt.NDArray[np.uint64]
"""Big-endian, unaligned and overlapping: to be gathered from, not computed with."""

_CHUNK = 32_768
_SHARED_FROM = 4 * _CHUNK
"""Entries at a time: the temporaries stay in the second-level cache."""
_WINDOW = 24
"""Bytes at the end of a name that the second look reads."""
_SLOT_BITS = 16
_EXACT_UNDER_FOLD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-:;<=>?")
"""Characters that `_fold` gives for themselves and their upper case only."""


def _bytes_of(value: int) -> np.uint64:
    return np.uint64(value * 0x0101010101010101)


_ONE = np.uint64(1)
_BYTE = np.uint64(8)
_LOW_7 = _bytes_of(0x7F)
_HIGH = _bytes_of(0x80)
_DOTS = _bytes_of(ord("."))
_ALL = _bytes_of(0xFF)
_LAST_BYTE = np.uint64(0xFF)
_LAST_THREE = np.uint64(0xFFFFFF)
_TOP_SHIFT = np.uint64(56)
_KEY_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_KEY_SHIFT = np.uint64(64 - _SLOT_BITS)
_ENDING_FACTOR = np.uint64(0x9E3779B1)
_ENDING_SHIFT = np.uint64(16)
_ENDING_MASK = np.uint64(0xFFFF)
_WORD_FACTORS = np.array([[0x9E3779B97F4A7C15], [0xC2B2AE3D27D4EB4F], [0x165667B19E3779F9]], np.uint64)


def _window_tables() -> tuple[U64, U64]:
    within = np.zeros((3, _WINDOW + 1), np.uint64)
    slash = np.zeros((3, _WINDOW + 1), np.uint64)
    for length in range(_WINDOW + 1):
        for word in range(3):
            inside = min(max(length - 8 * word, 0), 8)
            within[word, length] = (1 << 8 * inside) - 1
            if 8 * word <= length < 8 * word + 8:
                slash[word, length] = ord("/") << 8 * (length - 8 * word)
    return within, slash


_WITHIN, _SLASH = _window_tables()
"""By length of the name: the bytes of each word that are its own, and a `/` just before it."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Categories compiled to lookup tables. A key is `.` and an extension, or `/` and a whole name."""

    slots: U16
    """By hash of a key of at most 8 bytes: its row in the three arrays below; row 0 matches nothing."""
    short_key: U64
    short_length: U8
    short_category: U8
    endings: U8
    """By hash of the last three bytes: 1 where the first pass cannot know the name."""
    long_hash: U64
    """Ascending; of every key."""
    long_words: U64
    """Three words to a key, the last one first."""
    long_category: U8


def classify(tree: Tree, categories: Sequence[Category]) -> U8:
    """Return the index into `categories` for each entry. Takes a few megabytes whatever the size of the tree."""
    index = {category.key: number for number, category in enumerate(categories)}
    rules = _compile(categories, index[OTHER])
    by_kind = np.zeros(256, np.uint8)
    by_kind[[Kind.DIRECTORY, Kind.SYMLINK, Kind.OTHER]] = index[DIRECTORIES], index[LINKS], index[LINKS]
    result = np.empty(len(tree), np.uint8)
    if len(tree) < _SHARED_FROM:
        _classify_part(rules, tree, range(len(tree)), by_kind, result)
    else:
        # numpy lets go of the interpreter's lock: two threads take little more than half the time.
        middle = len(tree) // 2 // _CHUNK * _CHUNK
        in_two_threads(
            lambda: _classify_part(rules, tree, range(middle, len(tree)), by_kind, result),
            lambda: _classify_part(rules, tree, range(middle), by_kind, result),
        )
    result[tree.folded.entry] = index[FOLDED]
    return result


def _classify_part(rules: _Rules, tree: Tree, part: range, by_kind: U8, result: U8) -> None:
    """Set the categories of some entries in `result`, chunk by chunk."""
    pending: list[I64] = []
    for start in range(part.start, part.stop, _CHUNK):
        rows = slice(start, min(start + _CHUNK, part.stop))
        is_file = tree.kind[rows] == Kind.FILE
        category, unknown = _first_look(rules, tree, rows, is_file)
        np.copyto(result[rows], by_kind.take(tree.kind[rows]))
        np.copyto(result[rows], category, where=is_file)
        pending.append(unknown)
        # In few large portions: a second look takes some hundred operations, however few the names.
        if sum(map(len, pending)) >= _CHUNK // 2 or rows.stop == part.stop:
            _look_again(rules, tree, np.concatenate(pending), result)
            pending = []


def _first_look(rules: _Rules, tree: Tree, rows: slice, is_file: Mask) -> tuple[U8, I64]:
    """Return the category of each row by a short extension, and the files that need a second look."""
    offset = tree.name_offset[rows.start : rows.stop + 1].astype(np.int64)
    padded = bytes(8) + tree.names[int(offset[0]) : int(offset[-1])]
    offset -= offset[0]
    folded = _fold(_words_at(padded)[offset[1:]].astype(np.uint64))
    key = _extension_key(folded)
    row = _short_rows(rules, key, np.diff(offset))
    unknown = np.flatnonzero((row == 0) & is_file)
    unknown = unknown[_may_be_known(rules, folded.take(unknown), key.take(unknown))]
    return rules.short_category.take(row), unknown + rows.start


def _look_again(rules: _Rules, tree: Tree, entries: I64, result: U8) -> None:
    """Set the categories of the entries in `result`."""
    begin, end = (tree.name_offset[rows].astype(np.int64) for rows in (entries, entries + 1))
    # The window of a name may begin before the blob does, for the first few names.
    early = begin < _WINDOW
    for rows, padding in ((np.flatnonzero(early), _WINDOW), (np.flatnonzero(~early), 0)):
        if rows.size:
            names = bytes(padding) + tree.names[: int(end[rows[-1]])] if padding else tree.names
            last_word = end[rows] + (padding - 8)
            result[entries[rows]] = _second_look(rules, _words_at(names), last_word, end[rows] - begin[rows])


def _words_at(names: bytes | memoryview) -> Words:
    """Return the eight bytes from every offset on as a number, the first byte the most significant. Copies nothing."""
    return np.ndarray((len(names) - 7,), ">u8", names, strides=(1,))


def _fold(words: U64) -> U64:
    """Return the words with bit 5 set in each byte that has bit 6: lower case for letters, and three operations."""
    folded = words & _bytes_of(0x40)
    folded >>= _ONE
    folded |= words
    return folded


def _extension_key(folded: U64) -> U64:
    """Return each word from its last dot on, or the whole word when there is none.

    The byte 0xAE passes for a dot: no short key holds it, so a comparison of keys still tells the truth.
    """
    # 0x7f where the dot is and 0xff elsewhere: adding one carries up to the last dot of the name and stops there.
    key = folded ^ _DOTS
    key &= _LOW_7
    key += _LOW_7
    key |= _LOW_7
    key ^= key + _ONE
    key &= folded
    return key


def _short_rows(rules: _Rules, key: U64, length: I64) -> U16:
    """Return the row of each key, or 0. A dot that begins the name begins no extension."""
    slot = key * _KEY_FACTOR
    slot >>= _KEY_SHIFT
    row = rules.slots.take(slot.view(np.int64))
    known = rules.short_key.take(row) == key
    known &= rules.short_length.take(row) < length
    row *= known
    return row


def _ending_slot(folded: U64) -> I64:
    slot = folded & _LAST_THREE
    slot *= _ENDING_FACTOR
    slot >>= _ENDING_SHIFT
    slot &= _ENDING_MASK
    return slot.view(np.int64)


def _may_be_known(rules: _Rules, folded: U64, key: U64) -> Mask:
    """Return where a name that the first pass does not know needs a second look."""
    ends_in_digit = (folded & _LAST_BYTE) - np.uint64(ord("0")) <= 9
    has_dot = (key != folded) | (folded >> _TOP_SHIFT == ord("."))
    mask: Mask = rules.endings.take(_ending_slot(folded)).view(np.bool_) | (ends_in_digit & has_dot)
    return mask


def _second_look(rules: _Rules, words: Words, last_word: I64, length: I64) -> U8:
    """Return the category of names by whole name, then extension, then the same without a version number."""
    other = rules.short_category[0]
    result = np.full(len(length), other)
    open_rows = np.arange(len(length))
    for _ in range(MAX_VERSION_PARTS + 1):
        text = _lower(words[last_word + np.array([[0], [-8], [-16]])].astype(np.uint64))
        text &= _WITHIN[:, np.minimum(length, _WINDOW)]
        category = _long_categories(rules, text | _SLASH[:, np.minimum(length, _WINDOW)])
        # Without its first byte: a dot there begins no extension.
        extension, version_length = _last_extension(text & _WITHIN[:, np.minimum(length - 1, _WINDOW)])
        by_extension = _long_categories(rules, extension)
        category = np.where(category == other, by_extension, category)
        result[open_rows] = category
        again = np.flatnonzero((category == other) & (version_length > 0))
        if not again.size:
            break
        open_rows = open_rows[again]
        last_word = last_word[again] - version_length[again]
        length = length[again] - version_length[again]
    return result


def _lower(text: U64) -> U64:
    """Return the words with A to Z in lower case and every other byte as it is."""
    low = text & _LOW_7
    from_a = low + _bytes_of(0x80 - ord("A"))
    after_z = low + _bytes_of(0x80 - ord("Z") - 1)
    upper: U64 = (from_a ^ after_z) & ~text & _HIGH
    return text | upper >> np.uint64(2)


def _last_extension(text: U64) -> tuple[U64, I64]:
    """Return the text from its last dot on, and the length of that where it is a dot and a few digits, else 0."""
    apart = text ^ _DOTS
    apart = ((apart & _LOW_7) + _LOW_7) | apart | _LOW_7
    through_dot: U64 = apart ^ (apart + _ONE)
    has_dot = apart != _ALL
    through_dot[1] *= ~has_dot[0]
    through_dot[2] *= ~(has_dot[0] | has_dot[1])

    after_dot = through_dot[0] >> _BYTE
    digit = text[0] ^ _bytes_of(ord("0"))
    not_digit = (((digit & _LOW_7) + _bytes_of(0x80 - 10)) | digit) & _HIGH & after_dot
    is_version = has_dot[0] & (after_dot != 0) & (not_digit == 0)
    version_length = np.bitwise_count(through_dot[0]).astype(np.int64) // 8 * is_version
    return text & through_dot, version_length


def _long_categories(rules: _Rules, words: U64) -> U8:
    row = np.searchsorted(rules.long_hash, _long_hash(words))
    np.minimum(row, len(rules.long_hash) - 1, out=row)
    found = (rules.long_words[:, row] == words).all(axis=0)
    return np.where(found, rules.long_category[row], rules.short_category[0])


def _long_hash(words: U64) -> U64:
    mixed: U64 = words * _WORD_FACTORS
    hashes: U64 = mixed[0] + mixed[1] + mixed[2]
    return hashes


def _compile(categories: Sequence[Category], other: int) -> _Rules:
    """Return the lookup tables of the categories. An extension that two of them claim is the first one's."""
    extensions: dict[str, int] = {}
    names: dict[str, int] = {}
    for number, category in enumerate(categories):
        for extension in category.extensions:
            extensions.setdefault(extension, number)
        for name in category.names:
            names.setdefault(name, number)
    ambiguous = {name.rpartition(".")[2] for name in names}
    short = [
        extension
        for extension in extensions
        if len(extension) <= 7 and _EXACT_UNDER_FOLD.issuperset(extension) and extension not in ambiguous
    ]
    slots, short_rows = _fill_slots(_words_of([f".{extension}" for extension in short], 1)[0])
    short = [short[row] for row in short_rows]
    in_first_pass = frozenset(short)

    long = [(f"/{name}", number) for name, number in names.items()]
    long += [(f".{extension}", number) for extension, number in extensions.items()] or [(".", other)]
    long_words = _words_of([key for key, _ in long], 3)
    long_hash = _long_hash(long_words)
    order = np.argsort(long_hash)
    return _Rules(
        slots=slots,
        short_key=_words_of(["", *(f".{extension}" for extension in short)], 1)[0],
        short_length=np.array([0, *(len(extension) + 1 for extension in short)], np.uint8),
        short_category=np.array([other, *(extensions[extension] for extension in short)], np.uint8),
        endings=_endings([*names, *(f".{extension}" for extension in extensions if extension not in in_first_pass)]),
        long_hash=long_hash[order],
        long_words=long_words[:, order],
        long_category=np.array([number for _, number in long], np.uint8)[order],
    )


def _words_of(keys: Sequence[str], count: int) -> U64:
    """Return the keys as rows of words, the word that ends the key first."""
    raw = b"".join(key.encode().rjust(8 * count, b"\0") for key in keys)
    return np.ascontiguousarray(np.frombuffer(raw, ">u8").reshape(len(keys), count)[:, ::-1].T.astype(np.uint64))


def _fill_slots(keys: U64) -> tuple[U16, list[int]]:
    """Return the table of slots, and which keys got one: the first of those that share a slot."""
    slot = (keys * _KEY_FACTOR) >> _KEY_SHIFT
    taken, first = np.unique(slot, return_index=True)
    slots = np.zeros(1 << _SLOT_BITS, np.uint16)
    slots[taken] = np.arange(1, len(taken) + 1)
    return slots, first.tolist()


def _endings(keys: Sequence[str]) -> U8:
    """Return a mark for the last three bytes of each key; whatever stands before a shorter key."""
    endings = np.zeros(1 << _SLOT_BITS, np.uint8)
    if not keys:
        return endings
    tails = [key.encode()[-3:] for key in keys]
    for size in range(1, 4):
        tail = _fold(np.array([int.from_bytes(tail, "big") for tail in tails if len(tail) == size], np.uint64))
        before = np.arange(1 << 8 * (3 - size), dtype=np.uint64) << np.uint64(8 * size)
        endings[_ending_slot((tail[:, np.newaxis] | before).reshape(-1))] = 1
    return endings
