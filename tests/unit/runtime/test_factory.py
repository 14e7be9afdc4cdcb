"""The one place that knows modes: which data, plays and venues belong together, and what does not."""

from decimal import Decimal

import msgspec
import pytest

from engine.config.settings import Synchronous
from engine.core.setup import PlayBinding
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.domain.modes import Mode
from engine.domain.play import Rule
from engine.runtime.binding import load_plays
from engine.runtime.building import build_loop
from engine.runtime.factory import check_start, goes_on_after_end, open_source, synchronous_of, window_for
from engine.runtime.tapes import reopen_feed
from engine.venues.simulated import MatchOn
from tests.builders import BTC, ETH, spec
from tests.unit.runtime.rig import market_settings, tape_settings, write_tape

MINUTE = 60 * NS_PER_S


@pytest.mark.parametrize(
    ("rule", "bars"),
    [("close > 1", 600), ("sma(700) > 1", 700), ("sma(20)@1h > 1", 1_259), ("sma(200)@1d > 1", 10_000)],
)
def test_as_many_bars_are_kept_as_a_new_version_is_warmed_on(rule, bars):
    assert window_for((PlayBinding(spec("a", long_entry=Rule(rule)), BTC, MINUTE),)) == bars
    assert window_for(()) == 600


def test_a_tape_mode_needs_a_tape(tmp_path):
    settings = tape_settings(tmp_path).model_copy(update={"data": ()})
    with pytest.raises(ConfigError, match="replay needs a file of market data: give --data FILE"):
        check_start(settings)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.DEMO])
def test_a_mode_that_needs_a_real_venue_says_so(tmp_path, mode):
    settings = market_settings(tmp_path).model_copy(update={"mode": mode})
    with pytest.raises(ConfigError, match=f"mode {mode} needs a real venue: --venue NAME"):
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
    assert (config.setup.reconcile_ns, config.setup.reconcile_positions_ns) == (10 * NS_PER_S, 60 * NS_PER_S)
    assert config.setup.start_equity == 1234
    assert config.venue.match_on_by_symbol == {BTC: MatchOn.QUOTES}
    assert config.venue.latency_ns == 1_000_000


def test_the_dead_mans_switch_is_off_unless_set_and_always_on_a_tape(tmp_path):
    on = {"runtime": {"dead_man_s": 60}}
    assert configured(market_settings(tmp_path))[1].setup.dead_man_ms == 0
    assert configured(market_settings(tmp_path, **on))[1].setup.dead_man_ms == 60_000
    assert configured(tape_settings(tmp_path, **on))[1].setup.dead_man_ms == 0


def test_a_switch_that_would_cancel_protective_stops_is_refused(tmp_path):
    _, config = configured(market_settings(tmp_path, runtime={"dead_man_s": 60}))
    build_loop(config)
    careless = msgspec.structs.replace(config.venue, switch_spares_protection=False)
    with pytest.raises(ConfigError, match="cancels protective stops, too"):
        build_loop(msgspec.structs.replace(config, venue=careless))


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
