"""A restart keeps orders, fills and positions; a torn, foreign or locked file is told apart."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from engine.domain.errors import ConfigError, LockHeldError, StorageError
from engine.domain.signals import Side
from engine.venues.bybit_server import wire_account
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.orders import Rising, Status
from engine.venues.bybit_server.refusals import RefusedError
from engine.venues.bybit_server.statefile import StateFile
from tests.unit.venues.bybit_server.floor import (
    START,
    SYMBOL,
    StillMarket,
    open_floor,
    place,
    quote,
    rules,
    trade,
    until,
)
from tests.unit.venues.bybit_server.raw_client import Raw

EQUITY = Decimal(10_000)


def begun(path: Path) -> tuple[Exchange, StateFile]:
    """Open an exchange on a state file."""
    state = StateFile.open(path)
    head = state.begin(START, EQUITY)
    made = Exchange([rules()], id_key=path.name.encode(), equity=head.equity)
    state.restore(made)
    made.on_quote(quote(100.0, 100.5, 5.0))
    made.on_trade(trade(100.0))
    return made, state


def busy(path: Path) -> Exchange:
    """Trade a little, keep it, and let go of the file."""
    made, state = begun(path)
    made.blotter.asked("gone")
    place(made, Side.BUY, "1", link_id="gone")
    place(made, Side.BUY, "2", "99", link_id="rests")
    place(made, Side.SELL, "1", trigger=Decimal(90), rising=Rising.DOWN, reduce_only=True)
    made.protect(SYMBOL, START, take_profit=Decimal(120), stop_loss=None)
    made.on_trade(trade(99.0, 0.5))
    state.keep(made, made.blotter.drain())
    state.close()
    return made


def test_a_restart_keeps_everything(tmp_path: Path):
    before = busy(tmp_path / "state")
    after, state = begun(tmp_path / "state")
    state.close()
    for one, other in zip(before.blotter.orders.values(), after.blotter.orders.values(), strict=True):
        assert wire_account.order(one) == wire_account.order(other)
    assert before.blotter.executions == after.blotter.executions
    assert before.account.holdings == after.account.holdings
    assert before.account.wallet == after.account.wallet
    assert after.blotter.submits == {"gone": 1}
    assert set(before.blotter.open) == set(after.blotter.open)


def test_orders_go_on_where_they_were(tmp_path: Path):
    busy(tmp_path / "state")
    after, state = begun(tmp_path / "state")
    state.close()
    rests = after.blotter.find_open(SYMBOL, "", "rests")
    after.on_trade(trade(98.0, 1.0))
    assert (rests.filled, rests.leaves) == (Decimal("1.5"), Decimal("0.5"))
    with pytest.raises(RefusedError, match="110072"):
        place(after, Side.BUY, "1", link_id="gone")
    after.on_quote(quote(89.0, 89.5, 5.0))
    after.on_trade(trade(90.0, 0.1))
    held = after.account.holdings[SYMBOL].qty
    assert held == after.listings[SYMBOL].book.position == Decimal(2), "3 were bought, the stop sold 1"
    assert len({fill.execution_id for fill in after.blotter.executions}) == len(after.blotter.executions)
    assert {order.status for order in after.listings[SYMBOL].waiting.values()} == {Status.UNTRIGGERED}


def test_a_torn_tail_is_cut_and_written_over(tmp_path: Path):
    path = tmp_path / "state"
    busy(path)
    path.write_bytes(path.read_bytes()[:-3])
    made, state = begun(path)
    place(made, Side.BUY, "1", link_id="new")
    state.keep(made, made.blotter.drain())
    state.close()
    again, state = begun(path)
    state.close()
    assert {"gone", "rests", "new"} <= set(again.blotter.by_link)


def test_another_files_content_is_not_touched(tmp_path: Path):
    path = tmp_path / "precious.yaml"
    path.write_text("name: precious\n")
    with pytest.raises(ConfigError, match=r"precious\.yaml: --state: is not the state of a local exchange"):
        StateFile.open(path)
    assert path.read_text() == "name: precious\n"


def test_two_exchanges_do_not_share_a_file(tmp_path: Path):
    state = StateFile.open(tmp_path / "state")
    with pytest.raises(LockHeldError, match="another exchange"):
        StateFile.open(tmp_path / "state")
    state.close()
    StateFile.open(tmp_path / "state").close()


def test_a_file_of_other_symbols_is_refused(tmp_path: Path):
    busy(tmp_path / "state")
    state = StateFile.open(tmp_path / "state")
    with pytest.raises(ConfigError, match="holds orders in BTCUSDT, which is not listed"):
        state.restore(Exchange([rules("ETHUSDT")], id_key=b"x"))
    state.close()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be opened"):
        StateFile.open(tmp_path / "none" / "state")


def full(_: object) -> None:
    """Keep nothing, as on a full disk."""
    raise StorageError("venue.state cannot be written: no space left on device")


async def sent_by_rest(raw: Raw) -> None:
    with pytest.raises(aiohttp.ClientError):
        await raw.order()


async def sent_by_socket(raw: Raw) -> None:
    async with raw.socket("trade", auth=True) as socket:
        await socket.say_order()
        assert await socket.ended()


@pytest.mark.parametrize("send", [sent_by_rest, sent_by_socket])
async def test_an_exchange_that_cannot_write_answers_nobody_and_ends(
    market: StillMarket, send: Callable[[Raw], Awaitable[None]]
):
    async def run() -> None:
        async with open_floor(market) as (core, address), aiohttp.ClientSession() as session:
            await until(lambda: not market.coming)
            core.keep = full
            await send(Raw(session, address))
            await asyncio.Event().wait()

    with pytest.raises(StorageError, match="no space left"):
        await run()
