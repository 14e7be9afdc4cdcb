"""The venue's limits are kept, reductions first, by all engines of a machine together."""

import asyncio
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.snapshot import BudgetRow
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.bybit_server.limits import Limits
from engine.venues.ratefile import RateFile, Ring, ring_words
from engine.venues.ratelimit import LOCK_PATIENCE_NS, VenueBudget
from engine.venues.ratelimits import ARRIVES_LATE_S, EVERY, PLACING, Kind, RateLimit, Scope, limits_of

START = 1_000 * NS_PER_S
ORDERS = RateLimit("orders", 10, 1.0, PLACING, reserve=3)
REQUESTS = RateLimit("requests", 20, 5.0, EVERY, Scope.HOST, reserve=5)


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
    """Open budgets as engines of one machine would."""
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


# one engine


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


async def test_a_limit_counts_its_own_kinds_only(open_budget, time):
    budget = open_budget(ORDERS)
    await take(budget, time, Kind.REDUCE, 10)
    assert await take(budget, time, Kind.CANCEL, 30) == [0] * 30
    assert await take(budget, time, Kind.QUERY, 30) == [0] * 30


async def test_the_strictest_of_several_limits_counts(open_budget, time):
    budget = open_budget(ORDERS, REQUESTS)
    assert await take(budget, time, Kind.QUERY, 15) == [0] * 15
    assert await take(budget, time, Kind.CANCEL, 5) == [0] * 5
    assert await take(budget, time, Kind.REDUCE, 1) == [5000]


async def test_a_dear_request_waits_for_all_of_its_cost(open_budget, time):
    budget = open_budget(ORDERS)
    await take(budget, time, Kind.ORDER, 4)
    time.now += 500 * NS_PER_MS
    await take(budget, time, Kind.ORDER, 2)
    assert await take(budget, time, Kind.ORDER, 1, cost=3) == [1000]
    assert await take(budget, time, Kind.ORDER, 1, cost=99) == [2000], "more than fits waits for all of it"


async def test_requests_of_a_kind_leave_in_the_order_they_came_and_reductions_overtake(open_budget, time):
    budget = open_budget(ORDERS)
    await take(budget, time, Kind.ORDER, 7)
    left: list[str] = []

    async def go(kind: Kind, name: str) -> None:
        await budget.take(kind)
        left.append(name)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(go(Kind.ORDER, f"order{number}"))
        group.create_task(go(Kind.REDUCE, "reduce"))
    assert left == ["reduce", "order0", "order1", "order2"]


async def test_whoever_is_cancelled_while_it_waits_takes_nothing(open_budget, time):
    budget = open_budget(ORDERS)
    await take(budget, time, Kind.REDUCE, 10)
    waiting = asyncio.create_task(budget.take(Kind.ORDER))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await take(budget, time, Kind.REDUCE, 10) == [1000] * 10


async def test_how_much_is_used_is_shown(open_budget, time):
    budget = open_budget(ORDERS, REQUESTS)
    await take(budget, time, Kind.ORDER, 2)
    assert budget.use() == (
        BudgetRow("requests", 2, 20, 5.0, 5),
        BudgetRow("orders", 2, 10, 1.0, 3),
    )
    time.now += NS_PER_S
    assert [use.used for use in budget.use()] == [2, 0]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.integers(1, 4), st.floats(0, 0.4)), min_size=1, max_size=80
    )
)
def test_no_window_ever_holds_more_than_the_venue_allows(tmp_path_factory, asked):
    time = Time()
    folder = tmp_path_factory.mktemp("budget")
    budget = VenueBudget(folder, venue="v", host="h", limits=(ORDERS, REQUESTS), clock=time, sleep=time.sleep)
    went: list[tuple[int, Kind, int]] = []

    async def ask() -> None:
        for kind, cost, pause_s in asked:
            time.now += round(pause_s * NS_PER_S)
            await budget.take(kind, cost)
            went.append((time.now, kind, cost))

    asyncio.run(ask())
    budget.close()
    for limit in (ORDERS, REQUESTS):
        window_ns = round(limit.window_s * NS_PER_S)
        counted = [(at, cost) for at, kind, cost in went if kind in limit.kinds]
        for at, _ in counted:
            assert sum(cost for other, cost in counted if at <= other < at + window_ns) <= limit.count


