"""Follows the entry signals of a twin until it is known what became of them."""

from decimal import Decimal

import msgspec

from engine.domain.market import Bar
from engine.domain.money import ZERO
from engine.domain.positions import Fill, Position
from engine.domain.shadow import ShadowSignal
from engine.domain.signals import SignalKind

OPEN_MAX = 100  # a twin that signals on every bar is followed in its oldest ones


class Prediction(msgspec.Struct):
    """An entry signal whose end is not known. `bars_left` counts where its books did not take it."""

    signal: ShadowSignal
    bars_left: int
    taken: bool  # by an order that may fill
    filled: bool = False
    highest: float = 0.0
    lowest: float = 0.0


class PredictionsState(msgspec.Struct, frozen=True):
    """Open predictions as a checkpoint holds them."""

    open: tuple[Prediction, ...] = ()
    booked: Decimal = ZERO


class Predictions:
    """The open predictions of one twin, oldest first."""

    def __init__(self, horizon_bars: int) -> None:
        self._horizon_bars = horizon_bars
        self._open: list[Prediction] = []
        self._booked = ZERO  # profit after fees when the position was flat last

    def on_signal(self, signal: ShadowSignal) -> ShadowSignal:
        """Take a signal; return it as it is to be stored: one that closes has nothing to wait for."""
        if signal.kind is SignalKind.EXIT or len(self._open) >= OPEN_MAX:
            return msgspec.structs.replace(signal, resolved=signal.ts, exit_price=signal.price)
        price = signal.price
        self._open.append(
            Prediction(signal, self._horizon_bars, not signal.reason, highest=price, lowest=price)
        )
        return signal

    def on_fill(self, fill: Fill, position: Position) -> list[ShadowSignal]:
        """Take a fill of the twin's books; return the signals that ended with it."""
        if not position.is_flat:
            for prediction in self._open:
                prediction.filled = prediction.filled or prediction.taken
            return []
        booked = position.realized - position.fees
        pnl, self._booked = booked - self._booked, booked
        ended = [prediction for prediction in self._open if prediction.filled]
        self._open = [prediction for prediction in self._open if not prediction.filled]
        price = float(fill.price)
        # what one trade made is told once, by the entry that opened it
        return [
            _ended(prediction, fill.ts, price, None if index else pnl)
            for index, prediction in enumerate(ended)
        ]

    def on_bar(self, bar: Bar) -> list[ShadowSignal]:
        """Let the open ones follow a bar of their symbol; return those whose horizon it reached."""
        if not self._open:
            return []
        ended = []
        for prediction in self._open:
            if prediction.signal.ts >= bar.ts:
                continue
            prediction.highest = max(prediction.highest, bar.high)
            prediction.lowest = min(prediction.lowest, bar.low)
            if not prediction.filled:
                prediction.bars_left -= 1
                if prediction.bars_left <= 0:
                    ended.append(prediction)
        self._open = [prediction for prediction in self._open if prediction not in ended]
        return [_ended(prediction, bar.ts, bar.close, None) for prediction in ended]

    def end(self, ts: int, price: float) -> list[ShadowSignal]:
        """End all that is open where the twin itself ends: held against the last price, with no trade."""
        ended, self._open = self._open, []
        return [_ended(prediction, ts, price, None) for prediction in ended]

    def state(self) -> PredictionsState:
        """Return all that a checkpoint needs."""
        return PredictionsState(tuple(self._open), self._booked)

    def restore(self, state: PredictionsState) -> None:
        """Take up a checkpoint's state."""
        self._open, self._booked = list(state.open), state.booked


def _ended(prediction: Prediction, ts: int, price: float, pnl: Decimal | None) -> ShadowSignal:
    signal = prediction.signal
    best, worst = prediction.highest, prediction.lowest
    if signal.side.sign < 0:
        best, worst = worst, best
    return msgspec.structs.replace(
        signal,
        resolved=ts,
        exit_price=price,
        return_percent=_gained(signal, price),
        mae_percent=_gained(signal, worst),
        mfe_percent=_gained(signal, best),
        pnl=pnl,
    )


def _gained(signal: ShadowSignal, price: float) -> float:
    """Return how far a price lies from the signal's in its favour, in percent."""
    return signal.side.sign * (price / signal.price - 1.0) * 100.0 if signal.price else 0.0
