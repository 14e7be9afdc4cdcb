"""Play files: what they become, and what is said of each mistake, with its line, column and field."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.config.packaged import data_root
from engine.config.plays import load_play, parse_play
from engine.domain.errors import ConfigError
from engine.domain.play import Distance, DistanceKind, PlaySpec, Rule, Sizing, SizingKind
from engine.strategy.legs import evaluator_of
from engine.strategy.model import UNASKED

SHIPPED = sorted((data_root() / "configs" / "plays").glob("*.yaml"))
FULL = """
name: full_play
timeframe: 5m
symbols: [BTCUSDT, "ETH/USDT:USDT"]
legs: [btc, eth]
size: {notional: 1000.50}
long:
  enter: >
    ema(close, 12) crosses_above
    ema(26)
  exit: close<open
short: {enter: close > 3, exit: "close > 4"}
stop_loss: {percent: 2}
take_profit: {atr: 1.5, period: 20}
"""
SMALL = """
name: x
size: {equity_fraction: 0.5}
long: {enter: close > 1}
"""


def mistakes(text: str) -> list[str]:
    """The lines of the error, without the file."""
    with pytest.raises(ConfigError) as caught:
        parse_play(text, "p.yaml")
    return [line.removeprefix("p.yaml:") for line in str(caught.value).split("\n")]


def test_a_full_play():
    assert parse_play(FULL, "p.yaml") == PlaySpec(
        name="full_play",
        timeframe="5m",
        symbols=("BTCUSDT", "ETH/USDT:USDT"),
        legs=("btc", "eth"),
        sizing=Sizing(SizingKind.NOTIONAL, Decimal("1000.5")),
        long_entry=Rule("ema(12) crosses_above ema(26)"),
        long_exit=Rule("close < open"),
        short_entry=Rule("close > 3"),
        short_exit=Rule("close > 4"),
        stop_loss=Distance(DistanceKind.PERCENT, 2.0),
        take_profit=Distance(DistanceKind.ATR, 1.5, 20),
    )


def test_a_small_play_takes_the_defaults():
    assert parse_play(SMALL, "p.yaml") == PlaySpec(
        name="x", sizing=Sizing(SizingKind.EQUITY_FRACTION, Decimal("0.5")), long_entry=Rule("close > 1")
    )


def test_an_atr_has_a_usual_period():
    assert parse_play(f"{SMALL}stop_loss: {{atr: 2}}", "p").stop_loss == Distance(DistanceKind.ATR, 2.0, 14)


@pytest.mark.parametrize(
    ("before", "after"),
    [("0.5", "0.50"), ("0.5", "5e-1"), ("close > 1", "(close)>1.0"), ("name: x", "name: x  # a comment")],
)
def test_what_does_not_count_leaves_the_hash_alone(before, after):
    assert parse_play(SMALL.replace(before, after), "p").hash == parse_play(SMALL, "p").hash


def test_what_counts_changes_the_hash():
    assert parse_play(SMALL.replace("> 1", "> 2"), "p").hash != parse_play(SMALL, "p").hash


LENGTHS = {"tape_reader": "trade", "model_drift": "1m"}  # the others are of the data's own


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_plays_load(path: Path):
    spec = load_play(path)
    assert (spec.name, spec.timeframe) == (path.stem, LENGTHS.get(path.stem, "base"))
    assert evaluator_of(spec, *(spec.legs or ("BTCUSDT",)), models=UNASKED).warmup_bars > 1
    assert path.read_text("utf-8").startswith("# "), "the idea comes first"


def test_the_plays_that_ship_use_the_width_of_the_language():
    texts = {path.stem: path.read_text("utf-8") for path in SHIPPED}
    assert len(texts) >= 8
    for feature in (
        "@1h",
        "legs:",
        "params:",
        "define:",
        "session_high",
        "break_of_structure",
        "within_last",
        "zscore",
        "scale_in:",
        "trailing:",
        "type: limit",
        "close: 50",
        "risk_percent",
        "protections:",
    ):
        assert any(feature in text for text in texts.values()), feature


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("name: x", "name: Ema"), "2:7: name: must be 1 to 32 of a-z, 0-9 and _"),
        (("name: x", "name: 5"), "2:7: name: must be a text, and is 5"),
        (("name: x\n", ""), "2:1: name: must be given"),
        (("name: x", "nam: x"), "2:1: name: must be given"),
        (("0.5}", "1.5}"), "3:25: size.equity_fraction: must be at most 1, and is 1.5"),
        (("0.5}", "0}"), "3:25: size.equity_fraction: must be more than 0, and is 0"),
        (("0.5}", ".nan}"), "3:25: size.equity_fraction: must be a number, and is nan"),
        (("0.5}", "much}"), "3:25: size.equity_fraction: must be a number, and is 'much'"),
        (("0.5}", "true}"), "3:25: size.equity_fraction: must be a number, and is True"),
        (
            ("0.5}", "0.5, notional: 3}"),
            "3:1: size: must hold one of notional, equity_fraction, ",
        ),
        (
            ("equity_fraction: 0.5", ""),
            "3:1: size: must hold one of notional, equity_fraction, ",
        ),
        (
            ("{equity_fraction: 0.5}", "5"),
            "3:7: size: must hold fields (notional, equity_fraction, risk_percent, volatility_target",
        ),
        (("equity_fraction", "fraction"), "3:18: size.fraction: there is no such field; did you mean"),
        (
            ("close > 1", "sma(close, 20) > 1"),
            "4:26: long.20) > 1: there is no such field; within { } a rule with a comma is written in quotes",
        ),
        (("enter:", "enterr:"), "4:16: long.enterr: there is no such field; did you mean 'enter'?"),
        (
            ("enter:", "exit:"),
            "4:1: long: must hold an enter rule; without one it never has anything to exit",
        ),
        (("long: {enter: close > 1}", ""), "2:1: must hold long or short, with an enter rule"),
        (("close > 1", "close > emma(3)"), "4:23: long.enter: there is no 'emma'; did you mean 'ema'?"),
        (("close > 1", "'close > emma(3)'"), "4:24: long.enter: there is no 'emma'; did you mean 'ema'?"),
        (
            ("close > 1", '"close > \\x65mma(3)"'),
            "4:15: long.enter: there is no 'emma'; did you mean 'ema'? (col",
        ),
        (("close > 1", "5"), "4:15: long.enter: must be a text, and is 5"),
        (
            ("long: {enter: close > 1}", "long:\n  enter: |\n    close >\n    opeen"),
            "7:5: long.enter: there is no 'opeen'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_field(change, expected):
    assert any(line.startswith(expected) for line in mistakes(SMALL.replace(*change)))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "timeframe: 5x",
            "5:12: timeframe: must be base, trade, or a whole number and s, m, h or d",
        ),
        ("timeframe: 0m", "5:12: timeframe: must be base"),
        ("timeframe: 60", "5:12: timeframe: must be a text, and is 60"),
        ("symbols: BTCUSDT", "5:10: symbols: must be a list, as in [BTCUSDT], and is 'BTCUSDT'"),
        ("symbols: [A, B C]", "5:14: symbols[1]: must be a symbol such as BTCUSDT"),
        ("symbols: [A, A]", "2:1: must name each of its symbols once"),
        ("stop_loss: 3", "5:12: stop_loss: must hold fields (percent, atr, period, at, pad), and is 3"),
        ("stop_loss: {percent: 101}", "5:22: stop_loss.percent: must be at most 100, and is 101"),
        ("stop_loss: {percent: 0}", "5:22: stop_loss.percent: must be more than 0, and is 0"),
        ("stop_loss: {percent: 1, atr: 1}", "5:1: stop_loss: must hold one of percent, atr and at"),
        ("stop_loss: {percent: 1, period: 3}", "5:1: stop_loss: a period belongs to atr"),
        ("stop_loss: {atr: 1, period: 0}", "5:29: stop_loss.period: must be at least 1, and is 0"),
        ("stop_loss: {atr: 1, period: 1.5}", "5:29: stop_loss.period: must be a whole number, and is 1.5"),
        ("stop_loss: {atr: 1, period: 999999}", "5:29: stop_loss.period: must be at most 100000"),
        ("take_profit: {percent: -1}", "5:24: take_profit.percent: must be more than 0, and is -1"),
        ("legs: [a, a]", "2:1: must name each of its legs once"),
        ("legs: [a, close]", "5:11: legs[1]: 'close' is a word of the rule language; choose another name"),
        ("legs: [a, b-c]", "5:11: legs[1]: must be a word of letters, digits and _, as in eth"),
        (
            "symbols: [A, B.C]",
            "2:1: must hold a name for each of its symbols in legs, as in legs: [btc, eth]",
        ),
        ("symbols: [A, B]\nlegs: [a]", "2:1: must hold a name for each of its symbols in legs"),
        ("symbols: [A]\nlegs: [a, b]", "2:1: must hold a name for each of its symbols in legs"),
        ("symbols: [A,B,C,D,E,F,G,H,I,J,K]", "5:1: symbols: must be a list of at most 10"),
        ("name: y", "5:1: name: the key is already in line 2"),
        ("short: [", "6:1: this is not YAML"),
        (
            "short: {enter: close[1] > 2}",
            "5:21: this is not YAML: while parsing a flow mapping expected ',' or '}', but got '['; within",
        ),
    ],
)
def test_a_mistake_in_an_optional_field(more, expected):
    assert mistakes(f"{SMALL}{more}\n")[0].startswith(expected)


def test_where_a_rule_of_several_lines_is_wrong():
    text = SMALL.replace("{enter: close > 1}", "\n  enter: |\n    close >\n      opeen")
    assert mistakes(text)[0].startswith("7:7: long.enter: there is no 'opeen'; did you mean 'open'?")


def test_all_mistakes_of_a_file_are_told_together_in_its_order():
    text = "name: X\nsize: {notional: 0}\nlong: {enter: emma(3) > 1, leave: 3}\nshort: {enter: close}\n"
    assert [line.split(": ")[:2] for line in mistakes(text)] == [
        ["1:7", "name"],
        ["2:18", "size.notional"],
        ["3:15", "long.enter"],
        ["3:35", "long.leave"],
        ["4:16", "short.enter"],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: the file is empty; a play is written as `name: value` lines"),
        ("# nothing", "1: the file is empty"),
        ("[1, 2]", "1: this is not a play; a play is written as `name: value` lines"),
        ("just words", "1: this is not a play"),
    ],
)
def test_a_file_that_holds_no_play(text, expected):
    assert mistakes(text)[0].startswith(expected)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.yaml: the file cannot be read: No such file"):
        load_play(tmp_path / "none.yaml")


def test_a_file_that_is_too_large(tmp_path: Path):
    path = tmp_path / "large.yaml"
    path.write_text(SMALL + "#" * 300_000)
    with pytest.raises(ConfigError, match=r"large\.yaml: the file is larger than 256 kB"):
        load_play(path)


def test_a_bomb_of_aliases():
    lines = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases" in mistakes("\n".join(["a: &a [1]", *lines]))[0]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("close > emma(3)", "5:18"),
        ('"close > emma(3)"', "5:19"),
        ("'close > emma(3)'", "5:19"),
        ("close\n     > emma(3)", "6:8"),
        ("|\n    close >\n      emma(3)", "7:7"),
        (">-\n    close\n\n    > emma(3)", "8:7"),
        ("close > (ema(3)", "5:25"),
        ("|\n    close > (ema(3)\n\n", "6:20"),
        ('"close > \\u0065mma(3)"', "5:10"),
        ("'close > ''3'''", "5:19"),
    ],
)
def test_a_place_within_a_rule_is_a_place_in_the_file(written, place):
    text = SMALL.replace("{enter: close > 1}", f"\n  enter: {written}")
    assert mistakes(text)[0].startswith(f"{place}: long.enter: ")


def test_a_place_that_escapes_hide_is_told_within_the_rule():
    text = SMALL.replace("{enter: close > 1}", '\n  enter: "close > 1 and\\n \\x65mma(3) > 1"')
    assert mistakes(text)[0].endswith("did you mean 'ema'? (line 2, column 2 of the rule)")


@pytest.mark.parametrize("symbols", ["symbols: [BTCUSDT, ETHUSDT]", "legs: [BTCUSDT, ETHUSDT]"])
def test_symbols_that_are_words_are_their_own_legs(symbols):
    spec = parse_play(f"{SMALL.replace('close > 1', 'ETHUSDT.close > close')}{symbols}\n", "p")
    assert spec.legs == ("BTCUSDT", "ETHUSDT")
    assert spec.long_entry == Rule("ETHUSDT.close > close")


def test_one_leg_is_no_leg():
    spec = parse_play(f"{SMALL.replace('close > 1', 'btc.close > 1')}legs: [btc]\n", "p")
    assert (spec.legs, spec.long_entry) == ((), Rule("close > 1"))
