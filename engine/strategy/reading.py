"""What the rules of a play read on a bar: each condition with its numbers, and what it lacked."""

import math
from typing import assert_never

from engine.domain.play import PlaySpec
from engine.domain.readings import Miss, Reading, RuleReading
from engine.strategy.evaluator import Evaluator
from engine.strategy.expression import parse_rule
from engine.strategy.operators import COMPARISON, FALSE, TRUE
from engine.strategy.scope import Scope
from engine.strategy.syntax import (
    CoarseTest,
    Comparison,
    Condition,
    Known,
    Logic,
    Not,
    Numeric,
    Streak,
    WithinLast,
    canonical,
    previous,
)
from engine.strategy.vocabulary import CROSSES

RULES = ("long_entry", "short_entry", "long_exit", "short_exit")


def read_rules(evaluator: Evaluator) -> tuple[RuleReading, ...]:
    """Return how each rule of a play stands on the bar that its evaluator took last."""
    return tuple(RuleReading(name, _read(evaluator, rule)) for name, rule in rules_of(evaluator.spec).items())


def rules_of(spec: PlaySpec) -> dict[str, Condition]:
    """Return the rules that a play has, by name."""
    scope = Scope(legs=spec.legs, model=spec.model is not None)
    found = {name: getattr(spec, name) for name in RULES}
    return {name: parse_rule(rule.text, scope) for name, rule in found.items() if rule is not None}


def miss_of(rule: RuleReading) -> Miss | None:
    """Return what a rule lacked, None where it was true."""
    lacking = _lacking(rule.reading)
    return Miss(rule.name, lacking, _gap(lacking)) if lacking else None


def _read(evaluator: Evaluator, rule: Condition) -> Reading:
    match rule:
        case Logic():
            parts = tuple(_read(evaluator, part) for part in _joined(rule, rule.operator))
            return Reading(
                canonical(rule), _joined_truth(rule.operator, parts), joined_by=rule.operator, parts=parts
            )
        case Not():
            part = _read(evaluator, rule.operand)
            truth = None if part.truth is None else not part.truth
            return Reading(canonical(rule), truth, gap=part.gap, joined_by="not", parts=(part,))
        case Comparison():
            return _compared(evaluator, rule)
        case Known():
            return Reading(canonical(rule), _number(evaluator, rule.operand) is not None)
        case Streak() | WithinLast() | CoarseTest():
            kept = evaluator.number(canonical(rule))
            return Reading(canonical(rule), {TRUE: True, FALSE: False}.get(kept))
        case _:
            assert_never(rule)


def _joined(rule: Condition, operator: str) -> tuple[Condition, ...]:
    """Return all that one and, or or, joins."""
    if isinstance(rule, Logic) and rule.operator == operator:
        return (*_joined(rule.left, operator), *_joined(rule.right, operator))
    return (rule,)


def _joined_truth(operator: str, parts: tuple[Reading, ...]) -> bool | None:
    """Join three-valued: one false part decides an `and`, one true part an `or`."""
    decisive = operator == "or"
    truths = [part.truth for part in parts]
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _compared(evaluator: Evaluator, rule: Comparison) -> Reading:
    left, right = _number(evaluator, rule.left), _number(evaluator, rule.right)
    text = canonical(rule)
    if left is None or right is None:
        return Reading(text, None, left, right)
    distance = abs(left - right) / (max(abs(left), abs(right)) or 1.0)
    if rule.operator not in CROSSES:
        holds = COMPARISON[rule.operator]([left, right], 0, 1)()
        return Reading(text, holds, left, right, distance)
    before = [_number(evaluator, previous(side, 1)) for side in (rule.left, rule.right)]
    if before[0] is None or before[1] is None:
        return Reading(text, None, left, right)
    sign = 1.0 if rule.operator == "crosses_above" else -1.0
    is_beyond, was_beyond = sign * (left - right) > 0.0, sign * (before[0] - before[1]) > 0.0
    # One that is beyond already must come back first: no distance from here tells when it crosses.
    return Reading(text, is_beyond and not was_beyond, left, right, None if is_beyond else distance)


def _number(evaluator: Evaluator, node: Numeric) -> float | None:
    value = evaluator.number(canonical(node))
    return None if math.isnan(value) else value


def _lacking(reading: Reading) -> tuple[Reading, ...]:
    """Return the conditions that would have to turn: of an `or`, those of the part that is nearest."""
    if reading.truth is True:
        return ()
    if reading.joined_by == "and":
        return tuple(lack for part in reading.parts for lack in _lacking(part))
    if reading.joined_by == "or":
        return min((_lacking(part) for part in reading.parts), key=_rank)
    return (reading,)


def _rank(lacking: tuple[Reading, ...]) -> tuple[int, float]:
    gap = _gap(lacking)
    return len(lacking), math.inf if gap is None else gap


def _gap(lacking: tuple[Reading, ...]) -> float | None:
    gaps = [lack.gap for lack in lacking if lack.gap is not None]
    return max(gaps) if len(gaps) == len(lacking) else None
