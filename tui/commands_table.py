"""What each rung allows and each command does: shown by the help screen, the same as docs/commands.md."""

HEADINGS = ("rung", "entries", "increases", "exits", "entry orders", "protective", "positions", "restart")

RUNGS: tuple[tuple[str, ...], ...] = (
    ("FULL", "if gates pass", "if gates pass", "yes", "rest", "kept", "kept", "as held"),
    ("REDUCE", "no", "no", "yes", "cancelled", "kept", "kept", "as held"),
    ("HOLD", "no", "no", "no", "cancelled", "kept", "kept", "as held"),
    ("FLATTEN", "no", "no", "closing", "cancelled", "last", "closed", "goes on"),
)

COMMANDS: tuple[tuple[str, str], ...] = (
    ("arm", "frees DISARMED or HALTED; the name is typed, after HALTED also a reason"),
    ("disarm", "holds REDUCE: exits and protective orders go on"),
    ("pause", "holds REDUCE until resumed; survives a restart"),
    ("risk mode", "NORMAL frees, REDUCE holds REDUCE, OBSERVE holds HOLD; more freedom needs a reason"),
    ("flatten", "cancel entries, close reduce-only, verify, cancel protective orders, verify, HALTED"),
    ("shut down", "keep what is open, cancel entries (default), or flatten first"),
    ("detach", "the console leaves; the engine trades on"),
)
