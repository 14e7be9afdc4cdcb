"""What each reason code means and what to do about it. docs/reasons.md is generated from this table."""

from engine.domain.layers import Layer, ReasonFacts
from engine.domain.operatorreasons import OPERATOR_REASONS
from engine.domain.reasons import Reason

_R, _Z, _X, _V, _D = (
    Layer.RISK,
    Layer.SIZING,
    Layer.EXECUTION,
    Layer.VENUE,
    Layer.STORAGE,
)
_F = ReasonFacts

REASONS: dict[Reason, ReasonFacts] = {
    Reason.VENUE_TAKES_NO_ORDERS: _F(
        _R, "The mode's venue takes no orders.", "Start in a mode with a venue: paper, demo or live."
    ),
    Reason.VENUE_NOT_CHECKED: _F(
        _R,
        "The order cases of this venue have not passed with this version of its adapter.",
        "Run `trader-tui venue check --testnet --venue NAME` with keys of its testnet.",
    ),
    Reason.LOCK_NOT_HELD: _F(
        _R, "This engine does not hold the lock of its state directory.", "Stop the other engine."
    ),
    Reason.LADDER: _F(
        _R,
        "A holder keeps the engine below FULL; the values name it.",
        "Arm, resume, or wait until the holder lets go.",
    ),
    Reason.DATA_STALE: _F(
        _R,
        "The bar closed longer ago than the limit allows.",
        "Check the feed and the clock; see `stale_after_s`.",
    ),
    Reason.BREAKER: _F(
        _R,
        "The channel of orders failed too often a moment ago; after its rest one order at a time tries it.",
        "Wait; where it goes on, look at the venue and the connection.",
    ),
    Reason.DAILY_LOSS: _F(
        _R,
        "The loss since 00:00 UTC reached its limit; the engine is held at REDUCE.",
        "Set the risk mode back with a reason once you know why.",
    ),
    Reason.DRAWDOWN_MAX: _F(
        _R,
        "Equity fell from its peak by as much as `drawdown_max_percent`; the engine is held at REDUCE.",
        "Set the risk mode back with a reason once you know why: the peak is measured anew from then.",
    ),
    Reason.LOSSES_IN_A_ROW: _F(
        _R,
        "As many closed trades in a row lost as `losses_in_a_row_max`; the engine is held at REDUCE.",
        "Set the risk mode back with a reason once you know why: the count begins anew.",
    ),
    Reason.REPEATED_ENTRIES: _F(
        _R,
        "The play entered this symbol and side as often within the window as `repeat_entries_max` allows.",
        "Find out why it repeats itself, then `trader-tui limits enable PLAY --reason WHY`.",
    ),
    Reason.ORDER_RATE_MAX: _F(
        _R,
        "As many entries were sent within `order_rate_window_s` as `order_rate_max` allows.",
        "Wait, or raise the limit.",
    ),
    Reason.PRICE_COLLAR: _F(
        _R,
        "The order's price is further from the last mark than `price_collar_percent`.",
        "Look at the play's price and at the feed; raise the limit where the price is meant.",
    ),
    Reason.CYCLE_NOTIONAL_MAX: _F(
        _R,
        "With this order, all entries of one close time would be worth more than `cycle_notional_max`.",
        "Let fewer plays enter at once, make them smaller, or raise the limit.",
    ),
    Reason.SYMBOL_NOTIONAL_MAX: _F(
        _R,
        "All plays together would hold and ask for more of the symbol than `symbol_notional_max`.",
        "Let fewer plays trade the symbol, make them smaller, or raise the limit.",
    ),
    Reason.LEVERAGE_MAX: _F(
        _R,
        "The gross notional would be more than `leverage_max` times the trading capital.",
        "Make positions smaller, wait until some are closed, or raise the limit.",
    ),
    Reason.CASH_RESERVE: _F(
        _R,
        "The order would leave less trading capital free than `cash_reserve_min`.",
        "Make positions smaller, wait until some are closed, or lower the reserve.",
    ),
    Reason.ORDER_NOTIONAL_MAX: _F(
        _R,
        "The order is larger than `order_notional_max`.",
        "Make the play's size smaller or raise the limit.",
    ),
    Reason.POSITION_NOTIONAL_MAX: _F(
        _R,
        "The position would grow past `position_notional_max`.",
        "Make the play's size smaller or raise the limit.",
    ),
    Reason.OPEN_ORDERS_MAX: _F(
        _R, "As many orders are open as `open_orders_max` allows.", "Wait, cancel some, or raise the limit."
    ),
    Reason.PLAY_NOT_APPROVED: _F(
        _R,
        "This version of the play was not promoted to live; it is watched as a shadow twin.",
        "Gather the evidence and run `trader-tui promote PLAY`; it says what is missing.",
    ),
    Reason.PLAY_COOLDOWN: _F(
        _R,
        "The play rests after its last trade, as its `cooldown` says; the values say until when.",
        "Wait, or make the cooldown shorter.",
    ),
    Reason.TRADES_PER_DAY_MAX: _F(
        _R,
        "The play opened as many positions since 00:00 UTC as its `trades_per_day_max` allows.",
        "Wait for the next day (UTC), or raise it.",
    ),
    Reason.STOP_LOSS_GUARD: _F(
        _R,
        "Too many trades of the play were stopped out with a loss; the values name them and say until when "
        "it pauses.",
        "Wait, and look at whether the play still fits the market.",
    ),
    Reason.LOW_PROFIT: _F(
        _R,
        "The last trades of the play made too little together; the values name them and say until when it "
        "pauses.",
        "Wait, and look at whether the play still fits the market.",
    ),
    Reason.DRAWDOWN_STOP: _F(
        _R,
        "The profit of the play's last trades fell too far from its peak; the values say how far and until "
        "when it pauses.",
        "Wait, and look at whether the play still fits the market.",
    ),
    Reason.MODEL_DEMOTED: _F(_R, "The play's model is wrong too often.", "Train it; set the risk mode back."),
    Reason.QTY_BELOW_MINIMUM: _F(
        _Z,
        "The size rounds to less than the venue's smallest quantity; the values name it.",
        "Make the play's size larger.",
    ),
    Reason.NOTIONAL_BELOW_MINIMUM: _F(
        _Z,
        "The order is worth less than the venue's minimum; the values name it.",
        "Make the play's size larger.",
    ),
    Reason.EQUITY_EXHAUSTED: _F(
        _Z, "There is no equity left to size an order from.", "Stop and look at the account."
    ),
    Reason.VOLATILITY_UNKNOWN: _F(
        _Z,
        "The play sizes by volatility, and the closes of its `period` did not move, or one is missing.",
        "Wait, or give the size a `notional_max`, which a market without movement is then entered with.",
    ),
    Reason.ENTRY_WORKING: _F(
        _X,
        "An entry of this play is still working.",
        "Nothing: the play asks again at a later bar. `replace: true` in its `entry` puts the new one in the "
        "place of one that rests.",
    ),
    Reason.ENTRY_EXPIRED: _F(
        _X,
        "An entry did not fill within its `valid_bars`; the rest of it was canceled.",
        "Nothing, or price it nearer to the market.",
    ),
    Reason.PRICE_UNKNOWN: _F(
        _X,
        "A price that the play computes for its entry or stop is missing, or not above 0.",
        "Nothing, where the market gives none yet (no swing, no support); else look at the `at` of the play.",
    ),
    Reason.STOP_WRONG_SIDE: _F(
        _X,
        "The stop that the play computes lies on the wrong side of the entry price: it protects nothing.",
        "Add to the entry rule that the price is beyond the level, or give the stop a `pad`.",
    ),
    Reason.STOP_PASSED: _F(
        _X,
        "A trailing or break-even stop moved to where the market already is; the position closes at market.",
        "Nothing, or give the stop a wider distance: the bar went further back than it allows.",
    ),
    Reason.STOP_MISSING: _F(
        _X,
        "No stop rested for a position for too long; it closes at market, as `stops.missing: close` asks.",
        "Find out why the venue did not take the stop: the vetoes before it say.",
    ),
    Reason.STOP_STUCK: _F(
        _X,
        "A stop was triggered and did not fill; its position closes at market, as `stops.stuck: close` asks.",
        "Look at the venue: a halted market, a price band, or a connection that lost the fill.",
    ),
    Reason.TRIGGER_PASSED: _F(
        _X,
        "A stop entry's trigger lies where the market already is: it would trade at once.",
        "Give it an offset, or a level that the market has not reached.",
    ),
    Reason.SCALE_IN_MAX: _F(
        _X,
        "The position has as many entries as the play's `max_entries` allows; said once a position.",
        "Nothing, or raise it.",
    ),
    Reason.NOTHING_TO_CLOSE: _F(
        _X, "An exit found no quantity of its own to close.", "Nothing: the position is already gone."
    ),
    Reason.POSITION_CLOSED: _F(
        _X,
        "A stop, target or exit reached the venue when the position it was for had closed already.",
        "Nothing: the order was not needed any more, and the venue did not take it.",
    ),
    Reason.EXIT_WORKING: _F(_X, "An exit of this play is still working.", "Nothing: it is on its way."),
    Reason.LATCHED: _F(
        _X,
        "The latch file forbids orders that increase exposure: somebody flattened.",
        "Arm with a reason to remove it.",
    ),
    Reason.NOT_JOURNALED: _F(
        _D,
        "The intent could not be made durable, so nothing was sent.",
        "Free disk space or make the state directory writable.",
    ),
    Reason.NO_ANSWER: _F(
        _X,
        "The venue did not answer; the order may be live.",
        "Wait for reconciliation, or look at the venue and `resolve` it; until then its symbol is held.",
    ),
    Reason.OVERFILL: _F(
        _X,
        "The venue filled more than was ordered; all of it is booked.",
        "Compare the position with the venue.",
    ),
    Reason.POST_ONLY_WOULD_TAKE: _F(
        _V, "A post-only order would have traded at once.", "Price it further from the market."
    ),
    Reason.REDUCE_ONLY_WOULD_INCREASE: _F(
        _V, "A reduce-only order found nothing to reduce.", "Nothing: the position is already gone."
    ),
    Reason.OFF_TICK: _F(_V, "A price is not a multiple of the tick size.", "Check the instrument file."),
    Reason.OFF_LOT: _F(_V, "A quantity is not a multiple of the lot size.", "Check the instrument file."),
    Reason.VENUE_MINIMUM: _F(
        _V, "The venue refused an order under its minimum.", "Make the play's size larger."
    ),
    Reason.DUPLICATE_ID: _F(
        _V, "The venue already knows this client order id.", "Nothing: the order was not sent twice."
    ),
    Reason.UNKNOWN_SYMBOL: _F(
        _V, "The venue does not trade this symbol.", "Check the play's and the data's symbol."
    ),
    Reason.ORDER_NOT_FOUND: _F(
        _V, "The venue knows no such open order.", "Nothing: it was filled or canceled before."
    ),
    Reason.IOC_REMAINDER: _F(
        _V, "The rest of an immediate order found no more volume.", "Nothing, or make the order smaller."
    ),
    Reason.FOK_UNFILLED: _F(
        _V, "A fill-or-kill order found too little volume for all of it.", "Make the order smaller."
    ),
    Reason.NO_MARKET_YET: _F(
        _V, "No price of the symbol was seen yet.", "Wait for the first tick of the feed."
    ),
    Reason.ENDED_AT_VENUE: _F(
        _V,
        "The venue, asked about the order, says that it ended; nobody had told us.",
        "Nothing, unless it happens often: then look at the connection.",
    ),
    Reason.RENEWAL_MISSED: _F(
        _V,
        "The venue's dead-man's switch was not renewed in time: it canceled the entries that rested.",
        "Find out what kept the engine silent; the play enters again by its rules.",
    ),
    Reason.VENUE_REFUSED: _F(
        _V, "The venue refused the request; the values hold its own words.", "Do what its words ask for."
    ),
    Reason.INSUFFICIENT_FUNDS: _F(
        _V, "The account has too little margin for the order.", "Make the size smaller or add margin."
    ),
    Reason.RATE_LIMITED: _F(
        _V,
        "The venue asks for fewer requests, or the budget had no room in time; nothing was executed.",
        "Nothing, unless it happens often: then trade less, or look for others who use the same key.",
    ),
    Reason.VENUE_UNREACHABLE: _F(
        _V,
        "No connection to the venue could be made; nothing was sent.",
        "Check the network and the venue's own status page.",
    ),
    Reason.CLOCK_SKEW: _F(
        _V,
        "The venue refused the request for its time; nothing was executed. The clock is measured again.",
        "Set the system's clock right (timedatectl, ntp).",
    ),
    Reason.AUTH_FAILED: _F(
        _V, "The venue does not accept our keys for this request.", "Check the keys and what they permit."
    ),
    **OPERATOR_REASONS,
}
