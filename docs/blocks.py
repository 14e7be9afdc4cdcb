"""The parts of docs/ that come from the engine's and the console's own tables, as Markdown."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from marks import diagram, first_line, state_diagram, state_table, table
from operating import answers, command_line, effects, keys

from engine.core.commands_table import COMMANDS_TABLE
from engine.core.effects import RowKind
from engine.core.operator import PHASE_TABLE
from engine.core.snapshot import Phase
from engine.domain import errors
from engine.domain.intents import INTENT_TABLE, IntentState, IntentTrigger
from engine.domain.layers import Layer
from engine.domain.modes import HOLDERS, RUNG_MEANING, Rung
from engine.domain.orders import ORDER_TABLE, OrderState, OrderTrigger
from engine.domain.priorities import Priority
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS
from engine.execution.flatten import FLATTEN_TABLE, RETRY_NS, Advance, Step
from engine.risk.breaker import BREAKER_TABLE, BreakerState, Cue
from engine.risk.causes import CAUSES, CauseRule
from engine.risk.gates import GATES
from engine.runtime import control, dispatch, drivers, inbox, panicline, process, reloadentry, upkeep, wire
from engine.storage import checkpoints, record_writer
from engine.strategy.functions import Function
from engine.strategy.vocabulary import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent


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


def breaker() -> str:
    """Return the table of a channel's circuit breaker."""
    return state_table(BREAKER_TABLE, BreakerState, Cue)


def breaker_diagram() -> str:
    """Return the breaker's table as a diagram, without what leaves it as it is."""
    edges = [
        (state, after, cue)
        for state, row in BREAKER_TABLE.items()
        for cue, after in row.items()
        if after is not state
    ]
    return diagram(BREAKER_TABLE, edges, BreakerState.CLOSED)


def operator_diagram() -> str:
    """Return where commands lead from each phase, and the two ways out that no command takes."""
    edges: list[tuple[Phase, Phase, StrEnum]] = [
        (phase, after, action)
        for phase, row in PHASE_TABLE.items()
        for action, after in row.items()
        if isinstance(after, Phase)
    ]
    return diagram(PHASE_TABLE, [*edges, (Phase.FLATTENING, Phase.HALTED, _End.ENDED)], Phase.DISARMED)


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
        [(str(number), gate.name, gate.about) for number, gate in enumerate(GATES, 1)],
    )


def causes() -> str:
    """Return what latches a risk mode."""
    rows = [(f"`{cause}`", rule.about, _limit_of(rule), rule.mode.upper()) for cause, rule in CAUSES.items()]
    return table(("cause", "measures", "limit", "latches"), rows)


def _limit_of(rule: CauseRule) -> str:
    if not rule.setting:
        return "-"
    return f"`{rule.setting}`" if "." in rule.setting else f"`limits.{rule.setting}`"


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
            (f"`{e.__name__}`", f"`{e.__mro__[1].__name__}`", str(e.exit_code), first_line(e))
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
        ("unreadable play file is tried again within", f"{reloadentry.BACKOFF_MAX_S:g} s"),
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
        ("function", "of", "unit", "is"),
        [
            (f"`{function.signature}`", function.series or "bars", function.unit, _meaning(function))
            for function in FUNCTIONS.values()
        ],
    )


def _meaning(function: Function) -> str:
    outputs = f"; {', '.join(f'`.{name}`' for name in function.outputs)}" if function.outputs else ""
    return f"{function.meaning} ({function.source}){outputs}"


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
        causes,
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
