"""The look-ahead detector: what was said of the past must not change with what comes after.

A run is anything that turns bars into answers, one for each bar: the evaluator of a play here, a compiled or
batch form of it elsewhere. It is given the whole tape, and then tapes that end earlier or go on differently;
wherever two tapes are the same up to a bar, so must be the answers.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.domain.market import Bar
from engine.domain.play import PlaySpec
from engine.strategy.legs import evaluator_of
from engine.strategy.model import NO_MODELS, Models

Answers = Sequence[object]  # one for each bar; equal ones mean the same
Run = Callable[[Sequence[Bar]], Answers]
MIRROR = 2.0  # times the last close: other bars are mirrored at it


class Leak(msgspec.Struct, frozen=True):
    """A bar on which a run says something else when it does not know what comes after `cut` bars."""

    bar: int
    cut: int
    told: object
    told_before: object


def find_leak(run: Run, bars: Sequence[Bar], cuts: Iterable[int]) -> Leak | None:
    """Return the first answer that depends on later bars, None where there is none.

    Each cut leaves that many bars: once without the others, once with others in their place.
    """
    whole = run(bars)
    for cut in cuts:
        for tape in (bars[:cut], [*bars[:cut], *_otherwise(bars, cut)]):
            short = run(tape)
            for number in range(min(cut, len(bars))):
                if short[number] != whole[number]:
                    return Leak(number, cut, whole[number], short[number])
    return None


def answers_of(spec: PlaySpec, *symbols: str, step_ns: int = 0, models: Models = NO_MODELS) -> Run:
    """Return the run of a play: on each bar its signals when flat, long and short, and its indicators."""

    def run(bars: Sequence[Bar]) -> Answers:
        evaluators = [
            (evaluator_of(spec, *symbols, step_ns=step_ns, models=models), side) for side in (0, 1, -1)
        ]
        return [
            (
                *(evaluator.update(bar, side) for evaluator, side in evaluators),
                _values(evaluators[0][0].values()),
            )
            for bar in bars
        ]

    return run


def _values(shown: Iterable[tuple[str, float]]) -> tuple[str, ...]:
    """Return the indicators' values to the last bit; a missing one equals a missing one."""
    return tuple(value.hex() for _, value in shown)


def _otherwise(bars: Sequence[Bar], cut: int) -> list[Bar]:
    """Return what might have come instead: the same times with prices mirrored and volumes changed."""
    centre = MIRROR * bars[cut - 1].close if cut else MIRROR
    return [
        msgspec.structs.replace(
            bar,
            open=centre - bar.open,
            high=centre - bar.low,
            low=centre - bar.high,
            close=centre - bar.close,
            volume=bar.volume + 1.0,
        )
        for bar in bars[cut:]
    ]
