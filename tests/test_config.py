"""Settings from TOML, and errors that name the key."""

from pathlib import Path

import pytest

from spacemap import locations
from spacemap.analyze.categories import SPECIAL_CATEGORIES, Category, default_categories
from spacemap.config import Browsing, Cache, Display, Keymap, Settings, load_settings, parse_settings
from spacemap.errors import ConfigError
from spacemap.units import Units


def _category(settings: Settings, key: str) -> Category:
    return next(category for category in settings.categories if category.key == key)


def test_empty_document_is_default() -> None:
    """An empty file changes nothing."""
    actual = parse_settings("", "file")

    assert (default_categories(), {}, Display()) == (
        actual.categories,
        dict(actual.extension_colors),
        actual.display,
    )


def test_browser() -> None:
    """Whose keys the browser has, which of its own, and whether it keeps scans."""
    actual = parse_settings('[browser]\ncached = false\nkeymap = "dua"\n[browser.keys]\ninfo = "x,f5"', "file").browser

    assert (False, Keymap.DUA, {"info": "x,f5"}) == (actual.cached, actual.keymap, dict(actual.keys))
    assert Browsing() == parse_settings("", "file").browser


def test_new_category() -> None:
    """A new category comes before the special ones and takes its extensions from those that had them."""
    actual = parse_settings(
        '[categories.game-saves]\nextensions = [".SAV", "jpg"]\nnames = ["Slot1"]\ncolor = "red"', "file"
    )

    assert Category("game-saves", "Game saves", "red", ("sav", "jpg"), ("slot1",)) == _category(actual, "game-saves")
    assert "jpg" not in _category(actual, "images").extensions
    assert SPECIAL_CATEGORIES == actual.categories[-len(SPECIAL_CATEGORIES) :]


def test_known_category_is_extended() -> None:
    """A category that is known keeps what it has and gets more."""
    before = _category(parse_settings("", "file"), "images")
    actual = _category(
        parse_settings('[categories.images]\nlabel = "Pictures"\nextensions = ["zzz"]', "file"), "images"
    )

    assert ("Pictures", before.color, (*before.extensions, "zzz")) == (actual.label, actual.color, actual.extensions)


def test_remaps() -> None:
    """A remapped extension belongs to the named category only, also to one of the same file."""
    actual = parse_settings('[categories.mine]\n[remaps]\nts = "videos"\n".Xyz" = "mine"\npy = "other"', "file")

    assert "ts" in _category(actual, "videos").extensions
    assert "ts" not in _category(actual, "code").extensions
    assert ("xyz",) == _category(actual, "mine").extensions
    assert ("py",) == _category(actual, "other").extensions


def test_colors_and_display() -> None:
    """Colours and display settings are taken as written."""
    actual = parse_settings(
        '[category_colors]\nimages = "#102030"\ndirectories = "bright_blue"\n[extension_colors]\nPNG = "red"\n'
        '[display]\nunits = "si"\napparent_size = true\ntop = 3\ncolor = false',
        "file",
    )

    assert "#102030" == _category(actual, "images").color
    assert "bright_blue" == _category(actual, "directories").color
    assert {"png": "red"} == dict(actual.extension_colors)
    assert Display(Units.SI, apparent_size=True, top=3, color=False) == actual.display


