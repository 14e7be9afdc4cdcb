"""Settings from the command line: which option is which setting."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.api import Settings

# Flags by option name, as the settings call them.
BASE_FLAGS = {
    "instance": "instance",
    "state_dir": "state_dir",
    "theme": "console.theme",
    "ascii_only": "console.ascii_only",
    "low_bandwidth": "console.low_bandwidth",
}
RUN_FLAGS = {
    **BASE_FLAGS,
    "mode": "mode",
    "plays": "plays",
    "shadows": "shadows",
    "data": "data",
    "bar_ts": "bar_ts",
    "venue": "venue",
    "symbols": "stream.symbols",
    "profile": "profile",
    "arm": "arm",
    "confirm": "confirm",
    "speed": "speed",
    "duration": "duration_s",
}


def load_to_reach(options: dict[str, Any]) -> "Settings":
    """Load the settings for a command to an engine that runs: whatever was written of limits is not asked.

    They are edited while it runs, and one that makes no sense must not keep a flatten from it.
    """
    from engine.api import load_settings

    flags = {setting: options[name] for name, setting in BASE_FLAGS.items() if options.get(name)}
    return load_settings(flags, without=("limits", "blackout"))


def load(options: dict[str, Any], names: dict[str, str] | None = None, **fixed: Any) -> "Settings":
    """Load the settings with the flags that were given."""
    from engine.api import load_settings

    flags = dict(fixed)
    for option, setting in (names or BASE_FLAGS).items():
        value = options.get(option)
        if value not in (None, (), False, ""):
            flags[setting] = value
    return load_settings(flags)
