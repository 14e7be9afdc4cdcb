"""An exchange on loopback whose market stands still, and a client of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from engine.venues.bybit_server.core import Core
from tests.unit.venues.bybit_server.floor import StillMarket, open_floor
from tests.unit.venues.bybit_server.raw_client import Raw


@pytest.fixture
def market() -> StillMarket:
    """A market that stands at 100 to 100.5."""
    still = StillMarket()
    still.stand_at(100.0, 100.5, 10.0)
    return still


@pytest.fixture
async def served(market: StillMarket) -> AsyncIterator[tuple[Core, Raw]]:
    """An exchange without limits, and a client."""
    async with open_floor(market) as (core, address), aiohttp.ClientSession() as session:
        yield core, Raw(session, address)


@pytest.fixture
async def raw(served: tuple[Core, Raw]) -> Raw:
    """A client of an exchange without limits."""
    return served[1]
