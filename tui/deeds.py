"""What each action of the control, layout and console groups does; the pane group is the navigator's."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tui import windows
from tui.deciding import Deciding
from tui.interrupting import Interrupting
from tui.pointing import Pointing

if TYPE_CHECKING:
    from tui.app import ConsoleApp


def deeds(app: "ConsoleApp") -> Mapping[str, Callable[[], object]]:
    """Return what to call for each action, by its id."""
    operator, arranging = app.operator, app.arranging
    return {
        "arm": operator.arm,
        "disarm": operator.disarm,
        "pause": operator.pause,
        "risk-mode": operator.risk_mode,
        "acknowledge": operator.acknowledge,
        "close": Pointing(app).act,
        "decide": Deciding(app).act,
        "take-control": app.steering.take,
        "shutdown": operator.shutdown,
        "flatten": lambda: app.panic_key(app.keymap["flatten"][0]),
        "interrupt": Interrupting(app).press,
        "suspend": operator.refuse_to_suspend,
        "help": lambda: windows.open_help(app),
        "palette": lambda: windows.open_palette(app),
        "redraw": app.refresh,
        "theme": app.look.next,
        "layout": lambda: windows.open_layouts(app),
        "save-layout": lambda: windows.open_save_layout(app),
        "hide-pane": arranging.hide,
        "show-panes": arranging.show_all,
        "move-pane-back": lambda: arranging.move(-1),
        "move-pane-on": lambda: arranging.move(1),
        "shrink-pane": lambda: arranging.resize(-1),
        "grow-pane": lambda: arranging.resize(1),
        "first-steps": app.welcoming.show,
        "why": lambda: windows.open_why(app),
    }
