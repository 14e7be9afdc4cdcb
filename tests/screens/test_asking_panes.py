"""Panes that ask for what they show: chart, book, trades, equity."""

from decimal import Decimal

import msgspec
import pytest

from engine.api import (
    Blotted,
    BookView,
    BookWish,
    Chart,
    ChartWish,
    ControlError,
    Curve,
    EquityWish,
    LookReply,
    TradesWish,
    Wish,
)
from tests.console_fakes import ORDERS, FakeLink, snapshot
from tests.screens.console import Desk, console
from tests.sight_fakes import book, chart, curve, sights, trades
from tui.abilities import Glyphs
from tui.panes.equity import falls
from tui.settings import ConsoleSettings


def seeing() -> FakeLink:
    """A link that shows a busy market."""
    link = FakeLink([snapshot()])
    link.sights = sights()
    return link


async def show(desk: Desk, pane: str) -> None:
    """Bring a pane to the front and wait for its answer."""
    desk.app.navigator.choose(pane)
    kinds: dict[str, type[Wish]] = {
        "chart": ChartWish,
        "book": BookWish,
        "trades": TradesWish,
        "equity": EquityWish,
    }
    await desk.until(lambda: any(isinstance(wish, kinds[pane]) for wish in desk.link.looked))
    await desk.until(lambda: desk.text(pane) and "Asking the engine" not in desk.text(pane))


async def test_a_chart_names_its_indicators_levels_and_fills() -> None:
    """Of the symbol that is selected in Market."""
    async with console(link=seeing(), size=(160, 48)) as desk:
        await show(desk, "chart")
        await desk.press("z")
        text = desk.text("chart")
        for said in ("BTCUSDT 1m canary", "sma(20) 61,", "rsi(14) 79.96", "▲ bought ▼ sold", "◀61,234.5"):
            assert said in text
        for said in ("stop ┄", "entry ┄", "target ┄", "60,500.0", "14:01:31 UTC"):
            assert said in text
        assert "║" in text
        assert "┃" in text


async def test_a_low_chart_keeps_its_candles_and_says_the_levels_in_words() -> None:
    """80x24: three rows of candles are better than a line."""
    async with console(link=seeing(), size=(80, 24)) as desk:
        await show(desk, "chart")
        assert "stop 60,500.0" in desk.text("chart")
        assert "target 62,400.0" in desk.text("chart")


async def test_another_symbol_is_asked_for_at_once() -> None:
    """j and k in the chart select in Market; what is of another symbol is not shown."""
    async with console(link=seeing()) as desk:
        await show(desk, "chart")
        await desk.press("j")
        assert "Asking the engine for the bars of ETHUSDT" in desk.prose("chart")
        await desk.until(lambda: any(w == _eth(w) for w in desk.link.looked if isinstance(w, ChartWish)))
        await desk.press("j", "j", "j", "j", "k")
        await desk.settle()
        assert desk.app.desk.panes["chart"].symbol == "SOLUSDT"  # type: ignore[attr-defined]  # a ChartPane


async def test_the_chart_shows_another_play_and_says_with_which_key() -> None:
    """Its title counts them; a play that is alone is said to be."""
    link = seeing()
    two = msgspec.structs.replace(chart(), plays=("canary", "ema_cross"))
    link.sights[ChartWish] = LookReply(1, two)
    async with console(link=link, size=(120, 44)) as desk:
        await desk.press("right_square_bracket")
        assert desk.focused == "chart", "it comes to the front first"
        await show(desk, "chart")
        await desk.press("z")
        title = desk.text("chart").splitlines()[0]
        assert "BTCUSDT 1m canary 1/2 · . next symbol, ] next play" in title
        cross = msgspec.structs.replace(two, play="ema_cross")
        link.sights[ChartWish] = LookReply(1, cross)
        await desk.press("right_square_bracket")
        await desk.until(lambda: "ema_cross 2/2" in desk.text("chart"))
        assert "ema_cross" in {wish.play for wish in link.looked if isinstance(wish, ChartWish)}
        await desk.press("left_square_bracket")
        await desk.until(lambda: link.looked[-1] == msgspec.structs.replace(link.looked[-1], play="canary"))
        link.sights[ChartWish] = LookReply(1, chart())
        desk.clock.now += 1.1
        await desk.until(lambda: "1/2" not in desk.text("chart") and "2/2" not in desk.text("chart"))
        await desk.press("right_square_bracket")
        assert "There is no other play of BTCUSDT to show." in desk.toasts()[-1]


