"""The parts of a play file besides its rules: what they become, and what is said of each mistake."""

import json
from decimal import Decimal

import jsonschema
import pytest

from engine.config.plays import parse_play
from engine.config.playschema import play_schema
from engine.config.yamlfile import load_yaml
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    DrawdownStop,
    EntryOrder,
    LadderStep,
    Level,
    LossGuard,
    LowProfit,
    PlaySpec,
    Protections,
    Rule,
    ScaleIn,
    Sizing,
    SizingKind,
    StopLevel,
    TimeStop,
    Trailing,
)

HOUR = 3600 * NS_PER_S
SMALL = """\
name: x
size: {notional: 100}
long: {enter: close > 1}
short: {enter: close < 1}
"""
ATR, PERCENT, TICKS = DistanceKind.ATR, DistanceKind.PERCENT, DistanceKind.TICKS


def play(more: str) -> PlaySpec:
    text = SMALL.replace("size: {notional: 100}\n", "") if more.startswith("size:") else SMALL
    return parse_play(text + more, "p.yaml")


def mistakes(more: str) -> list[str]:
    """The lines of the error, without the file."""
    with pytest.raises(ConfigError) as caught:
        play(more)
    return [line.removeprefix("p.yaml:") for line in str(caught.value).split("\n")]


SIZES = [
    ("{risk_percent: 1}\nstop_loss: {percent: 2}", Sizing(SizingKind.RISK_PERCENT, Decimal(1))),
    ("{volatility_target: 20}", Sizing(SizingKind.VOLATILITY_TARGET, Decimal(20), period=20)),
    (
        "{volatility_target: 20, period: 50, notional_max: 1000.0}",
        Sizing(SizingKind.VOLATILITY_TARGET, Decimal(20), Decimal(1000), 50),
    ),
    (
        "{equity_fraction: 0.5, notional_max: 10}",
        Sizing(SizingKind.EQUITY_FRACTION, Decimal("0.5"), Decimal(10)),
    ),
]


@pytest.mark.parametrize(("written", "expected"), SIZES)
def test_sizes(written, expected):
    assert play(f"size: {written}").sizing == expected


def test_exits():
    spec = play(
        'stop_loss: {at: {long: "lowest( 20 )", short: highest(20)}, pad: {atr: 0.5}}\n'
        "take_profit: [{percent: 2, close: 50}, {atr: 4, period: 7}]\n"
        "trailing: {atr: 3, after: {percent: 1}}\n"
        "break_even: {after: {percent: 1}, offset_percent: 0.1}\n"
        "time_stop: {after: 4h}\n"
    )
    assert spec.stop_level == StopLevel(Level("lowest(20)", "highest(20)"), Distance(ATR, 0.5, 14))
    assert (spec.stop_loss, spec.take_profit) == (None, None)
    assert spec.ladder == (
        LadderStep(Distance(PERCENT, 2.0), Decimal(50)),
        LadderStep(Distance(ATR, 4.0, 7), Decimal(50)),
    )
    assert spec.trailing == Trailing(Distance(ATR, 3.0, 14), Distance(PERCENT, 1.0))
    assert spec.break_even == BreakEven(Distance(PERCENT, 1.0), 0.1)
    assert spec.time_stop == TimeStop(after_ns=4 * HOUR)
    assert play("time_stop: {bars: 9}").time_stop == TimeStop(bars=9)
    assert play("trailing: {percent: 2}").trailing == Trailing(Distance(PERCENT, 2.0))


def test_a_price_for_both_sides_and_for_those_that_are_traded():
    assert play("stop_loss: {at: vwap()}").stop_level == StopLevel(Level("vwap()", "vwap()"))
    long_only = parse_play(
        SMALL.replace("short: {enter: close < 1}\n", "") + "stop_loss: {at: vwap()}", "p.yaml"
    )
    assert long_only.stop_level == StopLevel(Level("vwap()"))


