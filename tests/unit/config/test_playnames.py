"""Parameters and definitions: what they become, where they may stand, and what is said of mistakes."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.config.playnames import Parameter
from engine.config.plays import parse_play, read_play
from engine.domain.errors import ConfigError
from engine.domain.play import Distance, DistanceKind, Rule, SizingKind

PLAY = """
name: x
params:
  fast: {default: 12, min: 5, max: 50}
  slow: 26
  stop: {default: 2.5, min: 0.5, step: 0.25}
  part: 0.25
  low: -0.5
define:
  up: ema($fast) > ema($slow)
  steep: $up and slope(close, 5) > $low
size: {equity_fraction: $part}
long: {enter: $steep, exit: not $up}
stop_loss: {atr: $stop, period: $fast}
"""


def mistakes(text: str, **overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_play(text, "p.yaml", {name: Decimal(value) for name, value in overrides.items()})
    return [line.removeprefix("p.yaml:") for line in str(caught.value).split("\n")]


def test_names_are_written_out():
    spec = parse_play(PLAY, "p")
    assert spec.long_entry == Rule("ema(12) > ema(26) and slope(5) > -0.5")
    assert spec.long_exit == Rule("not ema(12) > ema(26)")
    assert (spec.sizing.kind, spec.sizing.value) == (SizingKind.EQUITY_FRACTION, Decimal("0.25"))
    assert spec.stop_loss == Distance(DistanceKind.ATR, 2.5, 12)


def test_overrides_take_the_place_of_defaults_and_change_the_hash():
    values = {"fast": Decimal(7), "stop": Decimal("1.25"), "low": Decimal(3)}
    spec = parse_play(PLAY, "p", values)
    assert spec.long_entry == Rule("ema(7) > ema(26) and slope(5) > 3")
    assert spec.stop_loss == Distance(DistanceKind.ATR, 1.25, 7)
    assert spec.hash != parse_play(PLAY, "p").hash


def test_what_a_name_stands_for_is_the_play_and_not_the_name():
    plain = """
