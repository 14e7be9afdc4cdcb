"""The REST side: every call passes fault, key, limit and endpoint, in this order."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from engine.domain.errors import StorageError
from engine.venues.bybit_server.auth import check_request
from engine.venues.bybit_server.calls import Call
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.endpoints import ENDPOINTS, Endpoint
from engine.venues.bybit_server.faultrules import Do, FaultRule
from engine.venues.bybit_server.hub import reset
from engine.venues.bybit_server.limits import Allowance, require_left
from engine.venues.bybit_server.params import Params
from engine.venues.bybit_server.refusals import UNKNOWN_PATH, RefusedError, parameter_error

Json = dict[str, Any]
BODY_MAX = 64 * 1024
HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>"
_OK = (0, "OK")
_RET_MSGS = {
    10000: "Server Timeout",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10016: "Server error.",
    10018: "Exceeded the IP Rate Limit.",
}


class Rest:
    """Answers calls."""

    def __init__(self, core: Core, stopping: asyncio.Event) -> None:
        self._core, self._stopping = core, stopping

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of /v5/."""
        core = self._core
        endpoint = ENDPOINTS.get((request.method, request.path))
        now = core.clock.now()
        if core.in_maintenance():
            return web.Response(
                text=HTML.format("503 Service Temporarily Unavailable"), status=503, content_type="text/html"
            )
        if not core.limits.admits_address(now):
            return _plain({"retCode": 10018, "retMsg": "403, access too frequent"}, 403)
        if endpoint is None:
            return _plain(
                self._told(UNKNOWN_PATH, f"no such endpoint: {request.method} {request.path}", {}), 404
            )
        core.calls[endpoint.name] += 1
        body = await request.read() if request.method == "POST" else b""
        plan = core.faults.call(endpoint.name, "rest", now)
        if plan.before_s:
            await asyncio.sleep(plan.before_s)
        if plan.end is not None and plan.end.effect == "none":
            return await self._spoil(plan.end, request)
        try:
            answer = self._answer(endpoint, request, body)
        except StorageError:
            reset(request.transport)  # nobody is told what was not written down
            return web.Response()
        if plan.after_s:
            await asyncio.sleep(plan.after_s)
        return answer if plan.end is None else await self._spoil(plan.end, request)

    def _answer(self, endpoint: Endpoint, request: web.Request, body: bytes) -> web.Response:
        """Do what was asked, and say so."""
        core = self._core
        now, shown_ms = core.clock.now(), core.shown_ms()
        allowance: Allowance | None = None
        try:
            key = None
            query = request.raw_path.partition("?")[2]
            if endpoint.is_private:
                payload = body.decode(errors="replace") if request.method == "POST" else query
                key = check_request(request.headers, payload, shown_ms, writes=endpoint.writes)
                allowance = core.limits.take(endpoint.name, now, shown_ms)
                require_left(allowance)
            values = _fields(body) if request.method == "POST" else request.query
            result = endpoint.act(Call(core, Params(values, key), now))
            told = self._told(*_OK, result)
        except RefusedError as refused:
            core.refused[str(refused.code)] += 1
            told = self._told(refused.code, refused.text, {})
        core.commit()
        return _plain(told, headers=None if allowance is None else allowance.headers())

    async def _spoil(self, rule: FaultRule, request: web.Request) -> web.StreamResponse:
        """End a call as a fault wants it."""
        match rule.do:
            case Do.HANG:
                await self._stopping.wait()
                reset(request.transport)
                return web.Response()
            case Do.RESET:
                reset(request.transport)
                return web.Response()
            case Do.STATUS:
                text = rule.text or HTML.format(f"{rule.status} fault")
                kind = "application/json" if text.startswith("{") else "text/html"
                return web.Response(text=text, status=rule.status, content_type=kind)
            case Do.HTML:
                return web.Response(text=rule.text or HTML.format("Just a moment"), content_type="text/html")
            case Do.EMPTY:
                return web.Response(body=b"", content_type="application/json")
            case _:
                return _plain(self._told(rule.code, rule.text or ret_msg(rule.code), {}))

    def _told(self, code: int, text: str, result: Json) -> Json:
        return {
            "retCode": code,
            "retMsg": text,
            "result": result,
            "retExtInfo": {},
            "time": self._core.shown_ms(),
        }


def ret_msg(code: int) -> str:
    """Return what the exchange says with a code."""
    return _RET_MSGS.get(code, "fault")


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any]) if body else {}
    except msgspec.DecodeError:
        raise parameter_error("the body is not a JSON object") from None


def _plain(told: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(told), status=status, headers=headers, content_type="application/json"
    )
