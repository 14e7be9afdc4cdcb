"""The one place that knows modes: which data, plays and venues belong together, and what does not."""

from decimal import Decimal

import pytest

from engine.config.settings import Synchronous
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.domain.modes import Mode
from engine.domain.play import Rule
from engine.runtime.factory import PlayFile as File
from engine.runtime.factory import (
    bind,
    goes_on_after_end,
    load_plays,
    load_tapes,
    open_source,
    reopen_feed,
    synchronous_of,
    window_for,
)
from engine.venues.simulated import MatchOn
from tests.builders import BTC, ETH, instrument, spec
from tests.unit.runtime.rig import market_settings, tape_settings, write_play, write_tape

MINUTE = 60 * NS_PER_S
INSTRUMENTS = (instrument(BTC), instrument(ETH))


def files(tmp_path, *specs):
    return [File(tmp_path / f"{each.name}.yaml", each) for each in specs]


def bound(*specs, step=MINUTE, tmp_path):
    return [(b.spec.name, b.symbol, b.step_ns) for b in bindings(*specs, step=step, tmp_path=tmp_path)]


def bindings(*specs, step=MINUTE, tmp_path):
    return bind(files(tmp_path, *specs), INSTRUMENTS, step)


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
    ("rule", "bars"),
    [("close > 1", 600), ("sma(700) > 1", 700), ("sma(20)@1h > 1", 1_259), ("sma(200)@1d > 1", 10_000)],
)
def test_as_many_bars_are_kept_as_a_new_version_is_warmed_on(tmp_path, rule, bars):
    assert window_for(bindings(spec("a", long_entry=Rule(rule)), tmp_path=tmp_path)) == bars
    assert window_for(()) == 600


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


def test_a_tape_mode_needs_a_tape(tmp_path):
    settings = tape_settings(tmp_path).model_copy(update={"data": ()})
    with pytest.raises(ConfigError, match="replay needs a file of market data: give --data FILE"):
        load_tapes(settings)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.DEMO, Mode.SHADOW])
def test_a_mode_that_needs_a_real_venue_says_what_there_is(tmp_path, mode):
    settings = market_settings(tmp_path).model_copy(update={"mode": mode})
    with pytest.raises(ConfigError, match=f"mode {mode} needs a real venue.*use paper, replay or backtest"):
        open_source(settings, (), 0)


def configured(settings):
    source = open_source(settings, load_plays(settings.plays), 10**18)
    return source, source.configure(birth_s=7)


def test_a_replay_is_built_from_its_tapes(tmp_path):
    settings = tape_settings(tmp_path, arm=False)
    source, config = configured(settings)
    assert source.live is None
    assert source.tape is not None
    assert source.files == source.tape.fingerprint()
    assert (config.setup.mode, config.setup.armed, config.setup.stale_check_ns) == (Mode.REPLAY, False, 0)
    assert (config.setup.birth_s, config.setup.confirm_name) == (7, "zigzag")
    assert config.data == ((BTC, str(settings.data[0].path)),)
    assert config.venue.match_on_by_symbol == {BTC: MatchOn.BARS}
    assert config.setup.limits.flatten_deadline_s == 180, "three bars of a minute"


def test_a_tape_of_trades_matches_on_trades_and_keeps_the_deadline(tmp_path):
    path = tmp_path / "trades.csv"
    path.write_text("ts_ms,price,qty,side\n" + "".join(f"{i * 1000},100.5,2,buy\n" for i in range(1, 60)))
    settings = tape_settings(tmp_path).model_copy(
        update={"data": (tape_settings(tmp_path).data[0].model_copy(update={"path": path, "symbol": BTC}),)}
    )
    _, config = configured(settings)
    assert config.venue.match_on_by_symbol == {BTC: MatchOn.TRADES}
    assert config.setup.limits.flatten_deadline_s == settings.limits.flatten_deadline_s


def test_a_backtest_is_always_armed(tmp_path):
    _, config = configured(tape_settings(tmp_path, mode="backtest", arm=False))
    assert config.setup.armed


def test_a_paper_session_is_built_from_the_embedded_market(tmp_path):
    source, config = configured(market_settings(tmp_path, account={"equity": Decimal(1234)}))
    assert source.tape is None
    assert source.live is not None
    assert (config.data, source.files) == ((), {})
    assert config.setup.stale_check_ns == NS_PER_S
    assert config.setup.start_equity == 1234
    assert config.venue.match_on_by_symbol == {BTC: MatchOn.QUOTES}
    assert config.venue.latency_ns == 1_000_000


def test_without_plays_the_instance_is_what_must_be_typed(tmp_path):
    settings = market_settings(tmp_path).model_copy(update={"plays": ()})
    _, config = configured(settings)
    assert config.setup.confirm_name == "default"


def test_an_account_lives_on_and_a_tape_begins_anew(tmp_path):
    assert goes_on_after_end(market_settings(tmp_path))
    assert not goes_on_after_end(tape_settings(tmp_path))


def test_a_tape_can_be_played_again_so_its_commits_need_not_survive_a_power_cut(tmp_path):
    assert synchronous_of(market_settings(tmp_path)) is Synchronous.FULL
    assert synchronous_of(tape_settings(tmp_path)) is Synchronous.NORMAL


def test_the_tapes_of_a_recorded_session_are_opened_again(tmp_path):
    source, config = configured(tape_settings(tmp_path))
    again = reopen_feed(config, source.files)
    assert again is not None
    assert source.tape is not None
    assert list(again.events()) == list(source.tape.events())
    with pytest.raises(ConfigError, match="this file is not the one the session ran on"):
        reopen_feed(config, {})


def test_a_session_without_tapes_has_none_to_open(tmp_path):
    _, config = configured(market_settings(tmp_path))
    assert reopen_feed(config, {}) is None


def test_several_tapes_are_played_as_one(tmp_path):
    settings = tape_settings(tmp_path)
    other = write_tape(tmp_path, 50, seed=3, symbol=ETH)
    both = (*settings.data, settings.data[0].model_copy(update={"path": other, "symbol": ETH}))
    source, config = configured(settings.model_copy(update={"data": both}))
    assert [symbol for symbol, _ in config.data] == [BTC, ETH]
    assert source.tape is not None
    assert len(list(source.tape.events())) == 350