async def test_symbols_are_walked_from_any_pane() -> None:
    """The chart and the book follow."""
    async with console(link=seeing(), size=(200, 50)) as desk:
        await show(desk, "book")
        assert "BTCUSDT · . next symbol" in desk.text("book").splitlines()[0]
        await desk.press("3", ".", ".", ",")
        assert desk.app.desk.panes["market"].cursor == 1
        assert desk.app.desk.panes["book"].symbol == "ETHUSDT"  # type: ignore[attr-defined]  # a BookPane
        assert desk.focused == "orders"
    async with console(snapshot(ticks=())) as desk:
        await desk.press(".")
        assert "There is no symbol yet" in desk.toasts()[-1]


def _eth(wish: Wish) -> Wish:
    return msgspec.structs.replace(wish, symbol="ETHUSDT") if isinstance(wish, ChartWish) else wish


async def test_a_hidden_pane_asks_nothing_and_a_shown_one_once_a_second() -> None:
    """By the console's own clock."""
    async with console(link=seeing()) as desk:
        await desk.settle()
        assert desk.link.looked == []
        await show(desk, "trades")
        asked = desk.link.looked.count(TradesWish())
        for _ in range(4):
            await desk.pilot.pause(0.1)
        assert desk.link.looked.count(TradesWish()) == asked
        desk.clock.now += 1.1
        await desk.until(lambda: desk.link.looked.count(TradesWish()) == asked + 1)


async def test_a_book_marks_our_orders_and_names_those_outside() -> None:
    """The bid of the busy snapshot rests at 61,100.0; its stop lies under the book."""
    async with console(link=seeing(), size=(120, 44)) as desk:
        await show(desk, "book")
        await desk.press("z")
        desk.clock.now += 1.1
        await desk.until(lambda: any(w == BookWish("BTCUSDT", levels=18) for w in desk.link.looked))
        await desk.settle()
        text = desk.text("book")
        (ours,) = [line for line in text.splitlines() if "▶BUY 0.25" in line]
        assert "61,100.0" in ours
        assert "last 61,234.5  spread 4.9, 0.80 bps" in text
        assert "ours SELL stop 0.25 at 60,500.0 (-1.20% away)" in text


async def test_an_order_that_a_low_book_has_no_room_for_is_named() -> None:
    """80x24: our bid lies ten levels down, and many more are one line."""
    many = tuple(
        msgspec.structs.replace(ORDERS[1], client_id=f"b{number}", price=Decimal(61_000 - number))
        for number in range(5)
    )
    async with console(snapshot(orders=(*ORDERS, *many)), link=None, size=(80, 24)) as desk:
        desk.link.sights = sights()
        await show(desk, "book")
        await desk.press("z")
        assert "ours BUY entry 0.25 at 61,100.0 (-0.22% away)" in desk.text("book")
        assert "more of ours outside of what is shown" in desk.text("book")
        assert "last 61,234.5" in desk.text("book")


