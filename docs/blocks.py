"""The parts of docs/ that come from the engine's and the console's own tables, as Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import click

from engine.core.commands_table import COLUMNS, COMMANDS_TABLE, RowKind
from engine.core.operator import PHASE_TABLE, OperatorState, Refused, decide
from engine.core.snapshot import Phase
from engine.domain import errors
from engine.domain.events import Action, Control, OnStop, Priority
from engine.domain.intents import INTENT_TABLE, IntentState, IntentTrigger
from engine.domain.modes import HOLDERS, RUNG_MEANING, RiskMode, Rung
from engine.domain.orders import ORDER_TABLE, OrderState, OrderTrigger
from engine.domain.reasons import REASONS, Layer, Reason
from engine.execution.flatten import FLATTEN_TABLE, RETRY_NS, Advance, Step
from engine.risk.gates import GATES
from engine.runtime import control, dispatch, drivers, hotreload, inbox, panicline, process, upkeep, wire
from engine.storage import checkpoints, record_writer
from engine.strategy.vocabulary import FUNCTIONS
from tui import actions
from tui.cli import cli

ROOT = Path(__file__).resolve().parent.parent
NAME = "play"

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


# Markdown


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def state_table(rows: Mapping[S, Mapping[T, S]], states: type[S], triggers: type[T]) -> str:
    """Return a transition table with a row for every state and a column for every trigger."""
    head = ("state", *(trigger.value for trigger in triggers))
    return table(
        head,
        [(f"**{state.value}**", *(rows[state].get(trigger, "") for trigger in triggers)) for state in states],
    )


def state_diagram(rows: Mapping[S, Mapping[T, S]], start: S) -> str:
    """Return a transition table as a Mermaid state diagram."""
    edges = [(state, after, trigger) for state, row in rows.items() for trigger, after in row.items()]
    return _diagram(rows, edges, start)


def _diagram(states: Iterable[S], edges: Iterable[tuple[S, S, StrEnum]], start: S) -> str:
    edges = list(edges)
    named = [state for state in states if " " in state.value]
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {_word(state)}' for state in named]
    lines.append(f"    [*] --> {_word(start)}")
    lines += [f"    {_word(a)} --> {_word(b)}: {trigger.value}" for a, b, trigger in edges]
    ends = [state for state in states if all(state is not a for a, _, _ in edges)]
    lines += [f"    {_word(state)} --> [*]" for state in ends]
    return "\n".join([*lines, "```"])


def _word(state: StrEnum) -> str:
    return state.value.replace(" ", "_")


# states


def orders() -> str:
    """Return the order table."""
    return state_table(ORDER_TABLE, OrderState, OrderTrigger)


def orders_diagram() -> str:
    """Return the order table as a diagram."""
    return state_diagram(ORDER_TABLE, OrderState.PENDING)


def intents() -> str:
    """Return the intent table."""
    return state_table(INTENT_TABLE, IntentState, IntentTrigger)


def intents_diagram() -> str:
    """Return the intent table as a diagram."""
    return state_diagram(INTENT_TABLE, IntentState.PENDING)


def flatten() -> str:
    """Return the steps of a flatten."""
    return state_table(FLATTEN_TABLE, Step, Advance)


def flatten_diagram() -> str:
    """Return the steps of a flatten as a diagram."""
    return state_diagram(FLATTEN_TABLE, Step.IDLE)


def operator_diagram() -> str:
    """Return where commands lead from each phase, and the two ways out that no command takes."""
    edges: list[tuple[Phase, Phase, StrEnum]] = [
        (phase, after, action)
        for phase, row in PHASE_TABLE.items()
        for action, after in row.items()
        if isinstance(after, Phase)
    ]
    return _diagram(PHASE_TABLE, [*edges, (Phase.FLATTENING, Phase.HALTED, _End.ENDED)], Phase.DISARMED)


class _End(StrEnum):
    ENDED = "flat, or past the deadline"


# the ladder


def ladder() -> str:
    """Return the rungs and what each allows."""
    return table(("rung", "allowed"), [(r.name, RUNG_MEANING[r]) for r in sorted(Rung, reverse=True)])


def holders() -> str:
    """Return who may hold a rung."""
    about = {row.takes[0]: row.about for row in COMMANDS_TABLE if row.kind is RowKind.HOLDER}
    return table(
        ("holder", "rung", "held while", "lets go", "after a restart"),
        [
            (
                f"`{holder.value}`",
                rule.rung.name,
                about[holder],
                "when a person says so" if rule.latched else "by itself",
                "still held" if rule.survives_restart else "looked at afresh",
            )
            for holder, rule in HOLDERS.items()
        ],
    )


def gates() -> str:
    """Return the gates in the order in which they are asked."""
    return table(
        ("", "gate", "is about"),
        [
            (str(number), gate.__name__.removesuffix("_gate").replace("_", " "), _first_line(gate))
            for number, gate in enumerate(GATES, 1)
        ],
    )


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


# commands


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
            rows.append(
                (f"`1` to `{actions.FOCUS_COUNT - 1}`", "Go to a pane", "its number is in its title", "")
            )
            continue
        rows.append((names, spec.title, spec.description, spec.confirm.value))
    return table(("key", "does", "", "asked for"), rows)


def command_line() -> str:
    """Return every command of the command line with its options."""
    blocks = []
    for name in cli.list_commands(click.Context(cli)):
        command = cli.commands[name]
        words = ["trader-tui", name, *(p.make_metavar(_context(command)) for p in _arguments(command))]
        about = " ".join((command.help or "").split())
        rows = [_option_row(command, option) for option in command.params if isinstance(option, click.Option)]
        blocks += [f"### `{' '.join(words)}`", about, table(("option", ""), rows)]
    return "\n\n".join(blocks)


def _arguments(command: click.Command) -> list[click.Argument]:
    return [p for p in command.params if isinstance(p, click.Argument)]


def _option_row(command: click.Command, option: click.Option) -> tuple[str, str]:
    written, about = option.get_help_record(_context(command)) or (option.opts[0], "")
    return f"`{written}`", about


def _context(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name)


# reasons, errors, bounds


def reasons() -> str:
    """Return every reason code by the layer that gives it."""
    blocks = []
    for layer in Layer:
        rows = [
            (f"`{reason.value}`", facts.meaning, facts.remedy)
            for reason, facts in REASONS.items()
            if facts.layer is layer
        ]
        blocks += [f"## {layer.value.capitalize()}", table(("code", "meaning", "what you can do"), rows)]
    assert set(REASONS) == set(Reason), "every reason has a layer"
    return "\n\n".join(blocks)


def error_classes() -> str:
    """Return the error classes, the root first, with the exit code each leads to."""
    return table(
        ("error", "is a", "exit code", ""),
        [
            (f"`{e.__name__}`", f"`{e.__mro__[1].__name__}`", str(e.exit_code), _first_line(e))
            for e in _errors()
        ],
    )


def _errors() -> Iterator[type[errors.TraderError]]:
    for thing in vars(errors).values():
        if isinstance(thing, type) and issubclass(thing, errors.TraderError):
            yield thing


def priorities() -> str:
    """Return the inbox's classes in the order in which they are taken."""
    return ", ".join(priority.name for priority in sorted(Priority))