name: x
size: {equity_fraction: 0.25}
long: {enter: ema(12) > ema(26) and slope(5) > -0.5, exit: not ema(12) > ema(26)}
stop_loss: {atr: 2.5, period: 12}
"""
    unused = PLAY.replace("params:", "params:\n  never: 3")
    assert parse_play(PLAY, "p").hash == parse_play(plain, "p").hash == parse_play(unused, "p").hash


def test_parameters_are_told_with_their_ranges(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_text(PLAY)
    fast, slow, stop, *_ = read_play(path, {"fast": Decimal(9)}).parameters
    assert fast == Parameter("fast", Decimal(9), Decimal(5), Decimal(50))
    assert slow == Parameter("slow", Decimal(26))
    assert stop == Parameter("stop", Decimal("2.5"), Decimal("0.5"), step=Decimal("0.25"))


def test_definitions_may_stand_in_any_order():
    text = PLAY.replace("  up: ema($fast) > ema($slow)\n", "").replace(
        "size:", "  up: ema($fast) > ema($slow)\nsize:"
    )
    assert parse_play(text, "p").hash == parse_play(PLAY, "p").hash


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("part: 0", "port: 0"),
            "12:25: size.equity_fraction: there is no parameter $part; there is $fast, $slow, $stop, $port",
        ),
        (("$part", "$up"), "12:25: size.equity_fraction: $up is a definition, and a field takes a parameter"),
        (("$part", "$stop"), "12:25: size.equity_fraction: must be at most 1, and is 2.5"),
        (("period: $fast", "period: $stop"), "14:33: stop_loss.period: must be a whole number, and is 2.5"),
        (("max: 50", "max: 5"), "4:3: params.fast: must have min, default and max in this order"),
        (("max: 50", "maxx: 50"), "4:37: params.fast.maxx: there is no such field; did you mean 'max'?"),
        (("default: 12, ", ""), "4:3: params.fast.default: must be given"),
        (("slow: 26", "slow: many"), "5:9: params.slow: must be a number, and is 'many'"),
        (("slow: 26", "slow: $fast"), "5:9: params.slow: must be a number, and is '$fast'"),
        (("slow: 26", "slow: 1e99"), "5:9: params.slow: must be at most 1000000000000000"),
        (("step: 0.25", "step: 0"), "6:40: params.stop.step: must be more than 0, and is 0"),
        (
            ("slow: 26", "slow: 26\n  Low: 2"),
            "6:8: params.Low: a name is 1 to 32 of a-z, 0-9 and _, and does not beg",
        ),
        (("ema($slow)", "ema($slo)"), "10:24: define.up: there is no $slo; did you mean '$slow'?"),
        (("ema($slow)", "ema($)"), "10:24: define.up: there is no $"),
        (
            ("slow: 26", "slow: 2.6"),
            "10:24: define.up: the period of ema is a whole number from 1 to 100,000, an",
        ),
        (
            ("slow: 26", "slow: 0"),
            "10:24: define.up: the period of ema is a whole number from 1 to 100,000, and",
        ),
        (
            ("up: ema", "fast: close\n  up: ema"),
            "10:9: define.fast: is the name of a parameter, too; choose another one",
        ),
        (("up: ema($fast) > ema($slow)", "up: 5"), "10:7: define.up: must be a text, and is 5"),
        (
            ("up: ema($fast)", "up: $steep and ema($fast)"),
            "10:7: define.up: refers to itself: $up -> $steep -> $up",
        ),
        (("up: ema($fast)", "up: $up and ema($fast)"), "10:7: define.up: refers to itself: $up -> $up"),
        (("up: ema($fast)", "up: close = 1 and ema($fast)"), "10:13: define.up: '=' means nothing in a rule"),
        (
            ("exit: not $up", "exit: $up + 1 > 2"),
            "13:29: long.exit: '+' takes numbers, and 'ema(12) > ema(26)' is",
        ),
        (("exit: not $up", "exit: upp"), "13:29: long.exit: there is no 'upp'; did you mean '$up'?"),
        (("exit: not $up", "exit: not up"), "13:33: long.exit: there is no 'up'; did you mean $up?"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_said_once(change, expected):
    said = mistakes(PLAY.replace(*change))
    assert said[0].startswith(expected), said
    assert len(said) == 1, said


@pytest.mark.parametrize("section", ["params", "define"])
def test_a_section_of_names_must_be_one(section):
    text = f"name: x\nsize: {{notional: 1}}\nlong: {{enter: close > 1}}\n{section}: "
    assert mistakes(f"{text}5")[0].startswith(f"4:{len(section) + 3}: {section}: must hold names")
    many = ", ".join(f"n{number}: 1" for number in range(101))
    assert f"4:1: {section}: must hold at most 100 names" in mistakes(f"{text}{{{many}}}")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"fast": "51"}, "4:3: params.fast: must be at least 5 and at most 50, and is set to 51"),
        ({"fast": "4"}, "4:3: params.fast: must be at least 5 and at most 50, and is set to 4"),
        ({"stop": "0.25"}, "6:3: params.stop: must be at least 0.5, and is set to 0.25"),
        (
            {"stop": "1.1"},
            "6:3: params.stop: must be a whole number of steps of 0.25 from 0.5, and is set to 1.1",
        ),
        (
            {"stop": "1." + "0" * 70 + "1"},
            "6:3: params.stop: cannot be held against steps of 0.25: 1.000",
        ),
        ({"slow": "nan"}, "5:9: params.slow: must be a number, and is set to NaN"),
        ({"fats": "12"}, "3:1: params: there is no parameter 'fats'; did you mean 'fast'?"),
        (
            {"fast": "7.5"},
            "10:11: define.up: the period of ema is a whole number from 1 to 100,000, and is 7.5",
        ),
    ],
)
def test_an_override_that_does_not_fit_is_refused(overrides, expected):
    assert mistakes(PLAY, **overrides)[0].startswith(expected)


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        (
            "default: 0.35, min: 0.1, max: 5, step: 0.1",
            "0.1 from 0.1, and is set to 0.35; nearest: 0.3 or 0.4",
        ),
        ("default: -1.4, min: -3, step: 1", "1 from -3, and is set to -1.4; nearest: -2 or -1"),
        ("default: 3.9, min: 1, max: 4, step: 2", "2 from 1, and is set to 3.9; nearest: 3"),
    ],
)
def test_a_default_beside_its_grid_is_refused_whatever_else_is_set(written, nearest):
    text = f"name: x\nsize: {{notional: 1}}\nlong: {{enter: close > 1}}\nparams:\n  far: {{{written}}}\n"
    expected = f"5:18: params.far.default: must be a whole number of steps of {nearest}"
    assert mistakes(text) == mistakes(text, far="1") == [expected]


@pytest.mark.parametrize("value", ["0.3", "2.5", "0.1", "5", "5.0000"])
def test_a_grid_is_held_against_in_decimals(value):
    text = PLAY.replace("min: 0.5, step: 0.25", "min: 0.1, step: 0.1")
    assert parse_play(text, "p", {"stop": Decimal(value)}).stop_loss is not None


def test_a_grid_without_a_minimum_goes_through_the_default():
    text = PLAY.replace("min: 0.5, step: 0.25", "step: 1")
    assert parse_play(text, "p", {"stop": Decimal("0.5")}).stop_loss == Distance(DistanceKind.ATR, 0.5, 12)
    assert "nearest: 2.5 or 3.5" in mistakes(text, stop="3")[0]


def test_a_play_without_parameters_takes_no_override():
    text = "name: x\nsize: {notional: 1}\nlong: {enter: close > 1}\n"
    assert mistakes(text, fast="3") == ["1:1: params: there is no parameter 'fast'; the play has none"]


def test_names_that_grow_like_a_bomb_are_cut_off():
    rounds = [f"  d{n}: $d{n - 1} + $d{n - 1}" for n in range(1, 60)]
    lines = ["name: x", "size: {notional: 1}", "define:", "  d0: close + 1", *rounds]
    said = mistakes("\n".join([*lines, "long: {enter: $d59 > 1}"]))
    assert len(said) == 1
    assert "the rule has more than 400 words, numbers and marks" in said[0]


def test_a_rule_may_be_short_and_what_it_stands_for_too_long():
    long = " + ".join(["highest(high - low, 100)"] * 20)
    text = "name: x\nsize: {notional: 1}\ndefine: {a: '%s > 1'}\nlong: {enter: '%s'}\n"
    said = mistakes(text % (long, " or ".join(["$a"] * 3)))
    assert "with what $a stands for, the rule has more than 400 words, numbers and marks" in said[0]
    between = " + ".join(["highest(high - low, 100)"] * 28)
    said = mistakes(f"name: x\nsize: {{notional: 1}}\nlong: {{enter: '{between} between 1 and 2'}}\n")
    assert said[0].startswith(
        "3:16: long.enter: with all that it refers to written out, a rule has at most 400"
    )
