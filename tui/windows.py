"""Opens what lies over the desk and changes nothing: help, the palette, and why a bar led where it led.

What is opened is imported by then: the first frame does not wait for it.
"""

from typing import TYPE_CHECKING

from tui.operator import NO_ENGINE

if TYPE_CHECKING:
    from tui.app import ConsoleApp


def open_help(app: "ConsoleApp") -> None:
    """Open the table of keys and commands."""
    from tui.screens.help import HelpDialog  # noqa: PLC0415

    app.push_screen(HelpDialog(app.keys_of, app.size.width))


def open_palette(app: "ConsoleApp") -> None:
    """Open the command palette, once."""
    from textual.command import CommandPalette  # noqa: PLC0415

    if not isinstance(app.screen, CommandPalette):
        app.push_screen(CommandPalette(placeholder="Action or theme", id="--command-palette"))


def open_layouts(app: "ConsoleApp") -> None:
    """Open the list of layouts."""
    from tui.screens.layouts import LayoutsDialog  # noqa: PLC0415

    arranger, size = app.arranging.arranger, app.arranging.size_class
    dialog = LayoutsDialog(arranger.layouts, size, arranger.name_at(size), changed=arranger.changed_at(size))
    app.push_screen(dialog, app.arranging.chosen)


def open_save_layout(app: "ConsoleApp") -> None:
    """Ask for the name under which to keep the panes as they stand."""
    from tui.screens.layouts import SaveLayoutDialog  # noqa: PLC0415

    arranging = app.arranging
    name = arranging.arranger.name_at(arranging.size_class)
    dialog = SaveLayoutDialog(arranging.size_class, name, tuple(arranging.arranger.layouts))
    app.push_screen(dialog, arranging.save)


def open_why(app: "ConsoleApp") -> None:
    """Open the last bars of the plays, with all that led to an order or to none."""
    from tui.screens.why import WhyDialog  # noqa: PLC0415

    link, latest = app.link, app.latest
    if link is None or latest is None or app.gone:
        app.tell(NO_ENGINE, severity="warning")
    else:
        app.push_screen(WhyDialog(link, latest.status.plays, app.size.width))
