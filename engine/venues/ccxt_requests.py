"""Writes an order as ccxt takes it, so that what leaves is what was decided, to the digit."""

import decimal
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from engine.domain.errors import RefusedError
from engine.domain.money import canonical
from engine.domain.orders import OrderKind, OrderRequest
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.venues.ccxt_client import CcxtError
from engine.venues.ccxt_contracts import Contract, Contracts
from engine.venues.ccxt_ids import to_venue
from engine.venues.ccxt_profiles import Profile


def create_call(
    client: Any, profile: Profile, contracts: Contracts, request: OrderRequest
) -> Callable[[], Awaitable[Any]]:
    """Return what sends an order. Raises RefusedError where ccxt would send other numbers."""
    contract = contracts.of(request.symbol)
    client_id = to_venue(request.client_id, profile.id_form)
    assert len(client_id) <= profile.id_max, "ids fit every venue that orders are sent to"
    params: dict[str, Any] = {**profile.position_params, "clientOrderId": client_id}
    if request.reduce_only:
        params["reduceOnly"] = True
    kind = "limit" if request.kind is OrderKind.LIMIT else "market"
    if request.kind is OrderKind.LIMIT:
        params |= {"postOnly": True} if request.post_only else {"timeInForce": request.tif.upper()}
    if request.trigger is not None:
        params["triggerPrice"] = _price(client, contract, request.trigger)
        params["triggerDirection"] = "ascending" if request.side is Side.BUY else "descending"
    price = None if request.price is None else _price(client, contract, request.price)
    amount = _amount(client, contract, request.qty)
    return lambda: client.create_order(contract.unified, kind, request.side.value, amount, price, params)


def _amount(client: Any, contract: Contract, qty: Decimal) -> str:
    """Write a quantity in contracts."""
    amount = qty / contract.size
    try:
        with decimal.localcontext():  # ccxt changes it
            text = str(client.amount_to_precision(contract.unified, canonical(amount)))
    except CcxtError:  # it is less than one step
        text = "0"
    if Decimal(text) != amount:
        raise RefusedError(f"{canonical(qty)} is no multiple of the lot", Reason.OFF_LOT)
    return text


def _price(client: Any, contract: Contract, price: Decimal) -> str:
    with decimal.localcontext():  # ccxt changes it
        text = str(client.price_to_precision(contract.unified, canonical(price)))
    if Decimal(text) != price:
        raise RefusedError(f"{canonical(price)} is no multiple of the tick", Reason.OFF_TICK)
    return text
