"""What a machine is built from: facts fixed for one run."""

from decimal import Decimal

import msgspec

from engine.domain.calendar import Calendar
from engine.domain.limits import Limits
from engine.domain.market import Instrument
from engine.domain.modes import Mode
from engine.domain.play import PlaySpec
from engine.risk.breaker import BreakerPolicy
from engine.risk.calibration import CalibrationPolicy
from engine.risk.stops import StopPolicy


class PlayBinding(msgspec.Struct, frozen=True):
    """A play on its instruments: which bars of which symbols evaluate it.

    `symbol` is the one it trades; `others` are those its rules also look at, in the order of its legs.
    """

    spec: PlaySpec
    symbol: str
    step_ns: int
    others: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, the traded one first."""
        return (self.symbol, *self.others)


class CoreSetup(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one run. `mode` is for display; what it means stands in the other fields."""

    mode: Mode
    instance: str
    birth_s: int
    confirm_name: str
    instruments: tuple[Instrument, ...]
    plays: tuple[PlayBinding, ...]
    limits: Limits
    calendar: Calendar = ()
    confirms_loosening: bool = False  # of limits, by a person and with a reason
    currency: str
    start_equity: Decimal
    takes_orders: bool = True
    venue_checked: bool = True  # the order cases of its venue have passed; what reduces needs none
    armed: bool = False
    # How often silence of a feed is looked for; 0 on a tape, whose gaps are no sign of a sick feed.
    stale_check_ns: int = 0
    reconcile_ns: int = 0  # how often books and venue are compared; 0 on a tape, whose venue is in the loop
    reconcile_positions_ns: int = 0  # how often positions are among it; 0: each time
    dead_man_ms: int = 0  # the venue cancels entries after so long a silence; 0: never
    breaker: BreakerPolicy = BreakerPolicy()
    stops: StopPolicy = StopPolicy()  # looked at as often as silence is
    shadows: tuple[PlayBinding, ...] = ()  # what is watched beside the plays from the start
    calibration: CalibrationPolicy = CalibrationPolicy()  # when a play's model is demoted
    window_bars: int = 600
    needs_approval: bool = False  # entries of a play need that its hash is approved
    hosts_twins: bool = False  # other versions of its plays may be watched beside it
    shadow_horizon_bars: int = 60  # when a signal that was not taken is held against the market
