"""An engine on the local exchange, killed again and again, and what the exchange knows of it in the end."""

import json
import random
import sqlite3
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from decimal import Decimal
from typing import Any, NamedTuple

from engine.api import Action, ControlError, OrderState, Phase, send_command
from tests.process.harness import LIMIT_S, PROGRAM, House, eventually

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
DYING_EARLY = 0.2  # the part of all lives that ends during the start
LIFE_S = (0.02, 1.5)  # how long an armed engine lives
START_S = 1.2  # about what a start takes

# It turns round every few trades, so that there is always something on its way.
FLIPPER = """\
name: flip_{name}
symbols: [{symbol}]
timeframe: trade
size: {{notional: 300}}
long:
  enter: close > sma(4)
  exit: close < sma(4)
short:
  enter: close < sma(4)
  exit: close > sma(4)
stop_loss: {{percent: 1}}
take_profit: {{percent: 1}}
"""


class Verdict(NamedTuple):
    """What exchange and database say in the end; all but the counts must be empty."""

    kills: int
    orders: int
    executions: int
    resolved: int
    doubled: list[str]  # ids the exchange got more than once
    lost_orders: list[str]  # at the exchange, and not so in the database
    lost_fills: list[str]
    invented_fills: list[str]
    left_open: list[str]

    @property
    def faults(self) -> dict[str, list[str]]:
        """Return what must not be."""
        return {name: value for name, value in self._asdict().items() if isinstance(value, list) and value}


