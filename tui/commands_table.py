"""What each rung allows and what each command does, for the help screen."""

HEADINGS = ("rung", "entries", "exits", "entry orders", "protective", "positions", "restart")

RUNGS: tuple[tuple[str, ...], ...] = (
    ("FULL", "if gates pass", "yes", "rest", "kept up", "kept", "as held"),
    ("REDUCE", "no", "yes", "cancelled", "kept up", "kept", "as held"),
    ("HOLD", "no", "no", "cancelled", "kept up", "kept", "as held"),
    ("FLATTEN", "no", "closing", "cancelled", "go last", "closed", "goes on"),
)

COMMANDS: tuple[tuple[str, str], ...] = (
    ("arm", "frees DISARMED or HALTED; the name is typed, after HALTED also a reason"),
    ("disarm", "holds REDUCE: exits and protective orders go on"),
    ("pause", "holds REDUCE until resumed; survives a restart"),
    ("risk mode", "REDUCE and OBSERVE hold the rungs REDUCE and HOLD; more freedom needs a reason"),
    ("flatten", "cancel entries, close reduce-only, verify, cancel protective orders, verify, then HALTED"),
    ("shut down", "cancel entries (default), keep what is open, or flatten first"),
    ("detach", "the console leaves; the engine trades on"),
)
