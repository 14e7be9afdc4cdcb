"""What an operator can do, from the tables of engine and console: effects, answers, keys, commands."""

from collections.abc import Iterator

import click
from marks import table

from engine.core.commands_table import COMMANDS_TABLE
from engine.core.effects import COLUMNS, RowKind
from engine.core.operator import OperatorState, Refused, decide
from engine.core.snapshot import Phase
from engine.domain.events import Action, Control, OnStop
from engine.domain.modes import RiskMode
from tui import actions
from tui.cli import cli

NAME = "play"


def effects() -> str:
    """Return the table of rungs, holders and commands and what each means."""
    blocks = []
    for kind, title in (
        (RowKind.RUNG, "Rungs"),
        (RowKind.HOLDER, "Holders: who may hold a rung, and why"),
        (RowKind.COMMAND, "Commands"),
    ):
        rows = [row for row in COMMANDS_TABLE if row.kind is kind]
        columns = COLUMNS if kind is RowKind.COMMAND else COLUMNS[:-1]
        head = (kind.value, "about", *([] if kind is RowKind.RUNG else ["rung"]), *columns)
        lines = [
            (
                f"**{row.name}**" + (" (its symbol)" if row.symbol_only else ""),
                row.about,
                *([] if kind is RowKind.RUNG else [row.rung.name]),
                *row.cells[: len(columns)],
            )
            for row in rows
        ]
        blocks += [f"### {title}", table(head, lines)]
    return "\n\n".join(blocks)


ASKED: tuple[tuple[Action, str], ...] = (
    (Action.ARM, NAME),
    (Action.DISARM, ""),
    (Action.PAUSE, ""),
    (Action.RESUME, ""),
    (Action.FLATTEN, ""),
    (Action.RISK_MODE, RiskMode.OBSERVE.value),
    (Action.RISK_MODE, RiskMode.NORMAL.value),
    (Action.STOP, OnStop.CANCEL_ENTRIES.value),
)

STANDINGS: dict[str, OperatorState] = {
    "disarmed": OperatorState(),
    "armed": OperatorState(phase=Phase.ARMED),
    "armed, paused": OperatorState(phase=Phase.ARMED, paused=True),
    "armed, risk mode observe": OperatorState(phase=Phase.ARMED, risk_mode=RiskMode.OBSERVE),
    "flattening": OperatorState(phase=Phase.FLATTENING),
    "halted": OperatorState(phase=Phase.HALTED),
    "stopping": OperatorState(phase=Phase.ARMED, stopping=OnStop.CANCEL_ENTRIES),
}


def answers() -> str:
    """Return what the engine's own decision is for every standing and command."""
    head = ("standing", *(f"`{_spoken(action, given)}`" for action, given in ASKED))
    return table(
        head, [(name, *(_outcome(state, *asked) for asked in ASKED)) for name, state in STANDINGS.items()]
    )


def _outcome(state: OperatorState, action: Action, given: str) -> str:
    asked = Control(0, 1, action, "operator", reason="checked", argument=given)
    after = decide(state, asked, confirm_name=NAME, dwell_s=0.0)
    if isinstance(after, Refused):
        return f"`{after.reason.value}`"
    before, now = _facts(state), _facts(after)
    return ", ".join(fact for fact, old in zip(now, before, strict=True) if fact != old) or "unchanged"


def _facts(state: OperatorState) -> tuple[str, ...]:
    paused = "paused" if state.paused else "not paused"
    return (
        state.phase.value,
        paused,
        f"risk mode {state.risk_mode.value}",
        "stopping" if state.stopping else "running",
    )


def _spoken(action: Action, given: str) -> str:
    return f"{action.value} {given}" if action is Action.RISK_MODE else action.value


def keys() -> str:
    """Return the console's keys; panes stand in one row."""
    rows: list[tuple[str, ...]] = []
    for spec in actions.ACTIONS:
        if spec.id.startswith("pane-") and spec.id != "pane-1":
            continue
        names = ", ".join(f"`{actions.key_name(key)}`" for key in spec.keys)
        if spec.id == "pane-1":
            rows.append((actions.PANE_KEYS, "Go to a pane", "its number is in its title", ""))
            continue
        rows.append((names, spec.title, spec.description, spec.confirm.value))
    return table(("key", "does", "", "asked for"), rows)


def command_line() -> str:
    """Return every command of the command line with its options."""
    blocks = []
    for words, command in _commands(cli, ("trader-tui",)):
        written = " ".join((*words, *(p.make_metavar(_context(command)) for p in _arguments(command))))
        about = " ".join((command.help or "").split())
        rows = [_option_row(command, option) for option in command.params if isinstance(option, click.Option)]
        blocks += [f"### `{written}`", about, table(("option", ""), rows)]
    return "\n\n".join(blocks)


def _commands(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, by the words that call it."""
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


def _arguments(command: click.Command) -> list[click.Argument]:
    return [p for p in command.params if isinstance(p, click.Argument)]


def _option_row(command: click.Command, option: click.Option) -> tuple[str, str]:
    written, about = option.get_help_record(_context(command)) or (option.opts[0], "")
    return f"`{written}`", about


def _context(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name)
