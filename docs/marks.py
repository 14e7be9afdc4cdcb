"""Markdown tables and Mermaid state diagrams."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


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
    return diagram(rows, edges, start)


def diagram(states: Iterable[S], edges: Iterable[tuple[S, S, StrEnum]], start: S) -> str:
    """Return edges as a Mermaid state diagram; states that no edge leaves are ends."""
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


def first_line(thing: object) -> str:
    """Return the first line of a docstring."""
    return (thing.__doc__ or "").strip().split("\n")[0]
