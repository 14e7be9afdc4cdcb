"""Some lives of an engine on the local exchange, ended by kill -9; `-m benchmarks.kills` runs hundreds."""

import pytest

from tests.process.kill_cycles import KillCycles

pytestmark = pytest.mark.process

LIVES = 4


def test_no_order_is_lost_or_doubled_however_often_the_engine_is_killed(house):
    house.unmeasured()
    cycles = KillCycles(house, seed=1)
    try:
        for _ in range(LIVES):
            cycles.cycle()
        verdict = cycles.settle()
    finally:
        cycles.close()
    assert verdict.kills == LIVES
    assert verdict.orders > 0, "an exchange that was sent nothing shows nothing"
    assert verdict.executions > 0
    assert verdict.faults == {}