# what the venue forbids


async def test_after_a_word_of_the_venue_nobody_asks_but_reductions_wait_one_window_only(open_budget, time):
    budget, other = open_budget(ORDERS), open_budget(ORDERS)
    budget.hold_back(30.0)
    assert await take(other, time, Kind.REDUCE, 1) == [1000]
    assert await take(other, time, Kind.ORDER, 1) == [30_000]


async def test_a_word_about_the_machine_holds_all_its_accounts(open_budget, time):
    budget, other = open_budget(ORDERS, REQUESTS), open_budget(ORDERS, REQUESTS, key="second")
    budget.hold_back(3.0)
    assert await take(other, time, Kind.ORDER, 1) == [0]
    budget.hold_back(3.0, Scope.HOST)
    assert await take(other, time, Kind.ORDER, 1) == [3000]


# several engines


async def test_engines_with_one_key_count_together_and_others_apart(open_budget, time):
    first, second = open_budget(ORDERS), open_budget(ORDERS)
    stranger, elsewhere = open_budget(ORDERS, key="other"), open_budget(ORDERS, host="testnet")
    await take(first, time, Kind.REDUCE, 6)
    assert await take(second, time, Kind.REDUCE, 5) == [0] * 4 + [1000]
    assert await take(stranger, time, Kind.REDUCE, 10) == [1000] * 10
    assert await take(elsewhere, time, Kind.REDUCE, 10) == [1000] * 10


async def test_all_keys_of_a_machine_share_what_the_venue_counts_by_address(open_budget, time):
    first, second = open_budget(REQUESTS), open_budget(REQUESTS, key="other")
    await take(first, time, Kind.CANCEL, 20)
    assert await take(second, time, Kind.CANCEL, 1) == [5000]


async def test_the_key_itself_is_nowhere_in_the_folder(open_budget, tmp_path):
    open_budget(ORDERS, key="secret-key-of-the-venue")
    for file in tmp_path.iterdir():
        assert "secret" not in file.name
        assert b"secret" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_whoever_is_killed_inside_the_lock_keeps_nobody_waiting(tmp_path):
    path = tmp_path / "gate"
    code = f"""
import os
from pathlib import Path
from engine.venues.ratefile import RateFile
assert RateFile(Path({str(path)!r}), 1).lock()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    file = RateFile(path, 1)
    assert file.lock()
    file.close()
    file.close()  # once more is no harm


async def test_whoever_stopped_inside_the_lock_delays_a_reduction_for_a_moment_and_orders_until_it_goes_on(
    open_budget, time
):
    budget, stopped = open_budget(ORDERS), open_budget(ORDERS)
    assert stopped._gate.lock()
    waiting = asyncio.create_task(budget.take(Kind.ORDER))
    await budget.take(Kind.REDUCE)
    patience_ms = LOCK_PATIENCE_NS // NS_PER_MS
    assert patience_ms <= (time.now - START) // NS_PER_MS <= 2 * patience_ms + 5
    assert not waiting.done()
    stopped._gate.unlock()
    await waiting


async def test_where_no_file_can_be_had_each_engine_counts_by_itself(tmp_path, time):
    (tmp_path / "file").write_text("")
    budget = VenueBudget(
        tmp_path / "file", venue="v", host="h", limits=(ORDERS,), clock=time, sleep=time.sleep
    )
    assert "File exists" in budget.flaw
    assert await take(budget, time, Kind.REDUCE, 11) == [0] * 10 + [1000]
    budget.close()


async def test_a_shared_file_has_no_flaw(open_budget):
    assert open_budget(ORDERS).flaw == ""


async def test_times_of_before_the_last_boot_say_nothing(open_budget, time):
    budget = open_budget(ORDERS)
    await take(budget, time, Kind.REDUCE, 10)
    budget.hold_back(60.0)
    time.now = 5 * NS_PER_S  # the monotonic clock began anew
    await budget.take(Kind.ORDER)
    assert time.now == 5 * NS_PER_S


def test_a_ring_remembers_the_newest_only(tmp_path):
    file = RateFile(tmp_path / "x", ring_words(3))
    ring = Ring(file.words, 3, NS_PER_S)
    for at in range(1, 6):
        ring.record(at, 1)
    assert ring.used(5) == 3
    assert ring.wait_ns(5, 3, 1) == 3 + NS_PER_S - 5
    del ring
    file.close()


# four processes

PROCESS = """
import asyncio, sys, time
from pathlib import Path
from engine.venues.ratelimit import VenueBudget
from engine.venues.ratelimits import Kind, PLACING, RateLimit

