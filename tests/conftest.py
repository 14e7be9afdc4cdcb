"""What all tests share: how hypothesis searches, and that nothing of the user's is touched."""

import os
from collections.abc import Iterator
from decimal import getcontext
from pathlib import Path

import pytest
from hypothesis import settings

# No deadlines: a busy machine is no defect. In CI the same examples every time, at home new ones.
settings.register_profile("home", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")


@pytest.fixture(autouse=True, scope="session")
def own_state_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the tests' instances apart from the user's, whom `flatten --all` would reach."""
    folder = tmp_path_factory.mktemp("state-home")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


@pytest.fixture(autouse=True)
def rounding_stays() -> Iterator[None]:
    """See that nothing changes how Decimal rounds for what runs after it: ccxt does, where nobody shields."""
    before = getcontext().rounding
    yield
    after, getcontext().rounding = getcontext().rounding, before
    assert after == before, f"Decimal rounds {after} after this test: ccxt was called without a shield"


@pytest.fixture(autouse=True, scope="session")
def own_cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give all tests of this process a cache folder of their own."""
    folder = tmp_path_factory.mktemp("cache-home")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    return folder
