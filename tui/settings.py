"""What the command line decides for the console."""

from pathlib import Path

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the console looks and how much it may send to the terminal."""

    theme: str = "dark"
    theme_dirs: tuple[Path, ...] = ()  # user themes; searched before the packaged ones
    keymap_file: Path | None = None  # the user's keys; a missing file means the defaults
    layouts_file: Path | None = None  # the user's layouts
    memory_file: Path | None = None  # what the console remembers; None remembers nothing
    frames_per_s: float = 10.0
    budget_bytes_per_s: int = 80_000
    sixteen_colors: bool = False  # the terminal's own, each role given one, instead of the theme's
    title: str = ""  # shown while connecting, for example "paper market, seed 7"
