"""The panes there are, in the order of their numbers."""

from tui.panes.book import BookPane
from tui.panes.chart import ChartPane
from tui.panes.equity import EquityPane
from tui.panes.events import EventsPane
from tui.panes.health import HealthPane
from tui.panes.market import MarketPane
from tui.panes.orders import OrdersPane
from tui.panes.pane import Pane
from tui.panes.positions import PositionsPane
from tui.panes.reload import ReloadPane
from tui.panes.risk import RiskPane
from tui.panes.signals import SignalsPane
from tui.panes.trades import TradesPane

PANES: tuple[type[Pane], ...] = (
    MarketPane,
    PositionsPane,
    OrdersPane,
    SignalsPane,
    RiskPane,
    ReloadPane,
    EventsPane,
    HealthPane,
    ChartPane,
    BookPane,
    TradesPane,
    EquityPane,
)
