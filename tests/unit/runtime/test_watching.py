"""What an engine watches from its start: shadows, itself where no orders are sent, and who may trade live."""

import msgspec
import pytest

from engine.core.twinned import TwinnedMachine
from engine.domain.errors import ConfigError
from engine.domain.events import Remark
from engine.domain.versions import PlaysApproved, TwinChanged
from engine.runtime.building import machine_of
from engine.runtime.context import EngineContext, open_context
from engine.runtime.reloading import ApprovalWatch
from engine.runtime.watching import first_events
from engine.storage.promotions import approvals_path
from tests.unit.runtime.rig import market_settings, write_play

OTHER = """\
name: {name}
size: {{notional: 100}}
long: {{enter: close > sma(3), exit: close < sma(3)}}
"""


def twins_of(context: EngineContext) -> list[TwinChanged]:
    return [event for event in first_events(context, 1) if isinstance(event, TwinChanged)]


async def test_shadows_run_beside_the_play_that_trades_their_symbol(tmp_path):
    shadow = write_play(tmp_path, "other", OTHER)
    settings = market_settings(tmp_path, shadows=(shadow,))
    async with open_context(settings, headless=True) as context:
        (twin,) = twins_of(context)
        assert (twin.label, twin.of, twin.symbol) == ("other", "restless", "BTCUSDT")
        context.loop.machine.handle(twin, 1)
        assert twins_of(context) == []


async def test_a_shadow_with_a_plays_name_gets_another_label_and_ends_with_its_setting(tmp_path):
    own = market_settings(tmp_path)
    settings = market_settings(tmp_path, shadows=own.plays)
    async with open_context(settings, headless=True) as context:
        (twin,) = twins_of(context)
        assert twin.label == "restless~"
        context.loop.machine.handle(twin, 1)
        alone = msgspec.structs.replace(context.loop.machine.setup, shadows=())
        context.loop.machine.setup = alone
        (ended,) = twins_of(context)
        assert (ended.label, ended.spec) == ("restless~", None)


async def test_without_orders_each_play_is_its_own_twin(tmp_path):
    settings = market_settings(tmp_path, mode="shadow", arm=False)
    async with open_context(settings, headless=True) as context:
        (twin,) = twins_of(context)
        assert (twin.label, twin.of) == ("restless", "restless")


async def test_where_orders_are_real_approvals_are_told_and_the_rest_is_watched(tmp_path):
    async with open_context(market_settings(tmp_path), headless=True) as context:
        machine = context.loop.machine
        machine.setup = msgspec.structs.replace(machine.setup, needs_approval=True)
        approved, twin = first_events(context, 1)
        assert approved == PlaysApproved(1, ())
        assert isinstance(twin, TwinChanged)
        assert "was not promoted" in twin.why
        path = approvals_path(tmp_path / "state")
        path.parent.mkdir(parents=True)
        path.write_text("{}\n")
        assert isinstance(next(iter(first_events(context, 1))), Remark)


async def test_an_approval_that_comes_later_is_told(tmp_path):
    async with open_context(market_settings(tmp_path), headless=True) as context:
        assert list(ApprovalWatch(context).news(1)) == []
        setup = msgspec.structs.replace(context.config.setup, needs_approval=True)
        object.__setattr__(context, "config", msgspec.structs.replace(context.config, setup=setup))
        watch = ApprovalWatch(context)
        assert list(watch.news(1)) == []
        path = approvals_path(tmp_path / "state")
        path.parent.mkdir(parents=True)
        path.write_text("")
        assert list(watch.news(2)) == [PlaysApproved(2, ())]
        assert list(watch.news(3)) == []
        path.write_text("{}\n")
        told = list(watch.news(4))
        assert told[0] == PlaysApproved(4, ())
        assert isinstance(told[1], Remark)


async def test_a_play_that_was_broken_meanwhile_is_told_at_the_start(tmp_path):
    settings = market_settings(tmp_path)
    async with open_context(settings, headless=True) as context:
        (file,) = context.source.plays
        flawed = msgspec.structs.replace(file, flaw="restless.yaml:3: no")
        source = msgspec.structs.replace(context.source, plays=(flawed,))
        object.__setattr__(context, "source", source)
        (remark,) = first_events(context, 1)
        assert isinstance(remark, Remark)
        assert "last good version" in remark.text


async def test_too_many_shadows_are_refused_before_anything_is_written(tmp_path):
    shadows = tuple(write_play(tmp_path, f"s{n}", OTHER) for n in range(9))
    with pytest.raises(ConfigError, match="9 are given; 8 may run"):
        async with open_context(market_settings(tmp_path, shadows=shadows), headless=True):
            pass
    assert not (tmp_path / "state").exists()


async def test_a_session_that_hosts_no_twins_has_a_plain_machine(tmp_path):
    async with open_context(market_settings(tmp_path), headless=True) as context:
        setup = msgspec.structs.replace(context.config.setup, hosts_twins=False)
        config = msgspec.structs.replace(context.config, setup=setup)
        plain = machine_of(config, context.source.models)
        assert not isinstance(plain, TwinnedMachine)
