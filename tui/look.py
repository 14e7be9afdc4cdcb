"""The look of the console: which theme is in force, which one is only tried on, which glyphs may be drawn."""

from typing import TYPE_CHECKING

from textual.filter import LineFilter

from engine.api import ConfigError
from tui.abilities import Glyphs
from tui.glyphs import GlyphFilter
from tui.settings import ConsoleSettings
from tui.theme import Palette, ThemeColors, ThemeLibrary
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from tui.app import ConsoleApp

REFUSED_S = 12.0


class Look:
    """Switches themes: at once and everywhere, dialogs included."""

    def __init__(self, app: "ConsoleApp", settings: ConsoleSettings) -> None:
        """Load the theme of the settings. Raises ConfigError for one that cannot be used."""
        self._app = app
        self._sixteen = settings.sixteen_colors
        self.filters: tuple[LineFilter, ...] = (
            (GlyphFilter(settings.glyphs),) if settings.glyphs is not Glyphs.FULL else ()
        )
        self.library = ThemeLibrary(settings.theme_dirs)
        self.palette = self._palette_of(self.library.load(settings.theme))
        self._kept: ThemeColors | None = None  # what Esc goes back to while another theme is tried on

    @property
    def name(self) -> str:
        """The theme that is shown."""
        return self.palette.colors.name

    @property
    def chosen(self) -> str:
        """The theme in force, whatever is tried on."""
        return self._kept.name if self._kept is not None else self.name

    def register(self) -> None:
        """Give Textual's own widgets the colours."""
        theme = self.palette.textual_theme()
        self._app.register_theme(theme)
        self._app.theme = theme.name

    def use(self, name: str) -> None:
        """Switch to a theme at once; a broken one is refused with its message."""
        self._kept = None
        try:
            colors = self.library.load(name)
        except ConfigError as error:
            self._app.tell(str(error), title="Theme", severity="error", timeout=REFUSED_S)
            return
        self._show(colors)

    def renew(self, colors: ThemeColors) -> None:
        """Take the theme that is shown anew; what Esc goes back to from a preview stays."""
        if colors.name == self.name:
            self._show(colors)

    def next(self) -> None:
        """Switch to the theme after this one."""
        names = self.library.names()
        index = names.index(self.name) if self.name in names else -1
        self.use(names[(index + 1) % len(names)])

    # trying on

    def preview(self, name: str) -> None:
        """Show a theme until it is kept or given up; a broken one is not shown."""
        try:
            colors = self.library.load(name)
        except ConfigError:
            self.give_up()
            return
        self._kept = self._kept or self.palette.colors
        self._show(colors)

    def give_up(self) -> None:
        """Go back to the theme from before the preview."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self._show(kept)

    def _show(self, colors: ThemeColors) -> None:
        if colors == self.palette.colors:
            return
        self.palette = self._palette_of(colors)
        self.register()
        for screen in self._app.screen_stack:
            for grid in screen.query(Grid):
                grid.restyle(self.palette)

    def _palette_of(self, colors: ThemeColors) -> Palette:
        return Palette(colors, no_color=self._app.no_color, sixteen=self._sixteen)
