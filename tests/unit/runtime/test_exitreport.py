"""What a run leaves behind is listed as a person needs it to act on it."""

from engine.domain.events import OnStop
from tests.unit.runtime.rig import market_settings, run_engine, tape_settings


async def test_what_stays_open_is_listed_with_venue_ids(tmp_path):
    stop = {101: lambda engine: engine.stop("enough", on_stop=OnStop.KEEP)}
    report = await run_engine(tape_settings(tmp_path), stop)
    (position,) = report.positions
    symbol, qty, play = position.split()
    assert (symbol, play) == ("BTCUSDT", "(zigzag)")
    assert float(qty) != 0
    for line in report.open_orders:
        client_id, venue_id, role, side, _, symbol, state = line.split()
        assert client_id.startswith("tt")
        assert venue_id == "-" or venue_id.startswith("sim")
        assert (role, side, symbol) == (role, side, "BTCUSDT")
        assert state in {"acknowledged", "submitted", "pending", "partially_filled"}
    assert len(report.open_orders) >= 2, "a stop and a target"
    assert report.run is not None


async def test_a_run_on_a_market_has_no_result_of_a_tape(tmp_path):
    report = await run_engine(market_settings(tmp_path, duration_s=0.05))
    assert (report.open_orders, report.positions, report.run) == ((), (), None)
