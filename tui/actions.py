"""The one table of what the operator can do: bindings, footer, help and palette are made from it."""

from engine.api import Action, Phase, Snapshot
from tui.actionspec import ActionSpec, Group
from tui.controlactions import CONTROL

FLATTEN_WINDOW_S = 2.0
INTERRUPT_WINDOW_S = 2.0
PANE_KEYS = "1 to 9, 0"

_P, _L, _S = Group.PANES, Group.LAYOUT, Group.CONSOLE

ACTIONS: tuple[ActionSpec, ...] = (
    *CONTROL,
    ActionSpec(
        id="suspend",
        keys=("ctrl+z",),
        title="No suspend",
        description="A stopped console could not flatten: it says so once; detach instead",
        group=_S,
        palette=False,
    ),
    ActionSpec(id="zoom", keys=("z",), title="Maximise pane", description="And back", group=_P, footer=9),
    ActionSpec(
        id="next-pane",
        keys=("tab",),
        title="Next pane",
        description="Also through the tabs of a shared pane",
        group=_P,
    ),
    ActionSpec(id="previous-pane", keys=("shift+tab",), title="Previous pane", description="", group=_P),
    ActionSpec(
        id="left-pane",
        keys=("h", "left"),
        title="Pane to the left",
        description="In one column: the tab before",
        group=_P,
        palette=False,
    ),
    ActionSpec(
        id="right-pane",
        keys=("l", "right"),
        title="Pane to the right",
        description="In one column: the next tab",
        group=_P,
        palette=False,
    ),
    ActionSpec(id="down", keys=("j", "down"), title="Row down", description="", group=_P, palette=False),
    ActionSpec(id="up", keys=("k", "up"), title="Row up", description="", group=_P, palette=False),
    ActionSpec(
        id="page-down", keys=("pagedown",), title="Page down", description="", group=_P, palette=False
    ),
    ActionSpec(id="page-up", keys=("pageup",), title="Page up", description="", group=_P, palette=False),
    ActionSpec(
        id="half-down", keys=("ctrl+d",), title="Half a page down", description="", group=_P, palette=False
    ),
    ActionSpec(
        id="half-up", keys=("ctrl+u",), title="Half a page up", description="", group=_P, palette=False
    ),
    ActionSpec(id="top", keys=("g", "home"), title="First row", description="", group=_P, palette=False),
    ActionSpec(
        id="bottom",
        keys=("G", "end"),
        title="Last row",
        description="Events and signals follow their newest row again",
        group=_P,
        palette=False,
    ),
    ActionSpec(
        id="filter",
        keys=("/",),
        title="Filter",
        description="Only rows with these words; symbol:btc asks a field, !word leaves out",
        group=_P,
        footer=13,
    ),
    ActionSpec(
        id="next-match",
        keys=("n",),
        title="Next match",
        description="Of the filter, or of the one before Esc",
        group=_P,
        palette=False,
    ),
    ActionSpec(
        id="previous-match", keys=("N",), title="Match before", description="", group=_P, palette=False
    ),
    ActionSpec(
        id="jump",
        keys=("f",),
        title="Jump to a pane",
        description="Then its letter, which is the same everywhere",
        group=_P,
        footer=14,
    ),
    ActionSpec(
        id="next-symbol",
        keys=(".",),
        title="Next symbol",
        description="In Market, and so on the chart and in the book",
        group=_P,
    ),
    ActionSpec(
        id="previous-symbol",
        keys=(",",),
        title="Symbol before",
        description="In Market, and so on the chart and in the book",
        group=_P,
        palette=False,
    ),
    ActionSpec(
        id="next-play",
        keys=("]",),
        title="Next play on the chart",
        description="Its indicators, where several plays trade the symbol or look at it",
        group=_P,
    ),
    ActionSpec(
        id="previous-play",
        keys=("[",),
        title="Play before on the chart",
        description="",
        group=_P,
        palette=False,
    ),
    ActionSpec(
        id="escape",
        keys=("escape",),
        title="Back",
        description="Show all rows again, or leave a maximised pane",
        group=_P,
        palette=False,
    ),
    *(
        ActionSpec(
            id=f"pane-{number}",
            keys=(str(number % 10),),
            title=f"Pane {number}",
            description="",
            group=_P,
            palette=False,
        )
        for number in range(1, 11)
    ),
    ActionSpec(
        id="layout",
        keys=("L",),
        title="Layouts",
        description="Choose how the panes stand at this width",
        group=_L,
    ),
    ActionSpec(
        id="save-layout",
        keys=(),
        title="Save layout as",
        description="Keep the panes as they stand, under a name, in layouts.yaml",
        group=_L,
    ),
    ActionSpec(
        id="hide-pane",
        keys=("-",),
        title="Hide pane",
        description="Its number, or all hidden panes' key, brings it back",
        group=_L,
    ),
    ActionSpec(
        id="show-panes",
        keys=("=",),
        title="Show hidden panes",
        description="Every one, each at its place",
        group=_L,
    ),
    ActionSpec(
        id="move-pane-back",
        keys=("<",),
        title="Move pane back",
        description="To the place before, as a tab; from there to one of its own",
        group=_L,
    ),
    ActionSpec(
        id="move-pane-on",
        keys=(">",),
        title="Move pane on",
        description="To the next place, likewise",
        group=_L,
    ),
    ActionSpec(
        id="shrink-pane",
        keys=("{",),
        title="Lower pane",
        description="Less height to its place",
        group=_L,
    ),
    ActionSpec(
        id="grow-pane",
        keys=("}",),
        title="Higher pane",
        description="More height to its place",
        group=_L,
    ),
    ActionSpec(
        id="help",
        keys=("question_mark", "f1"),
        title="Help",
        description="Keys, and what each command and rung allows",
        group=_S,
        footer=6,
    ),
    ActionSpec(
        id="why",
        keys=("w",),
        title="Why (not)",
        description="A play's bars with every rule, stage and gate that led to an order or to none",
        group=_S,
        footer=12,
    ),
    ActionSpec(
        id="palette",
        keys=("ctrl+p",),
        title="Command palette",
        description="Every action and theme by name",
        group=_S,
        footer=7,
        palette=False,
    ),
    ActionSpec(
        id="first-steps",
        keys=(),
        title="First steps",
        description="The page of the first start: where you are, and the five keys",
        group=_S,
    ),
    ActionSpec(
        id="redraw",
        keys=("ctrl+l",),
        title="Redraw",
        description="Paint the whole screen anew, after noise on the line or another program's text",
        group=_S,
        always=True,
    ),
    ActionSpec(id="theme", keys=("t",), title="Next theme", description="", group=_S, footer=11),
)

