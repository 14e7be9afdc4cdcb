"""The exchange's own side door: faults at run time, and the ledger of what really happened."""

from typing import Any

import msgspec
from aiohttp import web
from pydantic import ValidationError

from engine.venues.bybit_server import wire_account
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.faultrules import FaultFile, FaultRule

Json = dict[str, Any]


class Control:
    """`/_faults`, `/_ledger` and `/_limits`: no key is asked for, and no fault strikes them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get("/_faults", self.faults),
            web.post("/_faults", self.add_faults),
            web.delete("/_faults", self.remove_faults),
            web.delete("/_faults/{id:\\d+}", self.remove_fault),
            web.get("/_ledger", self.ledger),
            web.post("/_limits", self.set_limits),
        ]

    async def faults(self, _: web.Request) -> web.Response:
        """Say which faults are in force and what they did."""
        faults = self._core.faults
        return _json({"seed": faults.seed, "faults": faults.report(self._core.clock.now())})

    async def add_faults(self, request: web.Request) -> web.Response:
        """Put one fault in force, or a whole file of them."""
        try:
            given = msgspec.json.decode(await request.read())
            file = (
                FaultFile.model_validate(given)
                if isinstance(given, dict) and "faults" in given
                else FaultFile(faults=(FaultRule.model_validate(given),))
            )
        except msgspec.DecodeError as error:
            return _json({"error": f"this is not JSON: {error}"}, 400)
        except ValidationError as error:
            return _json({"error": "; ".join(_sentence(item) for item in error.errors())}, 400)
        return _json({"ids": self._core.add_faults(file)})

    async def remove_faults(self, _: web.Request) -> web.Response:
        """Take all faults away."""
        return _json({"removed": self._core.faults.remove()})

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Take one fault away."""
        removed = self._core.faults.remove(int(request.match_info["id"]))
        return _json({"removed": removed}, 200 if removed else 404)

    async def set_limits(self, request: web.Request) -> web.Response:
        """Turn the rate limits on or off: {"enabled": false}."""
        try:
            given = msgspec.json.decode(await request.read(), type=dict[str, bool])
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        self._core.limits.enabled = given.get("enabled", True)
        return _json({"enabled": self._core.limits.enabled})

    async def ledger(self, _: web.Request) -> web.Response:
        """Tell every order that was ever taken, every fill and position, and what was asked how often."""
        exchange = self._core.exchange
        orders = [
            wire_account.order(order) | {"submits": exchange.blotter.submits.get(order.ticket.link_id, 1)}
            for order in exchange.blotter.orders.values()
        ]
        symbols = [name for name, holding in exchange.account.holdings.items() if holding.qty]
        return _json(
            {
                "orders": orders,
                "submits": dict(exchange.blotter.submits),
                "executions": [wire_account.execution(each) for each in exchange.blotter.executions],
                "positions": [wire_account.position(exchange, name) for name in symbols],
                "wallet": wire_account.wallet(exchange),
                "calls": dict(self._core.calls),
                "refused": dict(self._core.refused),
                "sockets": [
                    {"kind": each.kind.value, "id": each.identity, "topics": sorted(each.topics)}
                    for each in self._core.hub.connections
                ],
            }
        )


def _sentence(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    message = item["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _json(told: Json, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), status=status, content_type="application/json")
