"""A call of an endpoint on its way through the exchange."""

from collections.abc import Callable
from typing import Any

import msgspec

from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.params import Params

Json = dict[str, Any]


class Call(msgspec.Struct, frozen=True):
    """What is asked, of whom, and when (ns UTC)."""

    core: Core
    params: Params
    now: int


Act = Callable[[Call], Json]
