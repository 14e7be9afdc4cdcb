import asyncio

import pytest

from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.ratelimit import VenueBudget
from engine.venues.ratelimits import EVERY, PLACING, Kind, RateLimit, Scope

START = 1_000 * NS_PER_S
ORDERS = RateLimit("orders", 10, 1.0, PLACING, reserve=3)
REQUESTS = RateLimit("requests", 100, 5.0, EVERY, Scope.HOST, reserve=20)


class Time:
    """A clock that goes on by sleeping."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += max(1, round(seconds * NS_PER_S))
        await asyncio.sleep(0)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def open_budget(tmp_path, time):
    budgets = []

    def opened(*limits, key="key", host="h"):
        budget = VenueBudget(
            tmp_path, venue="v", host=host, key=key, limits=limits, clock=time, sleep=time.sleep
        )
        budgets.append(budget)
        return budget

    yield opened
    for budget in budgets:
        budget.close()


async def take(budget, time, kind, count, cost=1):
    """Return when each of so many requests went, in ms since the start."""
    times = []
    for _ in range(count):
        await budget.take(kind, cost)
        times.append((time.now - START) // NS_PER_MS)
    return times


async def test_as_many_as_the_venue_allows_go_at_once_and_the_next_when_the_first_is_out_of_the_window(
    open_budget, time
):
    budget = open_budget(ORDERS)
    assert await take(budget, time, Kind.REDUCE, 12) == [0] * 10 + [1000] * 2


async def test_orders_leave_the_reserve_to_reductions(open_budget, time):
    budget = open_budget(ORDERS)
    assert await take(budget, time, Kind.ORDER, 7) == [0] * 7
    assert await take(budget, time, Kind.REDUCE, 3) == [0] * 3
    assert await take(budget, time, Kind.ORDER, 1) == [1000]