def test_cache() -> None:
    """Sizes and ages are written as on the command line, sizes also as numbers; `~` is the user's home."""
    actual = parse_settings('[cache]\ndirectory = "~/kept"\nsize = "500M"\nlarge = 4096\nrecent = "30d"', "file").cache

    assert Cache(str(Path("~/kept").expanduser()), 500 << 20, 4096, 30 * 86_400) == actual
    assert Cache(None, 2 << 30, 1 << 20, 7 * 86_400) == parse_settings("", "file").cache


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[categorys]", 'f: unknown key "categorys" (did you mean "categories"?)'),
        (
            "zzzzzz = 1",
            'f: unknown key "zzzzzz" (known: categories, remaps, category_colors, extension_colors, display, cache, '
            "browser)",
        ),
        ("[display]\nunit = 1", 'f: unknown key "display.unit" (did you mean "units"?)'),
        ("[categories.x]\nextension = []", 'f: unknown key "categories.x.extension" (did you mean "extensions"?)'),
        ('[category_colors]\nimage = "red"', 'f: unknown key "category_colors.image" (did you mean "images"?)'),
        ("[display]\ntop = true", "f: display.top: expected a whole number from 0 to 100,000, not true or false"),
        ("[display]\ntop = -1", "f: display.top: expected a whole number from 0 to 100,000, not -1"),
        ("[display]\ncolor = 1", "f: display.color: expected true or false, not 1"),
        ('[display]\nunits = "ice"', 'f: display.units: "ice" is none of iec, si, bytes (did you mean "iec"?)'),
        ("[cache]\nsizes = 1", 'f: unknown key "cache.sizes" (did you mean "size"?)'),
        ('[browser]\nkeymap = "gd"', 'f: browser.keymap: "gd" is none of ncdu, gdu, dua (did you mean "gdu"?)'),
        ("[browser]\ncached = 1", "f: browser.cached: expected true or false, not 1"),
        ("[browser]\nkeys = 1", "f: browser.keys: expected a table, not 1"),
        ("[browser.keys]\ninfo = ['x']", "f: browser.keys.info: expected text, not a list"),
        ("[cache]\nsize = -1", "f: cache.size: expected text, not -1"),
        ("[cache]\nrecent = 7", "f: cache.recent: expected text, not 7"),
        ('[cache]\ndirectory = "kept"', "f: cache.directory: expected an absolute path, or one that begins with ~/"),
        (
            '[cache]\nlarge = "much"',
            "f: cache.large: 'much' is not a size: write a number of bytes, or one with K, KiB or kB (M, G, T ...)",
        ),
        ("categories = []", "f: categories: expected a table, not a list"),
        ("[categories]\nx = 1.5", "f: categories.x: expected a table, not a fraction"),
        ("[categories.x]\nextensions = 'a'", "f: categories.x.extensions: expected a list of texts, not text"),
        ("[categories.x]\nnames = [1]", "f: categories.x.names: expected text, not 1"),
        ("[categories.x]\nlabel = 2020-01-01", "f: categories.x.label: expected text, not a date or time"),
        (
            '[categories.x]\nextensions = ["tar.gz"]',
            'f: categories.x.extensions: "tar.gz": an extension is what follows the last dot, at most 22 bytes',
        ),
        (
            '[categories.x]\nnames = ["a/b"]',
            'f: categories.x.names: "a/b": a whole name is 1 to 23 bytes without a slash',
        ),
        (
            '[categories."A\\u001b"]',
            "f: categories.A\\x1b: a category's key is made of a to z, 0 to 9, - and _",
        ),
        (
            "[categories.folded]",
            "f: categories.folded: is not told by names; only its colour can be set, in category_colors",
        ),
        ('[remaps]\nts = "video"', 'f: remaps.ts: no category "video" (did you mean "videos"?)'),
        (
            '[category_colors]\nimages = "bleu"',
            "f: category_colors.images: expected #rrggbb or the name of a terminal colour such as red or bright_blue, "
            'not "bleu" (did you mean "blue"?)',
        ),
    ],
    ids=lambda value: value if value.startswith(("[", "z", "c")) else "",
)
def test_errors_name_the_key(text: str, message: str) -> None:
    """Whatever cannot be used is an error that names the file, the key and what is expected."""
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, "f")

    assert message == str(caught.value)


def test_invalid_toml() -> None:
    """A file that is not TOML is an error that says where."""
    with pytest.raises(ConfigError, match=r"f: not valid TOML: .*line 1"):
        parse_settings("a = = 1", "f")


def test_named_file_must_exist(tmp_path: Path) -> None:
    """A configuration that was asked for and is not there is an error, its name shown inert."""
    with pytest.raises(ConfigError) as caught:
        load_settings(str(tmp_path / "no\x1bfile"))

    assert f"{tmp_path}/no\\x1bfile: cannot be read: No such file or directory" == str(caught.value)


def test_file_is_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are an error, not a guess."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"# \xff")

    with pytest.raises(ConfigError) as caught:
        load_settings(file)

    assert f"{file}: not UTF-8 at byte 2; TOML has to be" == str(caught.value)


def test_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in the user's configuration directory counts where none is named, once it is there."""
    file = tmp_path / "config.toml"
    monkeypatch.setattr(locations, "config_file", lambda: file)
    before = load_settings(None).display
    file.write_text("[display]\ntop = 5")
    after = load_settings(None).display

    assert (Display(), Display(top=5)) == (before, after)


def test_locations() -> None:
    """Own files live in directories named after the program."""
    actual = [locations.config_file().parts[-2:], locations.cache_directory().name, locations.data_directory().name]

    assert [("spacemap", "config.toml"), "spacemap", "spacemap"] == actual
