"""How the engine itself is, as the health pane and the heartbeat show it."""

import asyncio
import os
import time
from types import SimpleNamespace

import pytest

from engine import __version__
from engine.core.machine import Machine
from engine.core.snapshot import BudgetRow, VenueSection
from engine.domain.events import FeedChanged, FeedState
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.ports import FeedCondition, FeedFacts
from engine.runtime import upkeep
from engine.runtime.drivers import Gauges
from engine.runtime.gauges import Health
from engine.runtime.inbox import Inbox
from engine.runtime.latency import Histogram
from engine.runtime.loop import Loop
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import BTC, ETH, T0, bar, setup, trade
from tests.unit.runtime.rig import engine_on, eventually, market_settings


class Desk:
    """Health, and the little of an engine that it reads."""

    def __init__(self, *, tape=None, feed=None, stream=None):
        facts = setup()
        self.loop = Loop(Machine(facts), SimulatedVenue(facts.instruments, SimulatedConfig()))
        self.pump = SimpleNamespace(now=T0, commit_latency=Histogram())
        self.clock = SimpleNamespace(now=lambda: T0 + 250 * NS_PER_MS)
        self.recorder = SimpleNamespace(size_bytes=2_345_678)
        self.session, self.tape, self.feed = "s1", tape, feed
        self.outside = VenueSection()
        self.source = SimpleNamespace(stream=stream, venue_section=lambda: self.outside)
        self.gauges, self.inbox = Gauges(), Inbox()
        self.health = Health(self, self.gauges, self.inbox)  # type: ignore[arg-type]  # only what it reads

    def see(self, *events):
        for event in events:
            self.loop.machine.handle(event, event.ts)


def test_a_fresh_engine_has_nothing_to_show_yet():
    section = Desk().health.section()
    assert (section.pid, section.version, section.session) == (os.getpid(), __version__, "s1")
    assert (section.events, section.events_per_s, section.latency_p99_ms) == (0, 0.0, 0.0)
    assert section.checkpoint_age_s == -1.0
    assert section.record_mb == 2.35


def test_how_the_venue_is_is_asked_with_each_sample():
    desk = Desk()
    assert desk.health.venue == VenueSection()
    desk.outside = VenueSection("bybit", 12.0, "reset", 7, (BudgetRow("orders", 1, 9, 1.0, 2),))
    assert desk.health.venue.name == ""
    desk.health.sample()
    assert desk.health.venue == desk.outside


def test_what_drivers_and_inbox_measure_is_shown():
    desk = Desk()
    desk.gauges.events = 12
    desk.gauges.latency.add(2 * NS_PER_MS)
    desk.pump.commit_latency.add(5 * NS_PER_MS)
    desk.inbox.offer(bar(1.0), 0)
    desk.health.checkpoint_s = time.monotonic() - 7
    desk.health.lag_ms = 1.234
    section = desk.health.section()
    assert (section.events, section.inbox_depth, section.inbox_bound) == (12, 1, desk.inbox.bound)
    assert section.latency_p50_ms == pytest.approx(2, rel=0.04)
    assert section.commit_p99_ms == pytest.approx(5, rel=0.04)
    assert section.checkpoint_age_s == pytest.approx(7, abs=1)
    assert section.loop_lag_ms == 1.23


def test_the_rate_is_of_the_last_second(monkeypatch):
    desk = Desk()
    begun = time.monotonic()
    desk.gauges.events = 500
    desk.health.sample()
    assert desk.health.section().events_per_s == 0, "a second has not passed yet"
    assert desk.health.section().rss_mb > 1
    monkeypatch.setattr(time, "monotonic", lambda: begun + 2.0)
    desk.health.sample()
    assert desk.health.section().events_per_s == pytest.approx(250, rel=0.01)


def test_a_market_waits_then_is_connected_and_its_youngest_price_is_its_age():
    desk = Desk(feed=SimpleNamespace(skipped_ns=0))
    (row,) = desk.health.feeds()
    assert (row.name, row.state, row.age_ms, row.text) == ("synthetic", "waiting", -1.0, "")
    desk.see(trade(1.0, T0), trade(2.0, T0 + 50 * NS_PER_MS, ETH))
    (row,) = desk.health.feeds()
    assert (row.state, row.age_ms) == ("connected", 200.0)


def test_market_time_that_was_skipped_is_said():
    (row,) = Desk(feed=SimpleNamespace(skipped_ns=3 * NS_PER_S // 2)).health.feeds()
    assert row.text == "1.5 s skipped after stalls"


def test_a_venue_s_live_market_tells_what_it_went_through():
    facts = FeedFacts(
        state=FeedCondition.DISCONNECTED, messages=70, connections=3, lost=2, error="the connection broke off"
    )
    desk = Desk(stream=SimpleNamespace(name="bybit", facts=lambda: facts))
    (row,) = desk.health.feeds()
    assert (row.name, row.state, row.age_ms, row.events) == ("bybit", "disconnected", -1.0, 70)
    assert (row.reconnects, row.text, row.error) == (2, "2 losses", "the connection broke off")
    desk.see(trade(1.0, T0))
    assert desk.health.feeds()[0].age_ms == 250.0


def test_a_tape_has_its_own_time_and_an_end():
    desk = Desk(tape=object())
    desk.see(bar(1.0, T0 - NS_PER_S, BTC))
    (row,) = desk.health.feeds()
    assert (row.name, row.state, row.age_ms) == ("tape", "connected", 1000.0)
    desk.see(FeedChanged(T0, "tape", FeedState.ENDED))
    (row,) = desk.health.feeds()
    assert row.state == "ended"


async def test_the_heart_beats_into_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "LAG_PROBE_S", 0.01)
    settings = market_settings(tmp_path, runtime={"heartbeat_s": 0.02})
    async with asyncio.timeout(20), engine_on(settings) as engine:
        before = engine.beat_s
        task = asyncio.ensure_future(engine.run())
        log = engine.context.directory / "logs" / "engine.log"
        await eventually(lambda: log.read_text().count('"event":"heartbeat"') >= 3)
        assert engine.beat_s > before
        assert engine.snapshot().health.rss_mb > 1
        engine.stop("enough")
        await task
