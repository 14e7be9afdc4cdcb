"""What each rung, each holder and each command means for entries, exits, orders and positions: one table.

The help screen and docs/commands.md show it. A holder's effects are those of its rung, a command's those of
the holders it takes or frees, so that no cell is written twice. A row tells what holds while nobody
else holds a lower rung; where several hold one, the lowest counts.
"""

import msgspec

from engine.core.effects import (
    Confirmation,
    Effects,
    Entries,
    EntryOrders,
    Exits,
    Increases,
    Positions,
    Protective,
    Restart,
    Row,
    RowKind,
)
from engine.domain.events import Action, OnStop, Resolution
from engine.domain.modes import HOLDERS, RUNG_MEANING, Holder, RiskMode, Rung

_NO_ENTRIES = Effects(
    Entries.VETOED,
    Increases.NONE,
    Exits.SENT,
    EntryOrders.CANCELED,
    Protective.KEPT_UP,
    Positions.KEPT,
)
RUNG_EFFECTS: dict[Rung, Effects] = {
    Rung.FULL: Effects(
        Entries.GATED,
        Increases.REST_OF_ENTRY,
        Exits.SENT,
        EntryOrders.REST,
        Protective.KEPT_UP,
        Positions.KEPT,
    ),
    Rung.REDUCE: _NO_ENTRIES,
    Rung.HOLD: msgspec.structs.replace(_NO_ENTRIES, exits=Exits.VETOED),
    Rung.FLATTEN: msgspec.structs.replace(
        _NO_ENTRIES,
        exits=Exits.VETOED,
        protective=Protective.CANCELED_LAST,
        positions=Positions.CLOSED,
    ),
}

HOLDER_ABOUT: dict[Holder, str] = {
    Holder.DISARMED: "nobody has armed yet, or somebody disarmed",
    Holder.PAUSED: "an operator paused",
    Holder.RISK_REDUCE: "risk mode REDUCE: set by an operator, or latched by a cause (docs/risk.md)",
    Holder.STALE: "no data of the symbol for longer than stale_after_s",
    Holder.BLACKOUT: "a window of the blackout calendar runs, or a funding time is near",
    Holder.BREAKER: "a channel of the venue failed too often: its circuit breaker is open",
    Holder.RECONCILING: "our orders are not heard, or books and venue were not compared since, or it failed",
    Holder.UNKNOWN_ORDER: "an order of the symbol got no answer and may be live",
    Holder.RISK_OBSERVE: "risk mode OBSERVE: set by an operator, or because the venue refuses our keys",
    Holder.STOPPING: "the engine is shutting down",
    Holder.HALTED: "a flatten has ended",
    Holder.STORAGE: "nothing can be stored: the disk is full, read-only or gone",
    Holder.FAULT: "something of the engine broke, or its loop stood still",
    Holder.FLATTENING: "a flatten is running",
}

# A halted engine places no protection: whatever fills then is closed by a new flatten.
_EFFECTS_OF: dict[Holder, Effects] = {
    Holder.HALTED: msgspec.structs.replace(RUNG_EFFECTS[Rung.HOLD], protective=Protective.NOT_PLACED)
}
_RESTART_OF_RUNG = {Rung.FULL: Restart.DISARMS, Rung.FLATTEN: Restart.GOES_ON}
_RESTART_OF = {Holder.FLATTENING: Restart.GOES_ON, Holder.STOPPING: Restart.OVER}
SYMBOL_HOLDERS = frozenset({Holder.STALE, Holder.UNKNOWN_ORDER})


def _restart_of(holder: Holder) -> Restart:
    usual = Restart.HELD if HOLDERS[holder].survives_restart else Restart.AFRESH
    return _RESTART_OF.get(holder, usual)


def _rung_row(rung: Rung) -> Row:
    return Row(
        kind=RowKind.RUNG,
        name=rung.name,
        about=RUNG_MEANING[rung],
        rung=rung,
        effects=RUNG_EFFECTS[rung],
        restart=_RESTART_OF_RUNG.get(rung, Restart.AS_ITS_HOLDERS),
    )


def _holder_row(holder: Holder) -> Row:
    rung = HOLDERS[holder].rung
    return Row(
        kind=RowKind.HOLDER,
        name=holder.value.replace("_", " "),
        about=HOLDER_ABOUT[holder],
        rung=rung,
        effects=_EFFECTS_OF.get(holder, RUNG_EFFECTS[rung]),
        restart=_restart_of(holder),
        symbol_only=holder in SYMBOL_HOLDERS,
        takes=(holder,),
    )


def _command(
    action: Action,
    argument: str = "",
    *,
    about: str,
    takes: tuple[Holder, ...] = (),
    frees: tuple[Holder, ...] = (),
    entry_orders: EntryOrders | None = None,
    protective: Protective | None = None,
    positions: Positions | None = None,
    restart: Restart | None = None,
    confirmation: Confirmation = Confirmation.NONE,
    symbol_only: bool = False,
) -> Row:
    """Return the row of a command: of the holders it takes the lowest decides, without one FULL is left."""
    lowest = min(takes, key=lambda holder: HOLDERS[holder].rung, default=None)
    rung = Rung.FULL if lowest is None else HOLDERS[lowest].rung
    effects = RUNG_EFFECTS[rung]
    own = {"entry_orders": entry_orders, "protective": protective, "positions": positions}
    effects = msgspec.structs.replace(effects, **{name: cell for name, cell in own.items() if cell})
    return Row(
        kind=RowKind.COMMAND,
        name=f"{action.value} {argument}".replace("_", " ").strip(),
        about=about,
        rung=rung,
        effects=effects,
        restart=restart or (Restart.STAYS_FREE if lowest is None else _restart_of(lowest)),
        confirmation=confirmation,
        symbol_only=symbol_only,
        action=action,
        argument=argument,
        takes=takes,
        frees=frees,
    )