def bounds() -> str:
    """Return the bounds of queues, waits and retries, as the code has them."""
    rows = (
        ("market events in the inbox before ticks of one symbol join", f"{inbox.CONFLATE_ABOVE:,}"),
        ("events of one class in the inbox before its reader waits", f"{inbox.LOSSLESS_MAX:,}"),
        ("pump before other tasks get their turn", f"{drivers.SLICE_S * 1000:g} ms"),
        ("commands that wait for a failing disk", f"{dispatch.WAITING_MAX:,}"),
        ("evidence and record wait for the disk at most", f"{upkeep.FLUSH_S * 1000:g} ms"),
        (
            "entries in memory before the core writes the record itself",
            _bytes(record_writer.BACKLOG_BYTES_MAX),
        ),
        ("one segment of the record", _bytes(record_writer.SEGMENT_BYTES)),
        ("disk space the record leaves for orders", _bytes(record_writer.FREE_BYTES_MIN)),
        ("checkpoints kept", str(checkpoints.KEPT)),
        ("checkpoint is called stale after", f"{checkpoints.STALE_AFTER_S // 60} min"),
        ("loop stands still before the watchdog speaks", f"{process.STALL_S:g} s"),
        ("flatten tries again after a refusal", f"{RETRY_NS // 1_000_000} ms"),
        ("panic line waits for an answer", f"{panicline.PANIC_TIMEOUT_S:g} s"),
        ("console and command line wait for an answer", f"{wire.COMMAND_TIMEOUT_S:g} s"),
        (
            "connections to one engine, of which get snapshots",
            f"{control.CONNECTIONS_MAX}, {control.SUBSCRIBERS_MAX}",
        ),
        ("console that reads nothing is let go after", f"{control.SLOW_S:g} s"),
        ("play files are looked at every", f"{upkeep.RELOAD_S:g} s"),
        ("unreadable play file is tried again within", f"{hotreload.BACKOFF_MAX_S:g} s"),
    )
    return table(("bound", ""), rows)


def _bytes(count: int) -> str:
    for unit, size in (("MiB", 1024**2), ("MB", 1000**2)):
        if count % size == 0:
            return f"{count // size} {unit}"
    return f"{count:,} bytes"


def functions() -> str:
    """Return the functions of the rule language."""
    return table(
        ("function", "of", "is"),
        [
            (f"`{name}`", getattr(function, "default", "") or "bars", _first_line(function.make))
            for name, function in FUNCTIONS.items()
        ],
    )


def default_settings() -> str:
    """Return the packaged settings as they ship."""
    return f"```yaml\n{(ROOT / 'configs' / 'default.yaml').read_text('utf-8').strip()}\n```"


BLOCKS: dict[str, Callable[[], str]] = {
    block.__name__: block
    for block in (
        orders,
        orders_diagram,
        intents,
        intents_diagram,
        flatten,
        flatten_diagram,
        operator_diagram,
        ladder,
        holders,
        gates,
        effects,
        answers,
        keys,
        command_line,
        reasons,
        error_classes,
        priorities,
        bounds,
        functions,
        default_settings,
    )
}
