"""Which play trades which instrument, on which bars, and what does not go together."""

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S, PRINT_STEP_NS
from engine.domain.play import Rule
from engine.runtime.binding import PlayFile as File
from engine.runtime.binding import bind, load_plays, steps_of
from tests.builders import BTC, ETH, instrument, spec
from tests.unit.runtime.rig import write_play

MINUTE = 60 * NS_PER_S
INSTRUMENTS = (instrument(BTC), instrument(ETH))


def files(tmp_path, *specs):
    return [File(tmp_path / f"{each.name}.yaml", each) for each in specs]


def bound(*specs, step=MINUTE, tmp_path):
    return [(b.spec.name, b.symbol, b.step_ns) for b in bindings(*specs, step=step, tmp_path=tmp_path)]


def bindings(*specs, step=MINUTE, tmp_path):
    return bind(files(tmp_path, *specs), INSTRUMENTS, step, printed={BTC})


def test_plays_take_the_instruments_they_name_and_the_others_in_order(tmp_path):
    assert bound(spec("a"), spec("b"), tmp_path=tmp_path) == [("a", BTC, MINUTE), ("b", ETH, MINUTE)]
    named = spec("b", symbols=(BTC,), timeframe="5m")
    assert bound(spec("a"), named, tmp_path=tmp_path) == [("a", ETH, MINUTE), ("b", BTC, 5 * MINUTE)]


def test_a_play_takes_an_instrument_for_each_of_its_legs_and_may_look_at_one_that_another_trades(tmp_path):
    pair, other = spec("a", legs=("x", "y"), symbols=(ETH, BTC)), spec("b", symbols=(BTC,))
    assert [binding.symbols for binding in bindings(pair, other, tmp_path=tmp_path)] == [(ETH, BTC), (BTC,)]
    unbound = spec("a", legs=("x", "y"))
    assert [binding.symbols for binding in bindings(unbound, tmp_path=tmp_path)] == [(BTC, ETH)]


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        ((spec("a", legs=("x", "y")), spec("b")), "fewer plays, for each needs one of its own"),
        ((spec("b"), spec("a", legs=("x", "y"))), "for it needs one for each of its legs x, y"),
        (
            (spec("a", long_entry=Rule("close@90s > 1")),),
            "a.yaml: bars of 90s cannot be made of the play's bars of 1m: it must be a multiple of that",
        ),
        (
            (spec("a", symbols=("XRPUSDT",)),),
            "a.yaml: symbols: wants XRPUSDT, but the feed has BTC",
        ),
        (
            (spec("a", symbols=(BTC,)), spec("b", symbols=(BTC,))),
            "b.yaml: symbols: wants BTCUSDT, which a already trades",
        ),
        ((spec("a"), spec("b"), spec("c")), "c.yaml: finds no instrument left"),
        ((spec("a", timeframe="90s"),), "a.yaml: timeframe: 90s is not a multiple of the data's 60 s"),
    ],
)
def test_plays_that_fit_no_instrument_are_named(tmp_path, specs, said):
    with pytest.raises(ConfigError) as caught:
        bound(*specs, tmp_path=tmp_path)
    assert said in str(caught.value)


def test_two_plays_may_not_share_a_name(tmp_path):
    one = write_play(tmp_path)
    two = tmp_path / "two.yaml"
    two.write_text(one.read_text())
    with pytest.raises(ConfigError, match=r"two\.yaml: is named 'zigzag' like .*zigzag\.yaml; rename one"):
        load_plays((one, two))
    assert [file.spec.name for file in load_plays((one,))] == ["zigzag"]


def test_a_play_of_prints_is_bound_where_trades_are_told(tmp_path):
    prints = spec("a", timeframe="trade", symbols=(BTC,))
    assert bound(prints, tmp_path=tmp_path) == [("a", BTC, PRINT_STEP_NS)]
    with pytest.raises(ConfigError, match=r"a\.yaml: timeframe: is trade, but the data of ETHUSDT is bars"):
        bound(spec("a", timeframe="trade", symbols=(ETH,)), tmp_path=tmp_path)


def test_a_feed_builds_no_bars_of_prints(tmp_path):
    plays = files(tmp_path, spec("a", timeframe="trade"), spec("b", timeframe="5m"), spec("c"))
    assert steps_of(plays, [MINUTE]) == {MINUTE, 5 * MINUTE}
