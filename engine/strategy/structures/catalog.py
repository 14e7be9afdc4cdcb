"""All structures with what the rule language, its schema and the documents need to know of each."""

from engine.strategy.functions import Argument, ArgumentKind, Function
from engine.strategy.indicators.facts import Make
from engine.strategy.literals import MINUTES_PER_DAY
from engine.strategy.structures.gap import Gap
from engine.strategy.structures.levels import Resistance, Support
from engine.strategy.structures.sessions import SessionHigh, SessionLow
from engine.strategy.structures.swings import SwingHigh, SwingLow
from engine.strategy.structures.trend import BreakOfStructure, Trend

SIDE_MAX = 1_000  # bars on one side of a swing
SWINGS_MAX = 200
PRICE = "price"


def _whole(name: str, default: int, most: int) -> Argument:
    return Argument(name, ArgumentKind.WHOLE, default, 1, most)


def _clock(name: str) -> Argument:
    return Argument(name, ArgumentKind.CLOCK, None, 0, MINUTES_PER_DAY)


_SIDES = (_whole("left", 3, SIDE_MAX), _whole("right", 3, SIDE_MAX))
_LEVELS = (
    *_SIDES,
    Argument("width", ArgumentKind.NUMBER, 0.5, 0.0, 100.0),
    _whole("touches", 2, SWINGS_MAX),
    _whole("swings", 20, SWINGS_MAX),
)
_SESSION = (_clock("start"), _clock("end"))


def _structure(name: str, make: Make, arguments: tuple[Argument, ...], unit: str, meaning: str) -> Function:
    return Function(
        name=name,
        factory=make,
        arguments=arguments,
        series="",
        outputs=getattr(make, "OUTPUTS", ()),
        unit=unit,
        meaning=meaning,
        source="definition",
    )


STRUCTURES: dict[str, Function] = {
    function.name: function
    for function in (
        _structure(
            "swing_high",
            SwingHigh,
            _SIDES,
            PRICE,
            "the last high above those around it, once confirmed",
        ),
        _structure(
            "swing_low", SwingLow, _SIDES, PRICE, "the last low below those around it, once confirmed"
        ),
        _structure(
            "trend", Trend, _SIDES, "-1, 0, 1", "1 while swing highs and lows rise, -1 while both fall"
        ),
        _structure(
            "break_of_structure",
            BreakOfStructure,
            _SIDES,
            "-1, 0, 1",
            "1 on the close above the last swing high, -1 on that below the last swing low",
        ),
        _structure(
            "support", Support, _LEVELS, PRICE, "the nearest price below at which swings turned often"
        ),
        _structure(
            "resistance", Resistance, _LEVELS, PRICE, "the nearest price above at which swings turned often"
        ),
        _structure(
            "session_high", SessionHigh, _SESSION, PRICE, "the high of the session, kept until the next"
        ),
        _structure("session_low", SessionLow, _SESSION, PRICE, "the low of the session, kept until the next"),
        _structure("gap", Gap, (), PRICE, "how far the bar opened beyond the range of the one before"),
    )
}
