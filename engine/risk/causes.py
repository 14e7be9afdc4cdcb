"""Why a risk mode is latched: each cause with what it measures, the limit it is held against and its mode."""

from enum import StrEnum

import msgspec

from engine.domain.modes import RiskMode


class RiskCause(StrEnum):
    """What latches a risk mode; only a person with a reason moves it back."""

    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSSES_IN_A_ROW = "losses_in_a_row"
    SLIPPAGE = "slippage"
    REJECTS = "rejects"
    RETRIES = "retries"
    UNKNOWN_ORDER = "unknown_order"
    STALE_DATA = "stale_data"
    RECONCILE_LAG = "reconcile_lag"
    CLOCK_OFFSET = "clock_offset"
    OUTAGE = "outage"
    AUTH = "auth"
    MODEL_DEMOTION = "model_demotion"


class CauseRule(msgspec.Struct, frozen=True):
    """One cause: the mode it latches, the setting that is its limit, its unit and what it measures.

    `setting` is one of `limits:`, of another section where it has a dot, and empty where there is none.
    """

    mode: RiskMode
    setting: str
    unit: str
    about: str


_REDUCE, _OBSERVE = RiskMode.REDUCE, RiskMode.OBSERVE
CAUSES: dict[RiskCause, CauseRule] = {
    RiskCause.DAILY_LOSS: CauseRule(_REDUCE, "daily_loss_max", "", "The loss of equity since 00:00 UTC."),
    RiskCause.DRAWDOWN: CauseRule(
        _REDUCE,
        "drawdown_max_percent",
        "%",
        "The fall of equity from its peak, since a person last set the mode back.",
    ),
    RiskCause.LOSSES_IN_A_ROW: CauseRule(
        _REDUCE, "losses_in_a_row_max", "", "Closed trades that lost, one after another, over all plays."
    ),
    RiskCause.SLIPPAGE: CauseRule(
        _REDUCE,
        "slippage_max_bps",
        "bps",
        "How much worse than expected the last fills at market and of stops were, on average: than the mark "
        "at the submit, or than the trigger.",
    ),
    RiskCause.REJECTS: CauseRule(
        _REDUCE, "reject_max_percent", "%", "The part of the last orders that the venue refused."
    ),
    RiskCause.RETRIES: CauseRule(
        _REDUCE, "retries_max", "", "Calls to the venue that failed or got no answer, within the window."
    ),
    RiskCause.UNKNOWN_ORDER: CauseRule(
        _REDUCE, "unknown_order_max_s", "s", "The age of the oldest order whose fate nobody knows."
    ),
    RiskCause.STALE_DATA: CauseRule(
        _REDUCE, "data_silence_max_s", "s", "How long the most silent symbol has had no data."
    ),
    RiskCause.RECONCILE_LAG: CauseRule(
        _REDUCE, "reconcile_lag_max_s", "s", "The time since books and venue were last compared as a whole."
    ),
    RiskCause.CLOCK_OFFSET: CauseRule(
        _REDUCE, "clock_offset_max_ms", "ms", "How far our clock and the venue's are apart."
    ),
    RiskCause.OUTAGE: CauseRule(
        _REDUCE, "breaker.outage_latch_s", "s", "How long a channel or feed of the venue has been gone."
    ),
    RiskCause.AUTH: CauseRule(_OBSERVE, "", "", "The venue refuses our keys."),
    RiskCause.MODEL_DEMOTION: CauseRule(_REDUCE, "", "", "A play's model is no longer what it was."),
}


class Latched(msgspec.Struct, frozen=True):
    """A cause that latched, when (ns UTC) and at what."""

    cause: RiskCause
    since: int
    text: str
