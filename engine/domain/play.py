"""A play in its canonical form: what was written in YAML, checked and stripped of all that does not count."""

import hashlib
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.orders import OrderKind, TimeInForce

BASE_TIMEFRAME = "base"
FIXED = ("name", "symbols", "legs", "timeframe")  # of a spec: what positions, feeds and records hang on
TRADE_TIMEFRAME = "trade"  # each print on the tape is a bar


class SizingKind(StrEnum):
    """How an entry's quantity is chosen."""

    NOTIONAL = "notional"  # value = quote units an entry is worth
    EQUITY_FRACTION = "equity_fraction"  # value = part of equity an entry is worth, 0..1
    RISK_PERCENT = "risk_percent"  # value = percent of equity that is lost where the stop fills at its price
    VOLATILITY_TARGET = "volatility_target"  # value = percent a year that the position should vary by


class Sizing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The size of an entry. `period` counts the bars that a volatility is measured over."""

    kind: SizingKind
    value: Decimal
    notional_max: Decimal | None = None  # quote units
    period: int = 0


class DistanceKind(StrEnum):
    """In what a stop's or target's distance from the entry price is written."""

    PERCENT = "percent"
    ATR = "atr"
    TICKS = "ticks"  # of the instrument; for the offset of an entry alone


class Distance(msgspec.Struct, frozen=True):
    """How far one price lies from another: `value` percent, or `value` times ATR(`period`)."""

    kind: DistanceKind
    value: float
    period: int = 0


class Rule(msgspec.Struct, frozen=True):
    """A rule in canonical text, as strategy/expression.py prints it."""

    text: str


class Level(msgspec.Struct, frozen=True):
    """A price in the rule language, for each side that a play trades."""

    long: str = ""
    short: str = ""


class StopLevel(msgspec.Struct, frozen=True):
    """A stop at a price of the rules instead of a distance, `pad` further away from the market."""

    at: Level
    pad: Distance | None = None


class EntryOrder(msgspec.Struct, frozen=True):
    """The order that an entry is: at market, or at a price off the close or of the rules.

    A limit lies on the better side of the close, a stop on the worse one. An entry that is not filled is
    canceled after `valid_bars` bars (0: never), and replaced by a later signal where `replace` is true.
    """

    kind: OrderKind
    offset: Distance | None = None
    at: Level | None = None
    post_only: bool = False
    tif: TimeInForce = TimeInForce.GTC
    valid_bars: int = 0
    replace: bool = False


class LadderStep(msgspec.Struct, frozen=True):
    """A step of a take-profit ladder: how far off, and how many percent of the position it closes."""

    distance: Distance
    close: Decimal


class Trailing(msgspec.Struct, frozen=True):
    """A stop that follows the best price since the entry, from the start or once the profit is `after`."""

    distance: Distance
    after: Distance | None = None


class BreakEven(msgspec.Struct, frozen=True):
    """A stop that moves to the entry price, `offset_percent` better than it, once the profit is `after`."""

    after: Distance
    offset_percent: float = 0.0


class TimeStop(msgspec.Struct, frozen=True):
    """An exit once so many bars closed, or so much time passed, since the entry; 0 does not count."""

    bars: int = 0
    after_ns: int = 0


class ScaleIn(msgspec.Struct, frozen=True):
    """Further entries into an open position: at most `entries_max` with the first one.

    Each one needs that the close lies `every` beyond the price of the last entry (0 where it is None), in
    favour of the position or against it, and that the rule is true where there is one. It is `size_factor`
    times as large as the one before.
    """

    entries_max: int
    when: Rule | None = None
    every: Distance | None = None
    against: bool = False
    size_factor: Decimal = Decimal(1)


class LossGuard(msgspec.Struct, frozen=True):
    """A pause once `trades` trades were stopped out with a loss within a time."""

    trades: int
    within_ns: int
    pause_ns: int


class LowProfit(msgspec.Struct, frozen=True):
    """A pause once at least `trades` trades closed within a time made less than `percent_min` together."""

    trades: int
    within_ns: int
    percent_min: float
    pause_ns: int


class DrawdownStop(msgspec.Struct, frozen=True):
    """A pause once the profit of the trades closed within a time fell `percent` of equity from its peak."""

    percent: float
    within_ns: int
    pause_ns: int


class Protections(msgspec.Struct, frozen=True, kw_only=True):
    """When a play may not enter, whatever its rules say; what is 0 or None does not apply."""

    cooldown_bars: int = 0
    trades_per_day_max: int = 0
    stop_loss_guard: LossGuard | None = None
    low_profit: LowProfit | None = None
    drawdown: DrawdownStop | None = None


class ModelRef(msgspec.Struct, frozen=True):
    """The model that a play asks: which one it is, what it is given and what it says.

    `sha256` is that of what the model says to any features: its weights, its normalisation and its shape. Its
    forecast is the probability that the close `horizon_bars` bars later lies more than `rise_percent` above
    that of now. The weights themselves are found by the hash (strategy/model.py).
    """

    features: tuple[str, ...]  # in canonical text, in the order the model takes them
    horizon_bars: int
    rise_percent: float = 0.0
    sha256: str = ""
    architecture: str = ""
    base_rate: float = 0.5  # how often it came true in training, on what was unseen


class PlaySpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a play does. Rules that are absent never fire; a play without shorts has no `short_entry`."""

    name: str
    symbols: tuple[str, ...] = ()  # empty: bound by --data in order
    legs: tuple[str, ...] = ()  # what rules call the symbols, the traded one first; empty for one symbol
    timeframe: str = BASE_TIMEFRAME
    sizing: Sizing
    long_entry: Rule | None = None
    long_exit: Rule | None = None
    short_entry: Rule | None = None
    short_exit: Rule | None = None
    stop_loss: Distance | None = None
    take_profit: Distance | None = None
    stop_level: StopLevel | None = None
    ladder: tuple[LadderStep, ...] = ()
    entry: EntryOrder | None = None
    trailing: Trailing | None = None
    break_even: BreakEven | None = None
    time_stop: TimeStop | None = None
    scale_in: ScaleIn | None = None
    protections: Protections | None = None
    model: ModelRef | None = None

    @property
    def hash(self) -> str:
        """The sha256 of the canonical form: comments and layout do not count."""
        written = msgspec.to_builtins(self)
        for part in _OPTIONAL:
            if not written[part]:
                del written[part]
        return hashlib.sha256(msgspec.json.encode(written)).hexdigest()


# A play that does without these has the hash that it had before there were any.
_OPTIONAL = (
    "stop_level",
    "ladder",
    "entry",
    "trailing",
    "break_even",
    "time_stop",
    "scale_in",
    "protections",
    "model",
)
