"""The parts of a play in words, and what a play check counts of them."""

import pytest

from engine.config.plays import parse_play
from engine.strategy.explain import explain
from engine.strategy.parts import parts_of

REST = "name: x\nlong: {enter: close > 1}\n"


def said(more: str, size: str = "{notional: 1000}") -> list[str]:
    spec = parse_play(f"{REST}size: {size}\n{more}", "p")
    return [f"{part.name}: {part.text}" for part in parts_of(spec)]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("{notional: 1000}", "worth 1000"),
        ("{equity_fraction: 0.25, notional_max: 500}", "worth 25 % of equity, worth at most 500"),
        ("{risk_percent: 0.5}", "0.5 % of equity is lost at the stop"),
        ("{volatility_target: 20, period: 30}", "varies by 20 % a year, measured over 30 bars"),
    ],
)
def test_sizes(size, text):
    assert said("stop_loss: {percent: 2}", size)[0] == f"size: {text}"


PARTS = [
    ("stop_loss: {percent: 2}", "stop: 2 % from the entry price"),
    ("stop_loss: {at: lowest(5)}", "stop: at its price when the entry is signaled"),
    (
        "stop_loss: {at: lowest(5), pad: {atr: 1}}",
        "stop: at its price when the entry is signaled, 1 ATR(14) further away",
    ),
    ("take_profit: {atr: 2, period: 7}", "target: 2 ATR(7) from the entry price"),
    ("take_profit: [{percent: 2, close: 40}]", "target: 2 % from the entry price for 40 %"),
    ("trailing: {percent: 2}", "trailing: 2 % behind the best price, from the start"),
    (
        "trailing: {percent: 2, after: {percent: 1}}",
        "trailing: 2 % behind the best price, once 1 % in profit",
    ),
    ("break_even: {after: {percent: 1}}", "break-even: at the entry price, once 1 % in profit"),
    (
        "break_even: {after: {percent: 1}, offset_percent: 0.2}",
        "break-even: 0.2 % better than the entry price, once 1 % in profit",
    ),
    ("time_stop: {bars: 9}", "time stop: after 9 bars"),
    ("time_stop: {after: 90m}", "time stop: after 90m"),
    ("entry: {type: limit}", "entry: limit at the close"),
    ("entry: {type: limit, at: lowest(5)}", "entry: limit at its price"),
    (
        "entry: {type: limit, offset: {ticks: 3}, post_only: true, valid_bars: 2, replace: true}",
        "entry: limit 3 ticks better than the close, post-only, for 2 bars, replaced by a later signal",
    ),
    (
        "entry: {type: stop, at: highest(5), offset: {percent: 1}, time_in_force: ioc}",
        "entry: stop 1 % worse than its price, ioc",
    ),
    ("entry: {type: market, time_in_force: fok}", "entry: market, fok"),
    (
        "scale_in: {max_entries: 3, every: {percent: 1}}",
        "scale-in: 1 % in favour of the position from the last entry, up to 3 entries",
    ),
    (
        "scale_in: {max_entries: 2, when: close > 5, size_factor: 0.5}",
        (
            "scale-in: any step in favour of the position from the last entry, where its rule is true, "
            "up to 2 entries, each 0.5 times the one before"
        ),
    ),
    ("protections: {cooldown: {bars: 5}}", "protection: rests for 5 bars after a trade"),
    ("protections: {trades_per_day_max: 5}", "protection: opens at most 5 positions a day"),
    (
        "protections: {stop_loss_guard: {trades: 3, within: 6h, pause: 12h}}",
        "protection: 3 stops with a loss within 6h pauses it for 12h",
    ),
    (
        "protections: {low_profit: {trades: 3, within: 6h, pause: 1d, min_profit_percent: 1}}",
        "protection: less than 1 % from at least 3 trades within 6h pauses it for 1d",
    ),
    (
        "protections: {drawdown: {percent: 3, within: 7d, pause: 1d}}",
        "protection: a fall of 3 % within 7d pauses it for 1d",
    ),
]


@pytest.mark.parametrize(("more", "text"), PARTS)
def test_parts(more, text):
    assert said(more)[1:] == [text]


def test_a_position_that_is_averaged_down_is_said_to_be():
    (*_, last) = said(
        "stop_loss: {percent: 9}\nscale_in: {max_entries: 2, when: close > 1, direction: against}"
    )
    assert last.startswith("scale-in: any step against the position")


def test_a_check_draws_the_prices_and_rules_of_the_parts_and_counts_their_warm_up():
    facts = explain(
        parse_play(
            f"{REST}short: {{enter: close < 1}}\nsize: {{volatility_target: 20, period: 40}}\n"
            "entry: {type: stop, at: {long: highest(30), short: lowest(25)}}\n"
            "stop_loss: {at: vwap(), pad: {atr: 1, period: 21}}\n"
            "trailing: {atr: 2, period: 33}\n"
            "scale_in: {max_entries: 2, when: rsi(50) > 60}\n",
            "p",
        )
    )
    names = ["long_entry", "short_entry", "scale_in_when", "long_entry_at", "short_entry_at", "stop_at"]
    assert [rule.name for rule in facts.rules] == names
    assert facts.rules[3].text == "highest(30)"
    assert facts.warmup_bars == 51, "the RSI of 50 takes one more than the others"
    assert facts.fields == ("close", "open", "high", "low", "volume")
    for indicator in ("atr(21)", "atr(33)", "stddev(roc(1), 40)", "vwap()", "lowest(25)"):
        assert indicator in facts.indicators
    only = explain(parse_play(f"{REST}size: {{notional: 1}}\nstop_loss: {{at: lowest(70)}}", "p"))
    assert (only.rules[-1].name, only.warmup_bars) == ("long_stop_at", 70)
    assert only.streams[0].lookback == 70