BY_ID: dict[str, ActionSpec] = {spec.id: spec for spec in ACTIONS}

# Keys that tmux, screen or the terminal itself want; the user's keymap may not use them either.
RESERVED_KEYS = frozenset({"ctrl+b", "ctrl+a", "ctrl+s", "ctrl+j", "ctrl+m", "ctrl+i"})

KEY_NAMES = {
    "question_mark": "?",
    "ctrl+backslash": "Ctrl-\\",
    "shift+tab": "Shift-Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
}


def key_name(key: str) -> str:
    """Write a key as people call it: `Ctrl-Q`, `F12`, `?`."""
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    if key.startswith("ctrl+"):
        return f"Ctrl-{key.removeprefix('ctrl+').upper()}"
    return key if len(key) == 1 else key.capitalize()


def footer_title(spec: ActionSpec, snapshot: Snapshot | None, *, read_only: bool = False) -> str:
    """Return what an action would do now, for the footer; empty where it has nothing to do, or may not."""
    if read_only and spec.needs_control:
        return ""
    if snapshot is None:
        return spec.title if spec.engine in (None, Action.STOP) else ""
    status = snapshot.status
    match spec.id:
        case "take-control":
            return spec.title if read_only else ""
        case "arm":
            return "Arm" if status.phase in (Phase.DISARMED, Phase.HALTED) else ""
        case "disarm":
            return "Disarm" if status.phase is Phase.ARMED else ""
        case "pause":
            return "Resume" if status.paused else "Pause"
        case "flatten":
            return "Flatten (x2)"
        case "shutdown":
            return "Leave"
        case "palette":
            return "Palette"
        case "zoom":
            return "Maximise"
        case "theme":
            return "Theme"
        case _:
            return spec.title