async def main() -> None:
    limit = RateLimit("orders", 40, 0.5, PLACING, reserve=8)
    budget = VenueBudget(Path(sys.argv[1]), venue="v", host="h", key="k", limits=(limit,))
    kind = Kind(sys.argv[2])
    sys.stdin.readline()
    while True:
        await budget.take(kind)
        print(time.monotonic_ns(), flush=True)

asyncio.run(main())
"""


def test_four_processes_together_keep_the_limit_through_a_kill_and_reductions_have_their_reserve(tmp_path):
    def started(kind: Kind) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path / "budget"), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    processes = [started(kind) for kind in (Kind.ORDER, Kind.ORDER, Kind.ORDER, Kind.REDUCE)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    victim = processes[0]
    assert victim.stdout is not None
    first = victim.stdout.readline()
    victim.kill()  # in the middle of its work: what it took stays counted, what it held is free
    reducing = processes[3].stdout
    assert reducing is not None
    reduced = [int(reducing.readline()) for _ in range(90)]
    for process in processes[1:]:
        process.kill()
    told = {process.pid: process.communicate()[0] for process in processes}
    times = {process.pid: [int(line) for line in told[process.pid].split()] for process in processes}
    everything = sorted([int(first), *reduced, *(at for each in times.values() for at in each)])
    assert len(everything) > 100
    window_ns = NS_PER_S // 2
    # Each writes down its time a moment after it was let through: that much a window may seem shorter.
    slack_ns = 40 * NS_PER_MS
    for index, at in enumerate(everything):
        later = everything[index : index + 41]
        assert len(later) <= 40 or later[-1] - at >= window_ns - slack_ns
    assert times[processes[2].pid], "nobody starves"


@settings(max_examples=30, deadline=None)
@given(
    bursts=st.lists(st.integers(1, 12), min_size=4, max_size=12),
    late=st.lists(st.floats(0, ARRIVES_LATE_S), min_size=8, max_size=40),
    kind=st.sampled_from([Kind.ORDER, Kind.REDUCE]),
)
def test_the_venue_never_counts_too_many_however_late_requests_arrive(tmp_path_factory, bursts, late, kind):
    clock = Time()
    folder = tmp_path_factory.mktemp("budget")
    budget = VenueBudget(
        folder, venue="local", host="h", limits=limits_of("local"), clock=clock, sleep=clock.sleep
    )

    async def leave() -> list[int]:
        left = []
        for burst in bursts:
            for _ in range(burst):
                await budget.take(kind)
                left.append(clock.now)
        return left

    left = asyncio.run(leave())
    budget.close()
    arrived = sorted(at + round(late[i % len(late)] * NS_PER_S) for i, at in enumerate(left))
    exchange = Limits()
    taken = [exchange.take("order.create", at, 0) for at in arrived]
    assert not [one for one in taken if one is None or one.exceeded]
