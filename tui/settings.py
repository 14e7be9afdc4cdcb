"""What the command line decides for the console."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.api import state_directory, user_directory
from tui.abilities import Glyphs, glyphs, sixteen_colors

if TYPE_CHECKING:
    from engine.api import Settings

SLOW_LINE_FRAMES_PER_S = 4.0
SLOW_LINE_BYTES_PER_S = 8_000


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
    glyphs: Glyphs = Glyphs.FULL
    sparklines: bool = True
    welcome: bool = False  # explain the screen where nobody has read that yet
    read_only: bool = False  # watch, and take no control at the start
    title: str = ""  # shown while connecting, for example "paper market, seed 7"

    @property
    def ascii_only(self) -> bool:
        """Whether charts are drawn in ASCII: the terminal has no braille and no blocks in eighths."""
        return self.glyphs is not Glyphs.FULL


def console_settings(settings: "Settings", environment: Mapping[str, str]) -> ConsoleSettings:
    """Return how the console looks on this terminal: as was asked for, else as the environment tells."""
    console, own = settings.console, user_directory()
    slow = console.low_bandwidth
    frames, budget = console.frame_rate, round(console.bandwidth_max_kb_s * 1000)
    return ConsoleSettings(
        theme=console.theme,
        theme_dirs=(own / "themes",),
        keymap_file=own / "keymap.yaml",
        layouts_file=own / "layouts.yaml",
        memory_file=state_directory(settings).parent / ".console.json",
        frames_per_s=min(frames, SLOW_LINE_FRAMES_PER_S) if slow else frames,
        budget_bytes_per_s=min(budget, SLOW_LINE_BYTES_PER_S) if slow else budget,
        sixteen_colors=slow or sixteen_colors(environment),
        glyphs=glyphs(environment, ascii_only=console.ascii_only),
        sparklines=not slow,
        welcome=console.welcome,
        title=f"{settings.mode} · instance {settings.instance}",
    )
