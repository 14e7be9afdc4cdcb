"""The risk pane: what latched, how near each limit is, the calendar, what waits, at every size."""

import msgspec
import pytest

from engine.api import RiskMode, RiskSection
from tests.console_fakes import NOW, snapshot, status
from tests.screens.console import console
from tests.unit.tui.test_limits import RISK

LATCHED = msgspec.structs.replace(
    snapshot(), risk=RISK, status=status(risk_mode=RiskMode.REDUCE, now=NOW), alarms=()
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_what_latched_and_what_is_near_is_seen_at_every_size(size: tuple[int, int]) -> None:
    async with console(size=size) as desk:
        await desk.play(LATCHED)
        await desk.press("5")
        shown = desk.text("risk")
        assert "risk mode REDUCE  by clock offset 120ms" in shown
        assert "nearest   drawdown 90%, daily loss 42%" in shown
        assert "blackout  news: ends in 1m 30s" in shown


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_a_maximised_pane_shows_every_limit(size: tuple[int, int]) -> None:
    async with console(size=size) as desk:
        await desk.play(LATCHED)
        await desk.press("5", "z")
        shown = desk.text("risk")
        assert "blackout  lunch ETHUSDT: in 1h 00m, for 30m 00s" in shown
        assert "capital   9,979.50, put aside 20.50 (25% of profits)" in shown
        assert "stopped   canary BTCUSDT buy: limits enable" in shown
        assert "waits     leverage_max 2 -> 4: limits accept" in shown
        (latched,) = [line.split() for line in shown.splitlines() if "LATCHED" in line]
        assert latched[-4:-2] == ["LATCHED", "120ms"]
        assert "slippage" not in shown, "no limit, nothing to be near to"


async def test_the_countdown_goes_on() -> None:
    async with console(size=(200, 50)) as desk:
        await desk.play(LATCHED)
        later = msgspec.structs.replace(LATCHED.status, now=NOW + 30_000_000_000)
        await desk.play(msgspec.structs.replace(LATCHED, status=later))
        assert "news: ends in 1m 00s" in desk.text("risk")


async def test_without_limits_nothing_is_said_of_them() -> None:
    async with console(size=(200, 50)) as desk:
        await desk.play(msgspec.structs.replace(snapshot(), risk=RiskSection()))
        shown = desk.text("risk")
        assert "nearest" not in shown
        assert "CAUSE" not in shown