ENTRIES = [
    ("{type: limit}", EntryOrder(OrderKind.LIMIT)),
    (
        "{type: limit, offset: {ticks: 3}, post_only: true, valid_bars: 4, replace: true}",
        EntryOrder(OrderKind.LIMIT, Distance(TICKS, 3.0), post_only=True, valid_bars=4, replace=True),
    ),
    (
        "{type: stop, at: {long: highest(20), short: lowest(20)}, offset: {percent: 0.1}}",
        EntryOrder(OrderKind.STOP, Distance(PERCENT, 0.1), Level("highest(20)", "lowest(20)")),
    ),
    ("{type: market, time_in_force: fok}", EntryOrder(OrderKind.MARKET, tif=TimeInForce.FOK)),
    ("{type: market}", None),
]


@pytest.mark.parametrize(("written", "expected"), ENTRIES)
def test_entries(written, expected):
    assert play(f"entry: {written}").entry == expected


def test_what_a_play_has_anyway_leaves_its_hash_alone():
    assert play("entry: {type: market}\nprotections: {}").hash == play("").hash
    assert play("take_profit: [{percent: 2, close: 100}]").hash != play("take_profit: {percent: 2}").hash


def test_further_entries():
    every = play("scale_in: {max_entries: 3, every: {percent: 1}, size_factor: 0.50}").scale_in
    assert every == ScaleIn(3, every=Distance(PERCENT, 1.0), size_factor=Decimal("0.5"))
    text = "stop_loss: {percent: 5}\nscale_in: {max_entries: 2, when: close>open, direction: against}"
    assert play(text).scale_in == ScaleIn(2, when=Rule("close > open"), against=True)


