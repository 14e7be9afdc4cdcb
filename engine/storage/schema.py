"""The database's tables as an ordered tuple of migrations: never edit one that shipped, append the next.

Decimals are canonical text (engine.domain.money.canonical), times are nanoseconds UTC, enums their values.
"""

from typing import NamedTuple

APPLICATION_ID = 0x74747569  # "ttui": tells our databases from other programs'


class Migration(NamedTuple):
    """One step from version n to n + 1: statements that are run in one transaction."""

    name: str
    statements: tuple[str, ...]


_FOUNDATION = (
    # One row: who this database belongs to, and since when. Client order ids are derived from it.
    """CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        birth_s INTEGER NOT NULL,
        instance TEXT NOT NULL,
        account TEXT NOT NULL
    )""",
    # `sequence` is the number inside the client id: the next free one must be known after a restart.
    """CREATE TABLE intents (
        client_id TEXT NOT NULL,
        action TEXT NOT NULL,
        cycle_id TEXT NOT NULL,
        symbol TEXT NOT NULL,
        ts INTEGER NOT NULL,
        qty TEXT NOT NULL,
        state TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (client_id, action)
    ) WITHOUT ROWID""",
    "CREATE INDEX intents_by_sequence ON intents (sequence)",
    "CREATE INDEX intents_unsettled ON intents (state) WHERE state IN ('pending', 'unknown')",
    """CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        client_id TEXT NOT NULL UNIQUE,
        cycle_id TEXT NOT NULL,
        play TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        role TEXT NOT NULL,
        kind TEXT NOT NULL,
        qty TEXT NOT NULL,
        ts INTEGER NOT NULL,
        price TEXT,
        trigger_price TEXT,
        reduce_only INTEGER NOT NULL,
        post_only INTEGER NOT NULL,
        tif TEXT NOT NULL,
        state TEXT NOT NULL,
        venue_id TEXT NOT NULL,
        filled_qty TEXT NOT NULL,
        filled_notional TEXT NOT NULL,
        fees TEXT NOT NULL,
        updated INTEGER NOT NULL,
        cancel_requested INTEGER NOT NULL,
        reason TEXT NOT NULL
    )""",
    """CREATE INDEX orders_open ON orders (state)
        WHERE state IN ('pending', 'submitted', 'acknowledged', 'partially_filled', 'unknown')""",
    # A trade between two of our own orders carries one trade id on both sides, and a simulated venue counts
    # its trades anew in each session: only together with the order is a trade id unique.
    """CREATE TABLE fills (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        client_id TEXT NOT NULL,
        trade_id TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        price TEXT NOT NULL,
        qty TEXT NOT NULL,
        fee TEXT NOT NULL,
        liquidity TEXT NOT NULL,
        venue_id TEXT NOT NULL,
        UNIQUE (symbol, trade_id, client_id)
    )""",
    "CREATE INDEX fills_by_time ON fills (ts)",
    """CREATE TABLE positions (
        play TEXT NOT NULL,
        symbol TEXT NOT NULL,
        qty TEXT NOT NULL,
        entry_notional TEXT NOT NULL,
        realized TEXT NOT NULL,
        fees TEXT NOT NULL,
        opened INTEGER NOT NULL,
        PRIMARY KEY (play, symbol)
    ) WITHOUT ROWID""",
    """CREATE TABLE vetoes (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        cycle_id TEXT NOT NULL,
        layer TEXT NOT NULL,
        reason TEXT NOT NULL,
        facts TEXT NOT NULL,
        play TEXT NOT NULL,
        symbol TEXT NOT NULL,
        UNIQUE (cycle_id, ts, symbol, reason)
    )""",
    # `veto_id` is null where the signal was approved.
    """CREATE TABLE signals (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        play TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        kind TEXT NOT NULL,
        price REAL NOT NULL,
        stop REAL,
        target REAL,
        strength REAL NOT NULL,
        client_id TEXT NOT NULL,
        veto_id INTEGER,
        cycle_id TEXT NOT NULL,
        UNIQUE (cycle_id, symbol, side, kind)
    )""",
    """CREATE TABLE transitions (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        kind TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (kind, ts, before, after)
    )""",
    """CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        started INTEGER NOT NULL,
        mode TEXT NOT NULL,
        record TEXT NOT NULL,
        ended INTEGER,
        exit_code INTEGER
    )""",
)

# What an entry was planned with, so that a start after a crash can protect what it opened.
_PLANS = ("ALTER TABLE signals ADD COLUMN plan TEXT",)

# A start asks for the fills of some orders among those of years.
_FILLS_BY_ORDER = ("CREATE INDEX fills_by_order ON fills (client_id)",)

# What shadow twins signalled and what became of it, and for how long each version of a play has run.
_SHADOWS = (
    """CREATE TABLE shadow_signals (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        label TEXT NOT NULL,
        play TEXT NOT NULL,
        hash TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        kind TEXT NOT NULL,
        price REAL NOT NULL,
        strength REAL NOT NULL,
        reason TEXT NOT NULL,
        resolved INTEGER NOT NULL,
        exit_price REAL NOT NULL,
        return_percent REAL NOT NULL,
        mae_percent REAL NOT NULL,
        mfe_percent REAL NOT NULL,
        pnl TEXT,
        UNIQUE (hash, label, ts, symbol, side, kind)
    )""",
    "CREATE INDEX shadow_signals_by_time ON shadow_signals (ts)",
    """CREATE TABLE stages (
        hash TEXT NOT NULL,
        role TEXT NOT NULL,
        began INTEGER NOT NULL,
        play TEXT NOT NULL,
        mode TEXT NOT NULL,
        until INTEGER NOT NULL,
        bars INTEGER NOT NULL,
        signals INTEGER NOT NULL,
        trades INTEGER NOT NULL,
        pnl TEXT NOT NULL,
        PRIMARY KEY (hash, role, began)
    ) WITHOUT ROWID""",
)

# An engine that runs for months keeps its newest ones; a start prunes by age, too.
_SHADOWS_BOUND = (
    """CREATE TRIGGER shadow_signals_bound AFTER INSERT ON shadow_signals BEGIN
        DELETE FROM shadow_signals WHERE id <= NEW.id - 100000;
    END""",
)

# What a venue left of the quantity of an order that only reduces.
_TRIMMED = ("ALTER TABLE orders ADD COLUMN trimmed_qty TEXT",)

MIGRATIONS: tuple[Migration, ...] = (
    Migration("foundation", _FOUNDATION),
    Migration("plans", _PLANS),
    Migration("fills by order", _FILLS_BY_ORDER),
    Migration("shadows", _SHADOWS),
    Migration("bound of shadows", _SHADOWS_BOUND),
    Migration("trimmed orders", _TRIMMED),
)
