"""What the engine may do: modes chosen at start, the ladder of rungs and who may hold them."""

from enum import IntEnum, StrEnum

import msgspec


class Mode(StrEnum):
    """Chosen at start; a mode picks adapters (runtime/factory.py) and decides nothing else."""

    BACKTEST = "backtest"
    REPLAY = "replay"
    SHADOW = "shadow"
    PAPER = "paper"
    DEMO = "demo"
    LIVE = "live"


REAL_MODES = frozenset({Mode.DEMO, Mode.LIVE})  # their orders reach a venue outside this program
PAID_MODES = frozenset({Mode.LIVE})  # and cost money


class RiskMode(StrEnum):
    """The latched risk setting; only a person moves it toward more freedom."""

    NORMAL = "normal"
    REDUCE = "reduce"
    OBSERVE = "observe"


class Rung(IntEnum):
    """What is allowed; the lowest rung held counts."""

    FLATTEN = 0
    HOLD = 1
    REDUCE = 2
    FULL = 3


RUNG_MEANING: dict[Rung, str] = {
    Rung.FULL: "everything the gates pass",
    Rung.REDUCE: "exits and protective upkeep; resting entry orders are canceled",
    Rung.HOLD: "protective upkeep only",
    Rung.FLATTEN: "cancel entries, close reduce-only, then cancel protective orders",
}


class Holder(StrEnum):
    """Who has a reason to hold a rung."""

    DISARMED = "disarmed"
    PAUSED = "paused"
    RISK_REDUCE = "risk_reduce"
    STALE = "stale"
    BLACKOUT = "blackout"
    BREAKER = "breaker"
    RECONCILING = "reconciling"
    UNKNOWN_ORDER = "unknown_order"
    RISK_OBSERVE = "risk_observe"
    STOPPING = "stopping"
    HALTED = "halted"
    STORAGE = "storage"
    FAULT = "fault"
    FLATTENING = "flattening"


class HolderRule(msgspec.Struct, frozen=True):
    """The rung a holder holds, and whether it lets go by itself or waits for a person."""

    rung: Rung
    latched: bool
    survives_restart: bool


HOLDERS: dict[Holder, HolderRule] = {
    Holder.DISARMED: HolderRule(Rung.REDUCE, latched=True, survives_restart=True),
    Holder.PAUSED: HolderRule(Rung.REDUCE, latched=True, survives_restart=True),
    Holder.RISK_REDUCE: HolderRule(Rung.REDUCE, latched=True, survives_restart=True),
    Holder.STALE: HolderRule(Rung.REDUCE, latched=False, survives_restart=False),
    Holder.BLACKOUT: HolderRule(Rung.REDUCE, latched=False, survives_restart=False),
    Holder.BREAKER: HolderRule(Rung.REDUCE, latched=False, survives_restart=False),
    Holder.RECONCILING: HolderRule(Rung.REDUCE, latched=False, survives_restart=False),
    Holder.UNKNOWN_ORDER: HolderRule(Rung.REDUCE, latched=False, survives_restart=True),
    Holder.RISK_OBSERVE: HolderRule(Rung.HOLD, latched=True, survives_restart=True),
    Holder.STOPPING: HolderRule(Rung.HOLD, latched=True, survives_restart=False),
    Holder.HALTED: HolderRule(Rung.HOLD, latched=True, survives_restart=True),
    # Nothing new while nothing can be stored; what reduces goes on.
    Holder.STORAGE: HolderRule(Rung.REDUCE, latched=False, survives_restart=False),
    Holder.FAULT: HolderRule(Rung.HOLD, latched=False, survives_restart=False),
    Holder.FLATTENING: HolderRule(Rung.FLATTEN, latched=True, survives_restart=True),
}


class Hold(msgspec.Struct, frozen=True):
    """One held rung: by whom, for which symbol ("" = all), since when and why."""

    holder: Holder
    symbol: str
    since: int
    detail: str = ""

    @property
    def rung(self) -> Rung:
        """The rung this hold allows."""
        return HOLDERS[self.holder].rung


def lowest(holds: tuple[Hold, ...], symbol: str = "") -> Rung:
    """Return the rung in force for a symbol: the lowest one held for it or for everything."""
    rungs = [hold.rung for hold in holds if hold.symbol in ("", symbol)]
    return min(rungs, default=Rung.FULL)