def test_protections():
    text = (
        "protections:\n  cooldown: {bars: 5}\n  trades_per_day_max: 6\n"
        "  stop_loss_guard: {trades: 3, within: 6h, pause: 12h}\n"
        "  low_profit: {trades: 4, within: 1d, min_profit_percent: -0.5, pause: 30m}\n"
        "  drawdown: {percent: 5, within: 7d, pause: 2d}\n"
    )
    assert play(text).protections == Protections(
        cooldown_bars=5,
        trades_per_day_max=6,
        stop_loss_guard=LossGuard(3, 6 * HOUR, 12 * HOUR),
        low_profit=LowProfit(4, NS_PER_DAY, -0.5, HOUR // 2),
        drawdown=DrawdownStop(5.0, 7 * NS_PER_DAY, 2 * NS_PER_DAY),
    )


def test_numbers_may_be_parameters():
    text = "params: {n: 3, far: 1.5}\ntake_profit: [{percent: $far, close: 40}]\ntime_stop: {bars: $n}"
    spec = play(text)
    assert spec.ladder == (LadderStep(Distance(PERCENT, 1.5), Decimal(40)),)
    assert spec.time_stop == TimeStop(bars=3)


MISTAKES = [
    ("size: {risk_percent: 1}", "4:22: size.risk_percent: needs a stop_loss: the risk is counted from"),
    ("size: {risk_percent: 101}", "4:22: size.risk_percent: must be at most 100, and is 101"),
    ("size: {volatility_target: 20, period: 1}", "4:39: size.period: must be at least 2, and is 1"),
    ("size: {notional: 5, period: 9}", "4:1: size: a period belongs to volatility_target"),
    ("size: {notional: 5, notional_max: 9}", "4:1: size: a notional_max does not belong to notional"),
    ("stop_loss: {percent: 101}", "5:22: stop_loss.percent: must be at most 100, and is 101"),
    ("stop_loss: {percent: 1, at: close}", "5:1: stop_loss: must hold one of percent, atr and at"),
    ("trailing: {percent: 1, period: 3}", "5:1: trailing: a period belongs to atr"),
    ("stop_loss: {percent: 1, pad: {atr: 1}}", "5:1: stop_loss: a pad belongs to at"),
    ("stop_loss: {at: close > 5}", "5:17: stop_loss.at: a price is a number, and 'close > 5' is a condition"),
    ("stop_loss: {at: lowwest(5)}", "5:17: stop_loss.at: there is no 'lowwest'; did you mean 'lowest'?"),
    ("stop_loss: {at: {long: lowest(5)}}", "5:13: stop_loss.at: must hold short, too: the play enters short"),
    ("stop_loss: {at: {long: lowwest(5)}}", "5:24: stop_loss.at.long: there is no 'lowwest'"),
    ("stop_loss: {at: {}}", "5:13: stop_loss.at: must hold long or short, or be one price for both"),
    ("stop_loss: {at: {lng: close}}", "5:23: stop_loss.at.lng: there is no such field; did you mean 'long'?"),
    ("stop_loss: {at: 5}", "5:17: stop_loss.at: must be a text, and is 5"),
    (
        "take_profit: [{percent: 1, close: 60}, {percent: 2, close: 50}]",
        "5:1: take_profit: closes 110 percent of the position; its parts must be 100 or less together",
    ),
    (
        "take_profit: [{percent: 1}, {percent: 2, close: 50}]",
        "5:1: take_profit: must say what each part but the last closes, as in close: 50",
    ),
    (
        "take_profit: [{percent: 1, close: 100}, {percent: 2}]",
        "5:1: take_profit: leaves nothing for its last part",
    ),
    ("take_profit: []", "5:1: take_profit: must be a list of at least 1"),
    ("take_profit: [{percent: 1, close: 0}]", "5:35: take_profit[0].close: must be more than 0, and is 0"),
    (
        "take_profit: [{percent: 1, clse: 5}]",
        "5:34: take_profit[0].clse: there is no such field; did you mean",
    ),
    ("take_profit: {percnt: 1}", "5:23: take_profit.percnt: there is no such field; did you mean 'percent'?"),
    ("take_profit: [3]", "5:15: take_profit[0]: must hold fields (percent, atr, period, close), and is 3"),
    ("take_profit: {percent: 1, atr: 2}", "5:1: take_profit: must hold either percent or atr"),
    ("take_profit: 3", "5:14: take_profit: must hold fields (percent, atr, period), and is 3"),
    ("trailing: {percent: 200}", "5:21: trailing.percent: must be at most 100, and is 200"),
    ("break_even: {offset_percent: 1}", "5:1: break_even.after: must be given"),
    (
        "break_even: {after: {percent: 1}, offset_percent: 1}",
        "5:1: break_even: must have an offset_percent below after",
    ),
    ("time_stop: {bars: 3, after: 4h}", "5:1: time_stop: must hold either bars or after"),
    ("time_stop: {after: soon}", "5:20: time_stop.after: must be a whole number and s, m, h or d, as in 4h"),
    ("time_stop: {bars: 0}", "5:19: time_stop.bars: must be at least 1, and is 0"),
    ("entry: {type: limt}", "5:15: entry.type: must be 'market', 'limit' or 'stop', and is 'limt'"),
    ("entry: {offset: {ticks: 3}}", "5:1: entry.type: must be given"),
    (
        "entry: {type: market, offset: {ticks: 3}}",
        "5:1: entry: a market order trades at once: offset belongs",
    ),
    ("entry: {type: stop}", "5:1: entry: a stop needs offset or at: at the close it would trade at once"),
    ("entry: {type: stop, at: close, post_only: true}", "5:1: entry: post_only belongs to a limit order"),
    (
        "entry: {type: limit, time_in_force: fok, post_only: true}",
        "5:1: entry: post_only belongs to a limit order with time_in_force gtc",
    ),
    (
        "entry: {type: limit, time_in_force: ioc, valid_bars: 3}",
        "5:1: entry: valid_bars and replace belong to an order that rests",
    ),
    ("entry: {type: limit, post_only: 1}", "5:33: entry.post_only: must be true or false, and is 1"),
    ("entry: {type: limit, offset: {percent: 1, ticks: 1}}", "5:22: entry.offset: must hold one of percent,"),
    ("entry: {type: limit, valid_bars: 0}", "5:34: entry.valid_bars: must be at least 1, and is 0"),
    ("entry: {type: limit, at: {short: close}}", "5:22: entry.at: must hold long, too: the play enters long"),
    ("scale_in: {every: {percent: 1}}", "5:1: scale_in.max_entries: must be given"),
    ("scale_in: {max_entries: 1, every: {percent: 1}}", "5:25: scale_in.max_entries: must be at least 2"),
    ("scale_in: {max_entries: 2}", "5:1: scale_in: must hold when (a rule), every (a distance) or both"),
    (
        "scale_in: {max_entries: 2, every: {percent: 1}, direction: against}",
        "5:60: scale_in.direction: needs a stop_loss: a position that grows as it loses must have an end",
    ),
    ("scale_in: {max_entries: 2, when: close}", "5:34: scale_in.when: a rule is a condition"),
    (
        "scale_in: {max_entries: 2, when: close > 1, size_factor: 11}",
        "5:58: scale_in.size_factor: must be at",
    ),
    ("protections: {cooldown: 5}", "5:25: protections.cooldown: must hold fields (bars), and is 5"),
    (
        "protections: {drawdown: {percent: 5, within: 7d}}",
        "5:15: protections.drawdown.pause: must be given",
    ),
    (
        "timeframe: trade\nsymbols: [BTCUSDT, ETHUSDT]\nlegs: [a, b]",
        "6:1: symbols: must name one: trades of",
    ),
    (
        "timeframe: trade\nprotections: {cooldown: {bars: 5}}",
        "6:15: protections.cooldown: is the time of some bars: with timeframe trade there is none",
    ),
    ("timeframe: trades", "5:12: timeframe: must be base, trade, or a whole number and s, m, h or d"),
    ("protections: {cooldwn: {bars: 5}}", "5:15: protections.cooldwn: there is no such field; did you mean"),
]


def test_a_volatility_is_not_measured_trade_by_trade():
    with pytest.raises(ConfigError, match=r"p\.yaml:4:27: size\.volatility_target: needs bars of a length"):
        play("size: {volatility_target: 9}\ntimeframe: trade")


@pytest.mark.parametrize(("more", "expected"), MISTAKES)
def test_a_mistake_is_named_with_its_place_and_field(more, expected):
    found = mistakes(more)
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    "more",
    [
        *(f"size: {written}" for written, _ in SIZES),
        *(f"entry: {written}" for written, _ in ENTRIES),
        'stop_loss: {at: {long: "lowest(20)", short: highest(20)}, pad: {atr: 0.5}}',
        "stop_loss: {at: vwap()}",
        "take_profit: [{percent: 2, close: $x}, {atr: 4, period: 7}]",
        "scale_in: {max_entries: 3, every: {percent: 1}}",
        "protections: {cooldown: {bars: 5}}",
    ],
)
def test_the_schema_takes_what_is_right(more):
    text = SMALL.replace("size: {notional: 100}\n", "") if more.startswith("size:") else SMALL
    jsonschema.validate(load_yaml(text + more, "p")[0], play_schema())


@pytest.mark.parametrize(
    "more",
    [
        "size: {risk_percent: 101}",
        "entry: {type: limt}",
        "stop_loss: {at: 5}",
        "take_profit: [3]",
        "scale_in: {every: {percent: 1}}",
        "protections: {cooldwn: {bars: 5}}",
    ],
)
def test_the_schema_refuses_what_is_wrong(more):
    data = load_yaml(SMALL.replace("size: {notional: 100}\n", "") + more, "p")[0]
    data.setdefault("size", {"notional": 1})
    assert not jsonschema.Draft202012Validator(play_schema()).is_valid(data)


def test_the_schema_says_prices_and_rules_where_they_stand():
    definitions = json.loads(json.dumps(play_schema()))["$defs"]
    assert definitions["ScaleInPart"]["properties"]["when"] == {"$ref": "#/$defs/rule"}
    assert definitions["Sides"]["properties"]["long"] == {"$ref": "#/$defs/price"}
    assert {"$ref": "#/$defs/price"} in definitions["StopLoss"]["properties"]["at"]["anyOf"]
