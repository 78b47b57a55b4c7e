"""Where spacemap's own files live, by the conventions of the platform."""

# mypy knows the name; importing typing for it would be the whole cost of this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def config_file() -> "Path":
    """Return where the configuration is looked for when none is named."""
    from platformdirs import user_config_path  # noqa: PLC0415  10 ms that --version does not need

    return user_config_path("spacemap", appauthor=False) / "config.toml"


def cache_directory() -> "Path":
    """Return where files live that can be made again."""
    from platformdirs import user_cache_path  # noqa: PLC0415  10 ms that --version does not need

    return user_cache_path("spacemap", appauthor=False)


def data_directory() -> "Path":
    """Return where files live that cannot be made again, such as a history."""
    from platformdirs import user_data_path  # noqa: PLC0415  10 ms that --version does not need

    return user_data_path("spacemap", appauthor=False)


def trash_directory() -> "Path":
    """Return the user's trash, where the platform keeps it by the freedesktop specification."""
    from platformdirs import user_data_path  # noqa: PLC0415  10 ms that --version does not need

    return user_data_path() / "Trash"
