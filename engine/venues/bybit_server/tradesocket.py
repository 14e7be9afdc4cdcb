"""Orders over the trade socket: the same calls as by REST, with the same faults and limits."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from engine.venues.bybit_server.auth import check_time, require_permitted
from engine.venues.bybit_server.calls import Call, Json
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.endpoints import BY_SOCKET, WRITES
from engine.venues.bybit_server.faultrules import Do, FaultRule
from engine.venues.bybit_server.faults import Plan
from engine.venues.bybit_server.hub import Connection
from engine.venues.bybit_server.limits import Allowance, require_left
from engine.venues.bybit_server.params import Params
from engine.venues.bybit_server.refusals import UNKNOWN_PATH, RefusedError, parameter_error
from engine.venues.bybit_server.rest import ret_msg

Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Outcome(msgspec.Struct, frozen=True):
    """What became of a call."""

    code: int = 0
    text: str = "OK"
    data: Json = {}
    allowance: Allowance | None = None


class TradeSocket:
    """Takes orders from trade sockets. Where a fault delays one, the others pass it.

    A delayed order takes effect although its socket has ended by then: it had arrived.
    """

    def __init__(self, core: Core, spawn: Spawn) -> None:
        self._core, self._spawn = core, spawn

    def take(self, connection: Connection, message: Json) -> None:
        """Do what a message asks. Raises StorageError."""
        op, core = str(message.get("op")), self._core
        if op not in BY_SOCKET:
            self._reply(connection, message, Outcome(UNKNOWN_PATH, f"op type is not found: {op}"))
            return
        core.calls[op] += 1
        plan = core.faults.call(op, "socket", core.clock.now())
        if not (plan.before_s or plan.after_s):
            self._finish(connection, message, self._outcome(connection, message, plan.end), plan.end)
            return
        self._spawn(self._take_late(connection, message, plan))

    async def _take_late(self, connection: Connection, message: Json, plan: Plan) -> None:
        await asyncio.sleep(plan.before_s)
        outcome = self._outcome(connection, message, plan.end)
        await asyncio.sleep(plan.after_s)
        self._finish(connection, message, outcome, plan.end)

    def _outcome(self, connection: Connection, message: Json, end: FaultRule | None) -> Outcome:
        """Do what was asked, unless a fault comes before."""
        if end is not None and end.effect == "none":
            return Outcome()
        core, op = self._core, str(message["op"])
        now, shown_ms = core.clock.now(), core.shown_ms()
        allowance: Allowance | None = None
        try:
            require_permitted(connection.key, writes=True)
            stamp, window = _stamps(message)
            check_time(stamp, window, shown_ms)
            allowance = core.limits.take(op, now, shown_ms)
            require_left(allowance)
            result = WRITES[op](Call(core, Params(_order_of(message), connection.key), now))
            return Outcome(data=result, allowance=allowance)
        except RefusedError as refused:
            core.refused[str(refused.code)] += 1
            return Outcome(refused.code, refused.text, {}, allowance)
        finally:
            core.commit()

    def _finish(self, connection: Connection, message: Json, outcome: Outcome, end: FaultRule | None) -> None:
        """Answer, or end as a fault wants it."""
        if end is None:
            self._reply(connection, message, outcome)
            return
        match end.do:
            case Do.HANG:
                return
            case Do.RESET | Do.STATUS:
                connection.break_off()
            case Do.HTML:
                connection.reply(end.text or "<html></html>")
            case Do.EMPTY:
                connection.reply("{}")
            case _:
                self._reply(connection, message, Outcome(end.code, end.text or ret_msg(end.code)))

    def _reply(self, connection: Connection, message: Json, outcome: Outcome) -> None:
        header = {} if outcome.allowance is None else outcome.allowance.headers()
        told: Json = {
            "retCode": outcome.code,
            "retMsg": outcome.text,
            "op": message.get("op"),
            "data": outcome.data,
            "retExtInfo": {},
            "header": header | {"Traceid": "local", "Timenow": str(self._core.shown_ms())},
            "connId": connection.identity,
        }
        told |= {"reqId": message["reqId"]} if "reqId" in message else {}
        connection.reply(msgspec.json.encode(told).decode())


def _stamps(message: Json) -> tuple[str, str]:
    header = message.get("header")
    given: Json = header if isinstance(header, dict) else {}
    return str(given.get("X-BAPI-TIMESTAMP", "")), str(given.get("X-BAPI-RECV-WINDOW", "5000"))


def _order_of(message: Json) -> dict[str, Any]:
    match message.get("args"):
        case [dict(order)]:
            return order
        case _:
            raise parameter_error("args must hold one order")