_COMMANDS: tuple[Row, ...] = (
    _command(
        Action.ARM,
        about="lets plays open positions",
        frees=(Holder.DISARMED, Holder.HALTED),
        restart=Restart.DISARMS,
        confirmation=Confirmation.NAME,
    ),
    _command(Action.DISARM, about="no new exposure until armed again", takes=(Holder.DISARMED,)),
    _command(Action.PAUSE, about="no new exposure until resumed", takes=(Holder.PAUSED,)),
    _command(Action.RESUME, about="ends a pause", frees=(Holder.PAUSED,)),
    _command(
        Action.RISK_MODE,
        RiskMode.REDUCE.value,
        about="only what reduces exposure; from OBSERVE it needs a reason and the cool-down",
        takes=(Holder.RISK_REDUCE,),
        confirmation=Confirmation.DIALOG,
    ),
    _command(
        Action.RISK_MODE,
        RiskMode.OBSERVE.value,
        about="protective orders only",
        takes=(Holder.RISK_OBSERVE,),
        confirmation=Confirmation.DIALOG,
    ),
    _command(
        Action.RISK_MODE,
        RiskMode.NORMAL.value,
        about="ends a lowered risk mode once it has stood for mode_dwell_s",
        frees=(Holder.RISK_REDUCE, Holder.RISK_OBSERVE),
        confirmation=Confirmation.COOL_DOWN,
    ),
    _command(
        Action.RESOLVE,
        Resolution.DEAD.value,
        about="ends an order that is UNKNOWN or unsettled, on your word that the venue does not have it; "
        "books nothing: fills are taken from the venue only",
        frees=(Holder.UNKNOWN_ORDER,),
        confirmation=Confirmation.LAST_FOUR,
        symbol_only=True,
    ),
    _command(
        Action.PROMOTE,
        about="lets a shadow twin take the place of the running version: once the play is flat, or `now`",
        confirmation=Confirmation.NAME_AND_REASON,
    ),
    _command(
        Action.ROLL_BACK,
        about="lets the version before take the place of the running one: once the play is flat, or `now`",
        confirmation=Confirmation.REASON,
    ),
    _command(
        Action.ACCEPT_LIMITS,
        about="puts limits in force that a changed file would loosen; it names what waits",
        confirmation=Confirmation.REASON,
    ),
    _command(
        Action.ENABLE,
        about="lets a play go on that entered the same symbol and side too often",
        confirmation=Confirmation.SHELL_REASON,
    ),
    _command(
        Action.CLOSE_POSITION,
        about="closes one position at market, reduce-only, on any rung; its entries are canceled, and "
        "its play sits out until its next signal",
        confirmation=Confirmation.DIALOG,
        symbol_only=True,
        positions=Positions.CLOSED,
        entry_orders=EntryOrders.CANCELED,
        protective=Protective.CANCELED_LAST,
    ),
    _command(
        Action.CANCEL_ORDER,
        about="cancels one order; not the stop or target of an open position: close that instead",
        confirmation=Confirmation.DIALOG,
        symbol_only=True,
        entry_orders=EntryOrders.CANCELED,
    ),
    _command(
        Action.DECLINE,
        about="drops what waits: limits that a changed file would loosen, a version that waits to be flat",
        confirmation=Confirmation.DIALOG,
    ),
    _command(
        Action.TAKE_CONTROL,
        about="lets this console command; the one that did only watches from then on. The kill-switch works "
        "in every console, and the command line needs no control",
        confirmation=Confirmation.DIALOG,
    ),
    _command(Action.RELEASE_CONTROL, about="leaves nobody in control; a console that ends does it by itself"),
    _command(
        Action.FLATTEN,
        about="cancels entries, closes reduce-only, verifies, cancels protection, verifies; ends in HALTED",
        takes=(Holder.FLATTENING,),
        confirmation=Confirmation.TWICE,
    ),
    _command(
        Action.STOP,
        OnStop.CANCEL_ENTRIES.value,
        about="leaves once no entry order is open any more",
        takes=(Holder.STOPPING,),
        confirmation=Confirmation.DIALOG,
    ),
    _command(
        Action.STOP,
        OnStop.KEEP.value,
        about="leaves at once; entry orders go on resting",
        takes=(Holder.STOPPING,),
        entry_orders=EntryOrders.REST,
        confirmation=Confirmation.DIALOG,
    ),
    _command(
        Action.STOP,
        OnStop.FLATTEN.value,
        about="flattens first, then leaves; the next start is HALTED",
        takes=(Holder.STOPPING, Holder.FLATTENING),
        confirmation=Confirmation.DIALOG,
    ),
)

COMMANDS_TABLE: tuple[Row, ...] = (
    *(_rung_row(rung) for rung in sorted(Rung, reverse=True)),
    *(_holder_row(holder) for holder in Holder),
    *_COMMANDS,
)
