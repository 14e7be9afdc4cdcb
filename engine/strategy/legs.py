"""One play on several symbols: one evaluation for each close of the first, with the others' bars of it."""

from engine.domain.market import Bar
from engine.domain.play import PlaySpec
from engine.domain.signals import Signal
from engine.strategy.evaluator import Evaluator, EvaluatorState
from engine.strategy.model import NO_MODELS, Models


class LegsEvaluator(Evaluator):
    """Evaluates a play whose rules look at several symbols; the first one is traded.

    A bar of another leg updates what is computed from it at once. A bar of the first leg waits until every
    other leg has a bar of that close or a later one. The grace it has ends with the next later bar of any
    leg: then the rules are evaluated with what came, and what is read of a leg without a bar of that close
    is missing. Which bars came when decides, and nothing else: no clock.
    """

    __slots__ = ("_by_symbol", "_open")

    def __init__(
        self, spec: PlaySpec, symbol: str, *others: str, step_ns: int = 0, models: Models = NO_MODELS
    ) -> None:
        super().__init__(spec, symbol, *others, step_ns=step_ns, models=models)
        self._by_symbol = dict(zip(others, self._legs, strict=True))
        self._open: Bar | None = None  # of the first leg, not evaluated yet

    def update(self, bar: Bar, side: int) -> Signal | None:
        """Take a closed bar of any leg; return the signal of the close that it completes, if any."""
        signal = None
        waiting = self._open
        if waiting is not None and waiting.ts < bar.ts:
            signal = self._evaluate(waiting, side)
        leg = self._by_symbol.get(bar.symbol)
        if leg is None:
            self._open = bar
        else:
            leg.run(bar)
        waiting = self._open
        if waiting is not None and all(leg.at >= waiting.ts for leg in self._legs):
            signal = self._evaluate(waiting, side)
        return signal

    def _evaluate(self, bar: Bar, side: int) -> Signal | None:
        self._open = None
        return super().update(bar, side)

    def _waiting(self) -> Bar | None:
        return self._open

    def _take_up(self, found: EvaluatorState) -> None:
        super()._take_up(found)
        self._open = found.waiting


def evaluator_of(spec: PlaySpec, *symbols: str, step_ns: int = 0, models: Models = NO_MODELS) -> Evaluator:
    """Return the evaluator of a play on its symbols, the traded one first. Raises ConfigError.

    `models` holds the one that the play asks, if it asks one; CheckpointError where it does not.
    """
    kind = LegsEvaluator if len(symbols) > 1 else Evaluator
    return kind(spec, *symbols, step_ns=step_ns, models=models)
