"""What `trader-tui play check` says of a play."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from engine.api import check_play, play_schema

if TYPE_CHECKING:
    from engine.api import PlayCheck, PlayFacts, StreamFacts, Tree


def check(play: str, values: Iterable[str], *, as_json: bool) -> int:
    """Check a play and print what it is made of."""
    found = check_play(play, dict(map(_pair, values)))
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")
    return 0


def schema() -> int:
    """Print the JSON Schema of play files."""
    sys.stdout.write(play_schema() + "\n")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.UsageError(f"--set takes NAME=VALUE, as in --set fast=9, and not {text!r}.")
    return name.strip().removeprefix("$"), value.strip()


def _lines(found: "PlayCheck") -> Iterator[str]:
    facts = found.facts
    yield f"{facts.name} is a play without mistakes: {found.file}"
    yield f"  hash        {facts.hash}"
    yield f"  bars        {_own_bars(facts)}"
    yield f"  trades      {_traded(facts)}"
    yield f"  warm-up     {_warmup(found)}"
    yield f"  reads       {', '.join(facts.fields)}"
    yield f"  indicators  {', '.join(facts.indicators) or 'none'}"
    for part in facts.parts:
        yield f"  {part.name:<10}  {part.text}"
    for parameter in found.parameters:
        bounds = {"min": parameter.minimum, "max": parameter.maximum, "step": parameter.step}
        ends = [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]
        yield f"  parameter   {', '.join((f'{parameter.name} = {parameter.value}', *ends))}"
    yield from map(_stream, facts.streams)
    for rule in facts.rules:
        yield f"\n{rule.name.replace('_', ' ')}: {rule.text}"
        yield from _branches(rule.tree, "  ")


def _warmup(found: "PlayCheck") -> str:
    if len(set(found.warmup_by_step.values())) == 1:
        return f"{found.facts.warmup_bars:,} bars"
    return ", ".join(f"{bars:,} bars of {step}" for step, bars in found.warmup_by_step.items())


def _own_bars(facts: "PlayFacts") -> str:
    match facts.timeframe:
        case "base":
            return "of the data's own step"
        case "trade":
            return "each trade is one"
        case length:
            return f"of {length}"


def _traded(facts: "PlayFacts") -> str:
    if not facts.legs:
        return facts.symbols[0] if facts.symbols else "the instrument that the data is of"
    named = dict(zip(facts.legs, facts.symbols, strict=False))
    first, *others = (f"{leg} ({named[leg]})" if leg in named else leg for leg in facts.legs)
    return f"{first}, looking at {', '.join(others)}"


def _stream(stream: "StreamFacts") -> str:
    which = f"{stream.leg or 'its'} bars{f' of {stream.timeframe}' if stream.timeframe else ''}"
    back = "all since the first" if stream.lookback is None else f"{stream.lookback:,}"
    return f"  {which}: first signal after {stream.warmup:,}, looks back at {back}"


def _branches(tree: "Tree", lead: str) -> Iterator[str]:
    """Draw a tree."""
    yield lead + tree.label
    yield from _below(tree, lead)


def _below(tree: "Tree", lead: str) -> Iterator[str]:
    for number, part in enumerate(tree.parts, start=1):
        last = number == len(tree.parts)
        yield f"{lead}{'└─' if last else '├─'} {part.label}"
        yield from _below(part, lead + ("   " if last else "│  "))
