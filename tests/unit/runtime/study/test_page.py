"""The page of a backtest: complete, self-contained, well-formed, whatever the run came to."""

import re
import xml.etree.ElementTree as ET

import msgspec
import numpy as np
import pytest

from engine.runtime.study.charts import equity_chart, histogram
from engine.runtime.study.curve import Curve
from engine.runtime.study.page import page
from engine.runtime.study.study import study
from tests.unit.runtime.rig import write_play
from tests.unit.runtime.study.runs import bars_settings

NEVER = """\
name: {name}
timeframe: base
size: {{notional: 1000}}
long:
  enter: close < 0
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return study(bars_settings(tmp_path_factory.mktemp("run")))


def charts(text):
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)]


def test_the_page_needs_nothing_but_itself(done):
    text = page(done)
    assert "http" not in text.replace("http://www.w3.org", "")
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert len(charts(text)) == 2
    for fact in (done.run.trade_hash, done.origin.data[0].sha256, done.origin.plays[0].hash, "Sharpe"):
        assert fact in text


def test_what_users_named_is_escaped(done):
    run = msgspec.structs.replace(done.run, play="<b>&play")
    text = page(msgspec.structs.replace(done, run=run))
    assert "<b>&play" not in text
    assert "&lt;b&gt;&amp;play" in text


def test_a_run_without_a_trade_says_so(tmp_path):
    settings = bars_settings(tmp_path).model_copy(update={"plays": (write_play(tmp_path, "never", NEVER),)})
    none = study(settings)
    assert (none.run.trades, none.figures.sharpe, none.figures.profit_factor) == (0, None, None)
    assert (none.figures.expectancy, none.figures.win_rate, none.figures.slippage_bps) == (None, None, None)
    assert none.figures.exposure == 0
    text = page(none)
    assert "No trade was closed." in text
    assert "n/a" in text
    assert len(charts(text)) == 1


def line(values, low=None):
    equity = np.array(values, np.float64)
    peak = np.maximum.accumulate(equity)
    ts = np.arange(len(values), dtype=np.int64) * 60_000_000_000
    return Curve(60_000_000_000, ts, equity, equity, equity, 1 - equity / peak, equity * 0)


def points(path):
    return [tuple(map(float, point.split(","))) for point in re.findall(r"-?[\d.]+,-?[\d.]+", path)]


@pytest.mark.parametrize("values", [[100.0], [100.0, 100.0], [100, 90, 120], [1e-8, 3e-8], [1e9, 1.1e9, 0.0]])
def test_every_curve_can_be_drawn_inside_its_frame(values):
    (chart,) = charts(equity_chart(line(values), values[0], "USDT"))
    for shape in chart.iter("path"):
        for x, y in points(shape.get("d")):
            assert 0 <= x <= 920
            assert 0 <= y <= 392
    assert any(text.text for text in chart.iter("text"))


def test_a_higher_equity_is_drawn_higher():
    (chart,) = charts(equity_chart(line([100, 90, 120]), 100, "USDT"))
    equity, fall = [points(shape.get("d")) for shape in chart.iter("path")]
    assert equity[2][1] < equity[0][1] < equity[1][1]
    assert max(y for _, y in fall) == pytest.approx(fall[2][1]), "the fall is deepest at the second point"


@pytest.mark.parametrize("ratios", [[0.01], [-0.5, 0.5], [0.0] * 9, [0.01 * n for n in range(-20, 300)]])
def test_every_trade_is_counted_in_one_bar(ratios):
    (chart,) = charts(histogram(ratios))
    titles = [title.text for title in chart.iter("title")]
    assert sum(int(title.split()[0].replace(",", "")) for title in titles) == len(ratios)
    kinds = {bar.get("class") for bar in chart.iter("rect")}
    assert kinds <= {"gain", "loss", "even"}
    assert ("gain" in kinds) == any(ratio > max(map(abs, ratios)) / 41 for ratio in ratios)


def test_a_month_is_coloured_by_what_it_came_to(done):
    month = done.months[0]
    kinds = {
        0.05: ("+5.0", "--gain", "28%"),
        -0.5: ("-50.0", "--loss", "55%"),
        -0.0001: ("0.0", "--loss", "0%"),
    }
    for change, (text, colour, share) in kinds.items():
        page_ = page(msgspec.structs.replace(done, months=[msgspec.structs.replace(month, change=change)]))
        style = f"background: color-mix(in srgb, var({colour}) {share}, transparent)"
        assert re.search(
            rf'<td style="{re.escape(style)}" title="[^"]*trades[^"]*">{re.escape(text)}</td>', page_
        )
