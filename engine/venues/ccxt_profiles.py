"""What is particular about each venue that orders can be sent to. No ccxt here: these are plain facts."""

import difflib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from engine.domain.errors import ConfigError
from engine.venues.ccxt_ids import IdForm

LOCAL = "local"
# Raise it with every change of the adapter that could change what reaches a venue: the order cases of every
# venue must pass again.
ADAPTER_VERSION = 1


class Endpoint(StrEnum):
    """Which of a venue's sites is meant."""

    LIVE = "live"
    DEMO = "demo"  # the venue's own paper account, on its real prices
    TESTNET = "testnet"
    LOCAL = "local"  # the exchange of `trader-tui venue`


class Lookup(StrEnum):
    """How one order is asked about by our id."""

    LISTS = "lists"  # the open orders, then the ended ones
    SINGLE = "single"  # a request of its own


class Switch(StrEnum):
    """What a venue's dead-man's switch waits for."""

    RENEWAL = "renewal"  # a call, again and again
    LINE = "line"  # the private stream: set once, it goes off when that stays away


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How orders are spoken of with one venue. Requests of a kind: see ratelimit.py for what they cost."""

    name: str
    ccxt_id: str
    id_form: IdForm = IdForm.PLAIN
    id_max: int  # characters
    find_param: str  # holds our id where an order is canceled or asked about
    lookup: Lookup = Lookup.SINGLE
    options: Mapping[str, Any] = {}
    position_params: Mapping[str, Any] = {}  # said with every order, for one-way mode
    trade_id_key: str = ""  # where a raw trade holds our id; empty: nowhere, the order is asked for it
    list_path: tuple[str, ...] = ()  # where a raw list stands in an answer; empty: the answer is the list
    cursor_key: str = ""  # beside the list: where the next page begins
    page_rows: int = 50
    settle_param: str = ""  # names the currency whose orders and positions are listed
    trades_by_symbol: bool = False  # our trades are listed for one symbol at a time only
    triggers_apart: bool = False  # stop orders are listed by a request of their own
    tells_permissions: bool = False  # of our keys
    has_demo: bool = False
    has_testnet: bool = True
    subscribe_acks: int = 0  # answers to subscriptions after which the private stream stands
    # Why its stops are not to be relied on, by what ccxt sends for them: entries are refused.
    stop_flaw: str = ""
    switch: Switch = Switch.RENEWAL
    switch_topic: str = ""  # of the private stream, where the switch waits for that
    switch_max_s: int = 3_600
    # Whether its cancel-all-after leaves reduce-only orders alone. It must be known, not hoped for.
    spares_protection: bool = False


_BYBIT_OPTIONS: Mapping[str, Any] = {
    "defaultType": "swap",
    "defaultSubType": "linear",
    "fetchMarkets": {"types": ["linear"]},
    # Said here, they need not be asked for; every account is a unified one by now.
    "enableUnifiedMargin": False,
    "enableUnifiedAccount": True,
    "unifiedMarginStatus": 6,
}

# Bybit writes that its switch cancels all active orders, and nothing of those that wait for a trigger: so it
# is not known to spare stops. The local exchange's does.
_BYBIT = Profile(
    name="bybit",
    ccxt_id="bybit",
    id_max=36,
    find_param="orderLinkId",
    lookup=Lookup.LISTS,
    options=_BYBIT_OPTIONS,
    position_params={"positionIdx": 0},
    trade_id_key="orderLinkId",
    list_path=("result", "list"),
    cursor_key="nextPageCursor",
    settle_param="settleCoin",
    tells_permissions=True,
    has_demo=True,
    subscribe_acks=2,
    switch=Switch.LINE,
    switch_topic="dcp.future",
    switch_max_s=300,
)

PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        _BYBIT,
        msgspec.structs.replace(
            _BYBIT, name=LOCAL, has_demo=False, has_testnet=False, spares_protection=True
        ),
        Profile(
            name="binanceusdm",
            ccxt_id="binanceusdm",
            id_max=36,
            find_param="origClientOrderId",
            options={"defaultType": "swap", "warnOnFetchOpenOrdersWithoutSymbol": False},
            trades_by_symbol=True,
            triggers_apart=True,
            stop_flaw="ccxt sends the cancel of a stop, which is an algo order there, to the plain orders",
            has_demo=True,
            has_testnet=False,  # ccxt has given it up for futures
        ),
        Profile(
            name="okx",
            ccxt_id="okx",
            id_max=32,
            find_param="clOrdId",
            options={"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}},
            trade_id_key="clOrdId",
            list_path=("data",),
            triggers_apart=True,
            stop_flaw="ccxt sends a stop without our id, and its cancel to the plain orders",
        ),
        Profile(
            name="hyperliquid",
            ccxt_id="hyperliquid",
            id_form=IdForm.HEX_128,
            id_max=34,
            find_param="clientOrderId",
            options={"defaultType": "swap"},
            trade_id_key="cloid",
            stop_flaw="ccxt sends no stop at market there without a price",
        ),
        Profile(
            name="krakenfutures",
            ccxt_id="krakenfutures",
            id_max=100,
            find_param="cliOrdId",
            trade_id_key="cliOrdId",
            stop_flaw="ccxt sends a cancel by our id with the order id None",
        ),
    )
}


def profile_of(venue: str) -> Profile:
    """Return a venue's profile. Raises ConfigError that names what is close, or what there is."""
    if venue in PROFILES:
        return PROFILES[venue]
    close = difflib.get_close_matches(venue, PROFILES, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"orders can be sent to {', '.join(PROFILES)}"
    raise ConfigError(f"no orders can be sent to {venue!r}; {hint}", field="venue")
