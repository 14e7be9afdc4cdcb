"""Settings: safe by default, strict about what is written, the same on both sides of a pipe."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.config.section import Section
from engine.config.settings import DataFile, Settings
from engine.domain.events import OnStop
from engine.domain.limits import Limits
from engine.domain.modes import Mode


def test_nothing_said_is_a_small_paper_session_that_stands_disarmed():
    settings = Settings()
    assert settings.mode is Mode.PAPER
    assert not settings.arm
    assert settings.on_stop is OnStop.CANCEL_ENTRIES
    assert Decimal(10_000) <= settings.account.equity <= Decimal(100_000)
    assert settings.runtime.shutdown_deadline_s == 30


def test_caps_on_size_are_set_by_default_and_below_the_equity():
    settings = Settings()
    caps = (
        settings.limits.order_notional_max,
        settings.limits.position_notional_max,
    )
    assert all(cap is not None and cap < settings.account.equity for cap in caps)


def test_limits_reach_the_risk_layer_unchanged():
    settings = Settings.model_validate({"limits": {"order_notional_max": "12.5", "daily_loss_max": None}})
    limits = settings.limits.to_limits()
    assert isinstance(limits, Limits)
    assert limits.order_notional_max == Decimal("12.5")
    assert limits.daily_loss_max is None
    assert {name: getattr(limits, name) for name in Limits.__struct_fields__} == settings.limits.model_dump()


@given(
    st.builds(
        dict,
        mode=st.sampled_from(Mode),
        instance=st.from_regex(r"[a-z][a-z0-9_-]{0,30}", fullmatch=True),
        speed=st.sampled_from(["max", 0.5, 20]),
        state_dir=st.sampled_from([None, "/tmp/x"]),
        plays=st.lists(st.sampled_from(["/a.yaml", "/b, c.yaml"])),
        data=st.lists(st.sampled_from(["BTC=/a.csv", "/b.csv", {"symbol": "X", "path": "/c=d.csv"}])),
        account=st.builds(dict, equity=st.decimals("0.01", "1e9", places=2)),
        log=st.builds(dict, level=st.sampled_from(["debug", "error"]), max_mb=st.floats(0.01, 100)),
    )
)
def test_settings_cross_a_pipe_unchanged(written):
    settings = Settings.model_validate(written)
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("written", "symbol", "path"),
    [
        ("BTCUSDT=a.csv", "BTCUSDT", "a.csv"),
        ("a.csv", "", "a.csv"),
        ("dir=x/a.csv", "dir", "x/a.csv"),
        ("/dir=x/a.csv", "", "/dir=x/a.csv"),
    ],
)
def test_data_is_bound_to_a_symbol_where_one_is_named(written, symbol, path):
    assert Settings.model_validate({"data": [written]}).data == (DataFile(symbol=symbol, path=Path(path)),)


def test_one_text_stands_for_a_list():
    settings = Settings.model_validate({"synthetic": {"symbols": "A, B"}, "plays": "x.yaml,y.yaml"})
    assert settings.synthetic.symbols == ("A", "B")
    assert settings.plays == (Path("x.yaml"), Path("y.yaml"))


def test_the_fastest_replay_has_no_speed():
    assert Settings.model_validate({"speed": "max"}).speed is None
    assert Settings.model_validate({"speed": "20"}).speed == 20


@pytest.mark.parametrize(
    "written",
    [
        {"mode": "real"},
        {"instance": "../up"},
        {"instance": ""},
        {"speed": 0},
        {"speed": "fast"},
        {"unknown": 1},
        {"limits": {"unknown": 1}},
        {"limits": {"order_notional_max": 0}},
        {"limits": {"order_notional_max": "NaN"}},
        {"limits": {"order_notional_max": 100, "position_notional_max": 99}},
        {"limits": {"open_orders_max": 0}},
        {"account": {"equity": -1}},
        {"account": {"equity": "Infinity"}},
        {"account": {"currency": "us dollars"}},
        {"limits": {"order_notional_max": -1}},
        {"limits": {"order_notional_max": "1e15"}},
        {"limits": {"daily_loss_max": "NaN"}},
        {"limits": {"cycle_notional_max": 9_999}},
        {"limits": {"symbol_notional_max": 19_999}},
        {"limits": {"leverage_max": 0}},
        {"limits": {"leverage_max": 1_000}},
        {"limits": {"price_collar_percent": "inf"}},
        {"limits": {"drawdown_max_percent": 101}},
        {"limits": {"order_rate_max": 0}},
        {"limits": {"repeat_entries_max": 1}},
        {"limits": {"profit_reserve_percent": -5}},
        {"limits": {"losses_in_a_row_max": 1.5}},
        {"simulated": {"participation": 0}},
        {"simulated": {"taker_fee": 0.2}},
        {"synthetic": {"symbols": []}},
        {"synthetic": {"seed": -1}},
        {"runtime": {"snapshot_hz": 11}},
        {"runtime": {"heartbeat_s": "nan"}},
        {"runtime": {"synchronous": "extra"}},
        {"console": {"frame_rate": 0}},
        {"log": {"files": 0}},
    ],
)
def test_what_makes_no_sense_is_refused(written):
    with pytest.raises(ValidationError):
        Settings.model_validate(written)


def test_a_position_may_be_capped_without_a_cap_on_orders():
    limits = {"order_notional_max": None, "position_notional_max": 99}
    assert Settings.model_validate({"limits": limits}).limits.position_notional_max == 99


def test_no_section_can_be_changed_or_added_to():
    sections: list[type[Section]] = [Settings, *Section.__subclasses__()]
    assert all(kind.model_config["frozen"] and kind.model_config["extra"] == "forbid" for kind in sections)
    with pytest.raises(ValidationError):
        Settings().mode = Mode.LIVE