class KillCycles:
    """One account on one exchange, and an engine that does not live long."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self._chance = house, random.Random(seed)
        self.kills = self.resolved = 0
        self._plays = [house.root / f"flip_{symbol}.yaml" for symbol in SYMBOLS]
        for path, symbol in zip(self._plays, SYMBOLS, strict=True):
            path.write_text(FLIPPER.format(name=symbol.lower(), symbol=symbol))
        self._venue = subprocess.Popen(
            [PROGRAM, "venue", "--port", "0", "--json", "--no-limits", "--events-per-s", "100"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=house.root,
            env=house.env,
        )
        assert self._venue.stdout is not None
        self._rest = json.loads(self._venue.stdout.readline())["rest"]
        self._env = {"TRADER_TUI_LOCAL__PORT": self._rest.rpartition(":")[2]}

    def close(self) -> None:
        """End the exchange."""
        self._venue.kill()
        self._venue.communicate()

    def ledger(self) -> dict[str, Any]:
        """Return what the exchange really holds."""
        with urllib.request.urlopen(f"{self._rest}/_ledger", timeout=LIMIT_S) as answer:
            return dict(json.load(answer))

    # the lives

    def cycle(self) -> None:
        """Let an engine live for a while, and kill it."""
        engine = self._start()
        if self._chance.random() < DYING_EARLY:
            self._kill_after(engine, self._chance.uniform(0, START_S))
            return
        self._await_ready(engine)
        self._resolve()
        self._arm()
        self._kill_after(engine, self._chance.uniform(*LIFE_S))

    def settle(self) -> Verdict:
        """Let a last engine live: it flattens and ends in order; then hold its books against the exchange."""
        engine = self._start()
        self._await_ready(engine)
        self._resolve()
        self._command(Action.FLATTEN, reason="the end")
        eventually(self._halted, "it is flat", timeout_s=3 * LIMIT_S, show=self._shown)
        engine.terminate()
        engine.communicate(timeout=LIMIT_S)
        return self._verdict()

    def _start(self) -> "subprocess.Popen[str]":
        plays = [word for path in self._plays for word in ("--play", path)]
        return self.house.start(
            "run", "--headless", "--mode", "demo", "--venue", "local", *plays, env=self._env
        )

    def _await_ready(self, engine: "subprocess.Popen[str]") -> None:
        def ready() -> bool:
            assert engine.poll() is None, engine.communicate()
            return "reconciling" not in [hold.holder.value for hold in self.house.snapshot().status.holds]

        eventually(ready, "the engine is reconciled", timeout_s=3 * LIMIT_S, show=self._shown)

    def _kill_after(self, engine: "subprocess.Popen[str]", seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            out, err = engine.communicate(timeout=seconds)
            raise AssertionError(f"it ended by itself with {engine.returncode}: {out}{err}")
        engine.kill()
        engine.communicate()
        self.kills += 1

    def _arm(self) -> None:
        name = self.house.snapshot().status.confirm_name
        self._command(Action.ARM, argument=name, reason="the next life")

    def _resolve(self) -> None:
        """Do what an operator does who looks at the exchange: an order that it does not know is dead."""
        there = {order["orderLinkId"] for order in self.ledger()["orders"]}
        for order in self.house.snapshot().orders:
            if order.state is OrderState.UNKNOWN and order.client_id not in there:
                self._command(Action.RESOLVE, argument=f"{order.client_id} dead", reason="not there")
                self.resolved += 1

    def _command(self, action: Action, argument: str = "", reason: str = "") -> None:
        with suppress(ControlError):
            send_command(self.house.settings(), action, actor="test", reason=reason, argument=argument)

    def _halted(self) -> bool:
        self._resolve()
        status = self.house.snapshot().status
        return status.phase is Phase.HALTED

    def _shown(self) -> str:
        return str(self.house.snapshot())

    # the end

    def _verdict(self) -> Verdict:
        ledger = self.ledger()
        orders = {order["orderLinkId"]: order for order in ledger["orders"]}
        executions = {
            (each["execId"], each["orderLinkId"]): Decimal(each["execQty"]) for each in ledger["executions"]
        }
        stored_orders, stored_fills = self._stored()
        return Verdict(
            kills=self.kills,
            orders=len(orders),
            executions=len(executions),
            resolved=self.resolved,
            doubled=[link_id for link_id, times in ledger["submits"].items() if times > 1],
            lost_orders=[
                f"{link_id}: {order['orderStatus']} there, {stored_orders.get(link_id)} here"
                for link_id, order in orders.items()
                if not _agree(order["orderStatus"], stored_orders.get(link_id))
            ],
            lost_fills=_missing(executions, stored_fills),
            invented_fills=_missing(stored_fills, executions),
            left_open=[f"{p['symbol']} {p['side']} {p['size']}" for p in ledger["positions"]]
            + [link_id for link_id, order in orders.items() if order["orderStatus"] in OPEN_THERE],
        )

    def _stored(self) -> tuple[dict[str, str], dict[tuple[str, str], Decimal]]:
        """Return the database's orders and fills, but for its own corrections."""
        path = self.house.folder() / "demo" / "engine.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            orders = dict(database.execute("SELECT client_id, state FROM orders"))
            fills = database.execute(
                "SELECT trade_id, client_id, qty FROM fills WHERE trade_id != 'adjustment'"
            )
            return orders, {(trade_id, client_id): Decimal(qty) for trade_id, client_id, qty in fills}


OPEN_THERE = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
_ENDS = {
    "Filled": {"filled"},
    "Cancelled": {"canceled", "expired"},
    "PartiallyFilledCanceled": {"canceled", "expired"},
    "Deactivated": {"canceled", "expired"},
    "Rejected": {"rejected"},
}


def _agree(there: str, here: str | None) -> bool:
    return here in _ENDS.get(there, set())


def _missing(ones: dict[tuple[str, str], Decimal], others: dict[tuple[str, str], Decimal]) -> list[str]:
    return [f"{key}: {qty}" for key, qty in ones.items() if others.get(key) != qty]


def described(verdicts: Iterable[Verdict]) -> str:
    """Return a line with what was counted."""
    total = Counter[str]()
    for verdict in verdicts:
        total.update({name: value for name, value in verdict._asdict().items() if isinstance(value, int)})
    return ", ".join(f"{count} {name}" for name, count in total.items())
