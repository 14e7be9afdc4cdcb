"""Whether a model still knows what it says: its forecasts against what happened, over the last resolved ones.

A forecast is resolved at the close that its horizon ends with. Two figures tell of the last ones:

    Brier excess    mean (forecast - truth)^2, less what always saying the base rate of the training scores
    gap             mean over bins of |mean forecast - realised rate|, weighted by the forecasts in each (ten
                    bins of equal width; the expected calibration error of Naeini et al. 2015)

Sums are kept in whole units of 1e-12, so that no number of bars makes them drift and a restart goes on with
the same bits.
"""

from collections import deque

import msgspec

from engine.domain.play import ModelRef

BINS = 10
UNIT = 10**12
WINDOW_MAX = 10_000


class CalibrationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a model is demoted; a limit of None does not apply."""

    window: int = 500  # resolved forecasts that count
    resolved_min: int = 200  # before them nothing is judged
    brier_excess_max: float | None = 0.05
    gap_max: float | None = 0.25


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A forecast that waits for its horizon: on which bar it was made, at which close, and what it said."""

    bar: int
    close: float
    forecast: float


class CalibrationState(msgspec.Struct, frozen=True, array_like=True):
    """What a monitor remembers: what waits, and the resolved ones, oldest first."""

    pending: list[Pending] = []
    said: list[float] = []
    truths: list[bool] = []


class Scores(msgspec.Struct, frozen=True):
    """How good the last resolved forecasts were; all 0 where there is none."""

    resolved: int = 0
    rate: float = 0.0  # how often it came true
    brier: float = 0.0
    brier_base: float = 0.0  # of always saying the base rate of the training
    gap: float = 0.0

    @property
    def brier_excess(self) -> float:
        """How much worse the forecasts were than the base rate."""
        return self.brier - self.brier_base


class BinCount(msgspec.Struct):
    """What was said and what came true of the forecasts in one bin; `said` in units of 1e-12."""

    count: int = 0
    said: int = 0
    true: int = 0


class Calibration:
    """Follows the forecasts of one model."""

    __slots__ = (
        "_base",
        "_base_losses",
        "_bins",
        "_horizon",
        "_loss",
        "_pending",
        "_resolved",
        "_rise",
        "_window",
    )

    def __init__(self, model: ModelRef, window: int) -> None:
        self._horizon, self._rise = model.horizon_bars, 1.0 + model.rise_percent / 100.0
        self._base_losses = tuple(round((model.base_rate - truth) ** 2 * UNIT) for truth in (False, True))
        self._window = min(window, WINDOW_MAX)
        self._pending: deque[Pending] = deque()
        self._resolved: deque[tuple[float, bool]] = deque()
        self._loss = self._base = 0
        self._bins = [BinCount() for _ in range(BINS)]

    def take(self, bar: int, close: float, forecast: float) -> bool:
        """Take a closed bar by its number, its close and the forecast made on it, NaN for none.

        Return whether a forecast was resolved. One whose horizon ended on a bar that never came is let go.
        """
        made = bar - self._horizon
        resolved = False
        while self._pending and self._pending[0].bar <= made:
            waited = self._pending.popleft()
            if waited.bar == made:
                self._resolve(waited.forecast, close > waited.close * self._rise)
                resolved = True
        if forecast == forecast:  # noqa: PLR0124 - NaN is not itself
            self._pending.append(Pending(bar, close, forecast))
        return resolved

    def scores(self) -> Scores:
        """Return how good the last resolved forecasts were."""
        count = len(self._resolved)
        if not count:
            return Scores()
        off = sum(abs(each.said - each.true * UNIT) for each in self._bins)
        true = sum(each.true for each in self._bins)
        whole = count * UNIT
        return Scores(count, true / count, self._loss / whole, self._base / whole, off / whole)

    def bins(self) -> tuple[tuple[int, float, float], ...]:
        """Return for each bin how many forecasts it holds, their mean and how often they came true."""
        return tuple(
            (each.count, each.said / UNIT / each.count, each.true / each.count)
            if each.count
            else (0, 0.0, 0.0)
            for each in self._bins
        )

    def forget(self) -> None:
        """Begin to count anew; what waits stays."""
        self._resolved.clear()
        self._loss = self._base = 0
        self._bins = [BinCount() for _ in range(BINS)]

    def let_go(self) -> None:
        """Give up what waits: the bars are numbered anew."""
        self._pending.clear()

    def _resolve(self, forecast: float, truth: bool) -> None:  # noqa: FBT001 - what came true is a datum
        self._count(forecast, truth, 1)
        self._resolved.append((forecast, truth))
        if len(self._resolved) > self._window:
            self._count(*self._resolved.popleft(), -1)

    def _count(self, forecast: float, truth: bool, sign: int) -> None:  # noqa: FBT001 - likewise
        self._loss += sign * round((forecast - truth) ** 2 * UNIT)
        self._base += sign * self._base_losses[truth]
        of = self._bins[min(int(forecast * BINS), BINS - 1)]
        of.count += sign
        of.said += sign * round(forecast * UNIT)
        of.true += sign * truth

    # checkpoint

    def state(self) -> CalibrationState:
        """Return all that is remembered."""
        said, truths = [said for said, _ in self._resolved], [truth for _, truth in self._resolved]
        return CalibrationState(list(self._pending), said, truths)

    def restore(self, state: CalibrationState) -> None:
        """Take up what `state` returned; of more than the window holds now, the newest."""
        self._pending = deque(state.pending)
        self._resolved.clear()
        self.forget()
        for forecast, truth in zip(state.said, state.truths, strict=True):
            self._resolve(forecast, truth)


def demotion(scores: Scores, policy: CalibrationPolicy) -> dict[str, str]:
    """Return the figures that call for a demotion, empty where none does."""
    if scores.resolved < policy.resolved_min:
        return {}
    found = {}
    if policy.brier_excess_max is not None and scores.brier_excess > policy.brier_excess_max:
        found["brier"] = f"{scores.brier:.4f}"
        found["base_rate"] = f"{scores.brier_base:.4f}"
        found["excess_max"] = f"{policy.brier_excess_max:g}"
    if policy.gap_max is not None and scores.gap > policy.gap_max:
        found["gap"] = f"{scores.gap:.4f}"
        found["gap_max"] = f"{policy.gap_max:g}"
    return found and {"resolved": str(scores.resolved), **found}
