"""Unmodified ccxt and ccxt.pro, pointed at the local exchange."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import getcontext
from typing import Any

import ccxt.pro

from engine.venues.bybit_server.serve import Address


@asynccontextmanager
async def ccxt_at(address: Address, **options: Any) -> AsyncIterator[Any]:
    """Open ccxt's Bybit with every address of it on loopback; Decimal rounds as before afterwards."""
    rounding = getcontext().rounding
    client = ccxt.pro.bybit(
        {
            "apiKey": "local-key",
            "secret": "local-secret",
            "enableRateLimit": False,
            "options": {
                "fetchMarkets": {"types": ["linear"]},
                "defaultType": "swap",
                "defaultSubType": "linear",
            },
            **options,
        }
    )
    point(client, address)
    try:
        yield client
    finally:
        await client.close()
        getcontext().rounding = rounding


def point(client: Any, address: Address) -> None:
    """Replace every address that ccxt knows."""
    api = client.urls["api"]
    for name, value in api.items():
        if isinstance(value, str):
            api[name] = address.rest
    private = address.socket("private")
    api["ws"] = {
        "public": {
            kind: address.socket(f"public/{kind}") for kind in ("spot", "linear", "inverse", "option")
        },
        "private": {
            "spot": {"unified": private, "nonUnified": private},
            "contract": private,
            "usdc": private,
            "trade": address.socket("trade"),
        },
    }
