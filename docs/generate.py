"""Write the pages of docs/ that come from the engine's own tables.

python docs/generate.py          writes docs/reasons.md, docs/commands.md and docs/architecture/tables.md
python docs/generate.py --check  writes nothing and ends with 1 when one of them is not what the code says
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from engine.core.operator import OperatorState, Refused, decide
from engine.core.snapshot import Phase
from engine.domain.events import Action, Control, OnStop
from engine.domain.intents import INTENT_TABLE, IntentState, IntentTrigger
from engine.domain.modes import HOLDERS, RUNG_MEANING, RiskMode, Rung
from engine.domain.orders import OPEN_STATES, ORDER_TABLE, OrderState, OrderTrigger
from engine.domain.reasons import REASONS, Layer

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/generate.py from the code; edit the code, then run it again. -->"
NAME = "play"

REASONS_INTRODUCTION = """\
Whatever was not done carries one of these codes, with the layer that decided, the cycle it belongs to and
the values that mattered. A code is never renamed and never used again for something else."""

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def page(*blocks: str) -> str:
    """Join blocks into a page."""
    return "\n\n".join([NOTE, *blocks]) + "\n"


def reasons_page() -> str:
    """Return docs/reasons.md: every code by the layer that gives it."""
    blocks = [
        "# Reason codes",
        REASONS_INTRODUCTION,
    ]
    for layer in Layer:
        rows = [
            (f"`{reason.value}`", facts.meaning, facts.remedy)
            for reason, facts in REASONS.items()
            if facts.layer is layer
        ]
        blocks += [f"## {layer.value.capitalize()}", table(("code", "meaning", "what you can do"), rows)]
    return page(*blocks)


def tables_page() -> str:
    """Return docs/architecture/tables.md: the state tables, their diagrams and the ladder."""
    return page(
        "# State tables",
        "## Orders",
        "A trigger that a row does not list leaves the state as it is: venues repeat and reorder updates.\n"
        f"Still able to trade: {', '.join(state for state in OrderState if state in OPEN_STATES)}.",
        state_table(ORDER_TABLE, OrderState, OrderTrigger),
        state_diagram(ORDER_TABLE, OrderState.PENDING),
        "## Intents",
        "What was to be done at the venue and how it ended. UNKNOWN is ended by the venue's evidence only.",
        state_table(INTENT_TABLE, IntentState, IntentTrigger),
        state_diagram(INTENT_TABLE, IntentState.PENDING),
        "## The ladder",
        "The lowest rung that anyone holds counts, for everything or for one symbol.",
        table(("rung", "allowed"), [(rung.name, RUNG_MEANING[rung]) for rung in sorted(Rung, reverse=True)]),
        table(
            ("holder", "rung", "lets go", "after a restart"),
            [
                (
                    f"`{holder.value}`",
                    rule.rung.name,
                    "when a person says so" if rule.latched else "by itself",
                    "still held" if rule.survives_restart else "looked at afresh",
                )
                for holder, rule in HOLDERS.items()
            ],
        ),
    )


def state_table(rows: Mapping[S, Mapping[T, S]], states: type[S], triggers: type[T]) -> str:
    """Return a transition table with a row for every state and a column for every trigger."""
    head = ("state", *(trigger.value for trigger in triggers))
    return table(
        head,
        [(f"**{state.value}**", *(rows[state].get(trigger, "") for trigger in triggers)) for state in states],
    )


def state_diagram(rows: Mapping[S, Mapping[T, S]], start: S) -> str:
    """Return the same as a Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start.value}"]
    for state, row in rows.items():
        lines += [f"    {state.value} --> {after.value}: {trigger.value}" for trigger, after in row.items()]
    lines += [f"    {state.value} --> [*]" for state, row in rows.items() if not row]
    return "\n".join([*lines, "```"])


def commands_page(rows: Iterable[Sequence[str]]) -> str:
    """Return docs/commands.md. A row: where the operator stands, then the outcome of each command there."""
    return page(
        "# What an operator's command does",
        "Each cell is what the engine answers: the state it moves to, or the code of its refusal\n"
        "(see [reasons.md](reasons.md)). Arming is shown with the right name typed and a reason given.",
        table(("standing", *(f"`{_spoken(action, given)}`" for action, given in COMMANDS)), rows),
        "The rung that follows from the state, and who else may hold one, is in\n"
        "[architecture/tables.md](architecture/tables.md).",
    )


COMMANDS: tuple[tuple[Action, str], ...] = (
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


def command_rows() -> Iterator[tuple[str, ...]]:
    """Ask the engine's own decision for every standing and command."""
    for name, state in STANDINGS.items():
        yield name, *(_outcome(state, action, given) for action, given in COMMANDS)


def _outcome(state: OperatorState, action: Action, given: str) -> str:
    control = Control(0, 1, action, "operator", reason="checked", argument=given)
    after = decide(state, control, confirm_name=NAME, dwell_s=0.0)
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


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    return {
        DOCS / "reasons.md": reasons_page(),
        DOCS / "commands.md": commands_page(command_rows()),
        DOCS / "architecture" / "tables.md": tables_page(),
    }


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"{path} is not what the code says; run: python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(pages()[path], "utf-8")
            print(f"wrote {path}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