async def test_without_a_book_the_best_bid_and_offer_are_shown_and_why() -> None:
    """A simulated market has no more."""
    link = seeing()
    link.sights[BookWish] = LookReply(1, BookView("BTCUSDT", None, "this market has no order book"))
    async with console(link=link, size=(120, 44)) as desk:
        await show(desk, "book")
        text = desk.prose("book")
        assert "61,232.1" in text
        assert "61,236.9" in text
        assert "this market has no order book" in text
        bare = tuple(msgspec.structs.replace(tick, bid=0.0) for tick in snapshot().ticks)
        await desk.play(snapshot(ticks=bare))
        assert "No bid and offer of BTCUSDT" in desk.prose("book")


async def test_notes_never_take_the_place_of_the_best_bid_and_offer() -> None:
    """80x24 leaves the book four rows: both prices, the last one, and one row for an order of ours."""
    link = seeing()
    link.sights[BookWish] = LookReply(1, BookView("BTCUSDT", None, "best bid and offer only " * 5))
    async with console(link=link, size=(80, 24)) as desk:
        await show(desk, "book")
        text = desk.text("book")
        assert "61,232.1" in text
        assert "61,236.9" in text
        assert "ours BUY entry 0.25 at 61,100.0" in text
        assert "[0 Book] · BTCUSDT" in text


async def test_trades_add_up_by_play_today_and_in_this_run() -> None:
    """With rates that a trader looks for."""
    async with console(link=seeing(), size=(120, 44)) as desk:
        await show(desk, "trades")
        await desk.press("z")
        text = desk.text("trades")
        assert "LONG" in text
        assert "SHORT" in text
        today = next(line for line in text.splitlines() if "today canary" in line)
        assert today.replace("│", "").split() == ["today", "canary", "6", "67%", "2.27", "9.18", "+23.01"]
        run = next(line for line in text.splitlines() if "this run" in line)
        assert run.replace("│", "").split() == ["this", "run", "8", "62%", "3.30", "12.24", "+52.19"]
        assert "in at 61,000.5 and out at 61,020.5 on average: +5.00 after 1.53 fees" in desk.prose("trades")


async def test_trades_are_filtered_like_other_lists() -> None:
    """What lost, of one play."""
    async with console(link=seeing(), size=(120, 44)) as desk:
        await show(desk, "trades")
        await desk.press("k")
        assert "held; G follows" in desk.text("trades")
        await desk.press("z", "slash", *"result:lost", "space", *"play:canary", "enter")
        text = desk.text("trades")
        assert "-10.02" in text
        assert "+33.68" not in text
        assert "-4.50" not in text


async def test_many_plays_are_added_up_and_none_are_said() -> None:
    """Three are named; the rest is one line."""
    told = trades()
    many = tuple(msgspec.structs.replace(told.today[0], play=f"p{number}") for number in range(5))
    link = seeing()
    link.sights[TradesWish] = LookReply(1, Blotted(told.trades, many, many))
    async with console(link=link, size=(120, 44)) as desk:
        await show(desk, "trades")
        await desk.press("z")
        assert "today 2 more" in desk.text("trades")
        link.sights[TradesWish] = LookReply(1, Blotted((), (), ()))
        desk.clock.now += 1.1
        await desk.until(lambda: "No trade has closed yet" in desk.text("trades"))
        link.sights[TradesWish] = LookReply(1, Blotted(told.trades[:1], told.today[:1], told.today[:1]))
        desk.clock.now += 1.1
        await desk.until(lambda: "today canary" in desk.text("trades"))


@pytest.mark.parametrize("settings", [ConsoleSettings(), ConsoleSettings(glyphs=Glyphs.ASCII)])
async def test_equity_is_drawn_with_its_drawdown(settings: ConsoleSettings) -> None:
    """In braille, or in ASCII."""
    async with console(link=seeing(), size=(120, 44), settings=settings) as desk:
        await show(desk, "equity")
        await desk.press("z")
        text = desk.text("equity")
        assert "+124.22 (+1.24%) since the books began" in text
        assert "drawdown now 0.41%" in text
        assert "fall from the peak" in text
        drawn = "".join(text.splitlines()[3:20])
        assert ("*" in drawn) is settings.ascii_only
        assert any("\u2800" <= char <= "\u28ff" for char in drawn) is not settings.ascii_only


