"""The fields of a play file: what each may hold, and the PlaySpec they make."""

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from engine.config.modelpart import ModelPart
from engine.config.playexits import (
    BreakEvenStop,
    StopLoss,
    TakeProfit,
    TakeProfits,
    TimeExit,
    TrailingStop,
    to_ladder,
)
from engine.config.playfields import (
    LEG,
    SYMBOLS_MAX,
    Leg,
    Name,
    RuleText,
    Section,
    Symbol,
    Timeframe,
    Value,
    misplaced,
)
from engine.config.playparts import Entry, Guards, ScaleInPart, Size
from engine.domain.play import BASE_TIMEFRAME, TRADE_TIMEFRAME, PlaySpec, Rule
from engine.strategy.vocabulary import WORDS


class Direction(Section):
    """When to open a position of one side, and when to close it."""

    enter: RuleText | None = None
    exit: RuleText | None = None

    @model_validator(mode="after")
    def _enters(self) -> Self:
        if self.enter is None:
            raise ValueError("must hold an enter rule; without one it never has anything to exit")
        return self


class ParameterFields(Section):
    """A number that rules and fields refer to as $name, and the range that it may be tried in."""

    default: Value
    min: Value | None = None
    max: Value | None = None
    step: Annotated[Decimal, Field(gt=0, le=10**15)] | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        low = self.default if self.min is None else self.min
        high = self.default if self.max is None else self.max
        if not low <= self.default <= high:
            raise ValueError("must have min, default and max in this order")
        return self


class PlayModel(Section):
    """A play file. `params` and `define` are read before it, into its surroundings."""

    name: Name
    timeframe: Timeframe = BASE_TIMEFRAME
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=SYMBOLS_MAX)] = ()
    legs: Annotated[tuple[Leg, ...], Field(max_length=SYMBOLS_MAX)] = ()
    params: Any = None
    define: Any = None
    model: ModelPart | None = None
    size: Size
    long: Direction | None = None
    short: Direction | None = None
    entry: Entry | None = None
    stop_loss: StopLoss | None = None
    take_profit: TakeProfits | None = None
    trailing: TrailingStop | None = None
    break_even: BreakEvenStop | None = None
    time_stop: TimeExit | None = None
    scale_in: ScaleInPart | None = None
    protections: Guards | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.long is None and self.short is None:
            raise ValueError("must hold long or short, with an enter rule: this play never trades")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("must name each of its symbols once")
        if len(set(self.legs)) < len(self.legs):
            raise ValueError("must name each of its legs once")
        if self.symbols and len(self.symbols) != max(1, len(leg_names(self.symbols, self.legs))):
            legs = "a name for each of its symbols in legs, as in legs: [btc, eth]"
            raise ValueError(f"must hold {legs}; the first one is traded, rules write eth.close")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.size.risk_percent is not None and self.stop_loss is None:
            text = "needs a stop_loss: the risk is counted from the distance of the stop"
            raise misplaced(text, "size", "risk_percent")
        if self.scale_in is not None and self.scale_in.direction == "against" and self.stop_loss is None:
            text = "needs a stop_loss: a position that grows as it loses must have an end"
            raise misplaced(text, "scale_in", "direction")
        if self.timeframe == TRADE_TIMEFRAME:
            self._fits_prints()
        for name, levels in (("entry", self.entry), ("stop_loss", self.stop_loss)):
            for side in ("long", "short"):
                if levels is not None and getattr(self, side) is not None and levels.lacks(side):
                    raise misplaced(f"must hold {side}, too: the play enters {side}", name, "at")
        return self

    def _fits_prints(self) -> None:
        """Refuse what counts in bars of a length where each trade is a bar."""
        if self.symbols[1:] or self.legs[1:]:
            raise misplaced("must name one: trades of several never come at one time", "symbols")
        if self.size.volatility_target is not None:
            text = "needs bars of a length, to say how much they move in a year: not timeframe trade"
            raise misplaced(text, "size", "volatility_target")
        if self.protections is not None and self.protections.cooldown is not None:
            text = "is the time of some bars: with timeframe trade there is none; pause by stop_loss_guard"
            raise misplaced(text, "protections", "cooldown")

    def to_spec(self) -> PlaySpec:
        """Return the play as the engine has it."""
        long, short = self.long or _NEITHER, self.short or _NEITHER
        sides = (self.long is not None, self.short is not None)
        return PlaySpec(
            name=self.name,
            symbols=self.symbols,
            legs=_several(leg_names(self.symbols, self.legs)),
            timeframe=self.timeframe,
            sizing=self.size.to_sizing(),
            long_entry=_rule(long.enter),
            long_exit=_rule(long.exit),
            short_entry=_rule(short.enter),
            short_exit=_rule(short.exit),
            stop_loss=None if self.stop_loss is None else self.stop_loss.to_stop(),
            take_profit=self.take_profit.to_distance() if isinstance(self.take_profit, TakeProfit) else None,
            stop_level=None if self.stop_loss is None else self.stop_loss.to_level(*sides),
            ladder=to_ladder(self.take_profit) if isinstance(self.take_profit, tuple) else (),
            entry=None if self.entry is None else self.entry.to_order(*sides),
            trailing=None if self.trailing is None else self.trailing.to_trailing(),
            break_even=None if self.break_even is None else self.break_even.to_break_even(),
            time_stop=None if self.time_stop is None else self.time_stop.to_time_stop(),
            scale_in=None if self.scale_in is None else self.scale_in.to_scale_in(),
            protections=None if self.protections is None else self.protections.to_protections(),
            model=None if self.model is None else self.model.to_model(),
        )


def leg_names(symbols: tuple[str, ...], legs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what rules call the symbols: their legs, else themselves; nothing where these are no names."""
    names = legs or symbols
    return names if all(re.fullmatch(LEG, name) and name not in WORDS for name in names) else ()


def _several(legs: tuple[str, ...]) -> tuple[str, ...]:
    """A play on one symbol has no legs: what its rules call it does not count."""
    return legs if len(legs) > 1 else ()


_NEITHER = Direction.model_construct()


def _rule(text: str | None) -> Rule | None:
    return None if text is None else Rule(text)