def test_a_fall_is_measured_from_the_peak_before_it() -> None:
    """Not from the peak of all time."""
    assert falls(curve().points)[0] == pytest.approx(8 / (curve().points[0].high), rel=1e-6)
    assert max(falls(curve().points)) < 0.03


async def test_what_cannot_be_seen_is_said() -> None:
    """The engine's words, or those of the link."""
    link = FakeLink([snapshot()])
    async with console(link=link) as desk:
        await show(desk, "equity")
        assert "nothing to see" in desk.prose("equity")
        link.look_error = ControlError("the engine does not answer")
        desk.clock.now += 1.1
        await desk.until(lambda: "the engine does not answer" in desk.prose("equity"))
        link.look_error = None
        link.sights = {EquityWish: LookReply(1, Curve(curve().points[:1]))}
        desk.clock.now += 1.1
        await desk.until(lambda: "No equity curve yet" in desk.prose("equity"))


async def test_a_chart_that_got_old_says_so() -> None:
    """Bars stop before anything else does."""
    link = seeing()
    made = chart()
    old = tuple(msgspec.structs.replace(bar, ts=bar.ts - 3_600_000_000_000) for bar in made.bars)
    link.sights[ChartWish] = LookReply(1, msgspec.structs.replace(made, bars=old, fills=()))
    async with console(link=link, size=(120, 44)) as desk:
        await show(desk, "chart")
        assert "last bar 1h 00m ago" in desk.text("chart").splitlines()[0]


def test_the_fakes_are_what_an_engine_could_send() -> None:
    """Bars in order, a book that is not crossed."""
    made = chart()
    assert isinstance(made, Chart)
    assert [bar.ts for bar in made.bars] == sorted(bar.ts for bar in made.bars)
    depth = book().depth
    assert depth is not None
    assert depth.bids[0][0] < depth.asks[0][0]
    assert sum(one.pnl for one in trades().session) == Decimal("52.19")


async def test_an_old_answer_says_that_there_is_no_new_one() -> None:
    """Ticks go on, so nothing else would tell."""
    link = seeing()
    async with console(link=link, size=(120, 44)) as desk:
        await show(desk, "book")
        link.look_error = ControlError("the engine does not answer")
        desk.clock.now += 1.1
        await desk.until(lambda: "no answer" in desk.text("book").splitlines()[0])


async def test_a_chart_of_days_dates_its_bars_and_counts_what_it_has_no_room_for() -> None:
    """No indicator is left out without a word."""
    link = seeing()
    made = chart()
    hour = 3_600_000_000_000
    bars = tuple(
        msgspec.structs.replace(bar, ts=made.bars[-1].ts - (len(made.bars) - 1 - index) * hour)
        for index, bar in enumerate(made.bars)
    )
    many = tuple(msgspec.structs.replace(made.series[0], name=f"ema({n})") for n in range(6))
    link.sights[ChartWish] = LookReply(1, msgspec.structs.replace(made, bars=bars, step_ns=hour, series=many))
    async with console(link=link, size=(200, 50)) as desk:
        await show(desk, "chart")
        await desk.press("9", "z")
        assert "2 more not shown" in desk.text("chart")
        assert "08-08" not in desk.text("chart").splitlines()[-2], "today has times"
        assert "08-02 09:01" in desk.text("chart")


async def test_the_prices_stand_beside_the_last_bar_however_wide_the_screen_is() -> None:
    """A hundred and fifty bars at 300 columns."""
    link = seeing()
    async with console(link=link, size=(300, 60)) as desk:
        await show(desk, "chart")
        await desk.press("9", "z")
        (last,) = [line for line in desk.text("chart").splitlines() if "◀61,234.5" in line]
        assert last.index("◀") < 160
