"""The console: shows frames of snapshots, turns keys into commands, and survives whatever the line does."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingsMap, BindingType
from textual.command import CommandPalette, Provider
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer

from engine.api import Link, Snapshot
from tui.actions import ACTIONS, key_name
from tui.arranging import Arranging
from tui.bridge import Connect, stream
from tui.catching import Catcher
from tui.deeds import deeds
from tui.driver import TraderDriver
from tui.formats import clean, clean_lines
from tui.governor import ByteMeter, Governor
from tui.keymap import Keymap, load_keymap, textual_key
from tui.kill import KillSwitch
from tui.look import Look
from tui.looking import Looking
from tui.messages import (
    CommandDone,
    ConnectFailed,
    LinkDown,
    LinkMissed,
    LinkUp,
    PanicPressed,
    SnapshotArrived,
    TerminalGone,
)
from tui.navigation import Navigator
from tui.operator import Operator
from tui.painter import Painter, settle_memory
from tui.panes.pane import Frame, Pane
from tui.panes.registry import PANES
from tui.rereading import Rereading
from tui.reunion import Reunion
from tui.settings import ConsoleSettings
from tui.steering import Steering
from tui.theme import Palette
from tui.welcoming import Welcoming
from tui.widgets.desk import Desk, DeskScreen
from tui.widgets.rows import AttentionRow, FooterRow, StatusRow

HANGUP_CODE = 129
WARM_UP_S = 1.0


def _palette_provider() -> type[Provider]:
    from tui.palette import ActionProvider  # noqa: PLC0415 - the palette is loaded when it is first opened

    return ActionProvider


class ConsoleApp(App[int], inherit_bindings=False):
    """The Textual app. Workers post messages; handlers here own every change of the screen."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette_provider}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = ""
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        connect: Connect,
        *,
        settings: ConsoleSettings,
        clock: Callable[[], float] = time.monotonic,
        driver_class: type[TraderDriver] | None = TraderDriver,
        again: Connect | None = None,
    ) -> None:
        """Prepare the console. Raises ConfigError for a theme or keymap that cannot be used.

        `connect` reaches or starts an engine, `again` reaches one that runs after its connection broke.
        """
        self.meter = ByteMeter()
        self.clock = clock
        self.keymap: Keymap = load_keymap(settings.keymap_file)
        self.kill = KillSwitch(self)
        self.panic_watch = self.kill.watch
        # With colours of the terminal's own, Textual's NO_COLOR filter leaves none at all instead of greys.
        own_colors = settings.sixteen_colors or "NO_COLOR" in os.environ
        super().__init__(driver_class=driver_class, ansi_color=own_colors or None)
        self.settings = settings
        self.look = Look(self, settings)
        self.governor = Governor(settings.budget_bytes_per_s, fastest=settings.frames_per_s)
        self.operator, self.steering = Operator(self), Steering(self)
        self.command_keys, self.pasted_keys = self.steering.keys, self.steering.take_paste
        self.navigator, self.catcher = Navigator(self), Catcher(self)
        self.arranging = Arranging(self, settings)
        self.welcoming = Welcoming(self, self.arranging.memory, wanted=settings.welcome)
        self.link: Link | None = None
        self.latest: Snapshot | None = None
        self.gone, self.gone_code = False, 0
        self._connect = connect
        self.reunion = Reunion(self, again)
        self._arrived_at = clock()
        self._ready_keys = tuple((spec.id, self.key_of(spec.id)) for spec in ACTIONS)
        self._deeds = deeds(self)
        self.last_words = ""  # for whoever started the console to print
        self._frame_timer: Timer | None = None
        self._desk: Desk | None = None
        self._painter = Painter(self.governor)
        self._use_keymap()
        self.look.register()

    # composition

    def _use_keymap(self) -> None:
        for spec in ACTIONS:
            for key in self.keymap[spec.id]:
                self._bindings.bind(
                    textual_key(key), f"act('{spec.id}')", spec.title, show=False, priority=spec.always
                )

    def use_keymap(self, keymap: Keymap) -> None:
        """Switch to other keys at once."""
        self.keymap, self._bindings = keymap, BindingsMap()
        self._use_keymap()
        self._ready_keys = tuple((spec.id, self.key_of(spec.id)) for spec in ACTIONS)
        self.kill.rebind(keymap["flatten"])
        self.command_keys = self.steering.keys
        self.panic_watch = self.kill.watch

    def key_of(self, action_id: str) -> str:
        """Return the name of an action's first key; empty where the user took it away."""
        keys = self.keymap[action_id]
        return key_name(keys[0]) if keys else ""

    def keys_of(self, action_id: str) -> str:
        """Return the names of all keys of an action."""
        return ", ".join(map(key_name, self.keymap[action_id]))

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that holds the desk."""
        return DeskScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Yield the desk; panes are there from the first frame on and say what they wait for."""
        palette = self.palette
        rows = (
            StatusRow(palette, widget_id="status"),
            AttentionRow(palette, widget_id="attention"),
            FooterRow(palette, widget_id="footer"),
        )
        self._desk = Desk(rows, [pane(palette) for pane in PANES], self.arranging.arranger.arrangement)
        yield self._desk

    @property
    def palette(self) -> Palette:
        """The styles of the theme in force."""
        return self.look.palette

    @property
    def desk(self) -> Desk:
        """The desk; there is one from compose on."""
        assert self._desk is not None, "compose made the desk"
        return self._desk

    def on_mount(self) -> None:
        """Show the first frame, then reach for the engine."""
        self.set_focus(self.desk.panes["market"])
        self._arm_frames()
        self.arranging.tell_flaw()
        if isinstance(self._driver, TraderDriver):
            self.set_timer(WARM_UP_S, settle_memory)
        self.run_worker(stream(self._connect, self.post_message), name="engine", exit_on_error=True)
        self.run_worker(Rereading(self).watch(), name="files", exit_on_error=False)
        self.run_worker(Looking(self).watch(), name="looks", exit_on_error=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what passes over every line: Textual's filters, and the terminal's glyphs."""
        return [*super().get_line_filters(), *self.look.filters]

    # frames

    def _arm_frames(self) -> None:
        if self._frame_timer is not None:
            self._frame_timer.stop()
        self._frame_timer = self.set_interval(1 / self.governor.rate, self._tick)

    def _tick(self) -> None:
        before = self.governor.rate
        if self.governor.sample(self.clock(), self.meter.total) != before:
            self._arm_frames()
        driver = self._driver
        backlog = driver.backlog if isinstance(driver, TraderDriver) else 0
        self.kill.keep_up()
        if self.governor.allow(backlog):
            self.draw()

    def frame(self) -> Frame:
        """Return the input of the frame to draw now."""
        silent_s = max(0.0, self.clock() - self._arrived_at) if self.latest is not None else 0.0
        waiting = f"connecting to the engine ... {self.settings.title}".rstrip()
        return Frame(
            self.latest,
            silent_s,
            waiting,
            self.gone,
            self._ready_keys,
            lost=self.reunion.lost,
            sparklines=self.settings.sparklines,
            plain_glyphs=self.settings.ascii_only,
            read_only=self.steering.read_only,
            letters=tuple(self.catcher.letters.items()),
            hint=self.catcher.hint(),
        )

    def draw(self, *, force: bool = False) -> None:
        """Draw what changed."""
        self._painter.paint(self.desk, self.frame(), force=force)

    def draw_soon(self) -> None:
        """Draw once the layout has come to rest."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Draw at once in the new size."""
        self.draw_soon()

    # the link

    @on(LinkUp)
    def _link_up(self, message: LinkUp) -> None:
        self.reunion.meet(message.link)
        self.link = message.link
        self.steering.begin()

    @on(SnapshotArrived)
    def _snapshot_arrived(self, message: SnapshotArrived) -> None:
        before, self.latest = self.latest, message.snapshot
        self.steering.follow(before, self.latest)
        self._arrived_at = self.clock()
        if before is None:
            self.draw()
        self.welcoming.greet(message.snapshot)

    @on(ConnectFailed)
    def _connect_failed(self, message: ConnectFailed) -> None:
        self.leave(message.exit_code, message.text)

    @on(LinkDown)
    def _link_down(self, message: LinkDown) -> None:
        self.reunion.part(message)

    @on(LinkMissed)
    def _link_missed(self, message: LinkMissed) -> None:
        self.reunion.miss(message)

    @on(CommandDone)
    def _command_done(self, message: CommandDone) -> None:
        self.operator.answered(message)

    # actions

    def action_act(self, action_id: str) -> None:
        """Do an action of the table, unless another console has control."""
        if self.steering.refuses(action_id):
            return
        deed = self._deeds.get(action_id)
        if deed is not None:
            deed()
        else:
            self.navigator.act(action_id)

    @on(Pane.Chosen)
    def _tab_clicked(self, message: Pane.Chosen) -> None:
        self.navigator.choose(message.pane)

    def on_descendant_focus(self) -> None:
        """Redraw frames when the focus moves."""
        self.draw_soon()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Offer none of Textual's own commands: the action table has them all."""
        return ()

    @on(CommandPalette.OptionHighlighted)
    def _palette_moved(self, message: CommandPalette.OptionHighlighted) -> None:
        from tui.palette import try_on  # noqa: PLC0415 - it is loaded: the palette is open

        try_on(self.look, message)

    @on(CommandPalette.Closed)
    def _palette_closed(self) -> None:
        self.look.give_up()

    # leaving

    def leave(self, exit_code: int, text: str = "") -> None:
        """End the console with an exit code and last words for the shell. Safe from any thread."""
        if self._thread_id == threading.get_ident():
            self.last_words = text
            self.exit(return_code=exit_code)
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self.leave, exit_code, text)

    def terminal_gone(self) -> None:
        """Take the driver's word that nobody can see or type any more (any thread)."""
        self.post_message(TerminalGone())

    @on(TerminalGone)
    def _terminal_gone(self) -> None:
        self.leave(HANGUP_CODE)

    # the panic key

    async def on_event(self, event: events.Event) -> None:
        """Let any other key or a paste end the window; the real driver has done so in its own thread."""
        if not isinstance(self._driver, TraderDriver) and (
            isinstance(event, events.Paste)
            or (isinstance(event, events.Key) and event.key not in self.panic_watch.keys)
        ):
            self.panic_watch.reset()
        if not self.catcher.take(event):
            await super().on_event(event)

    def panic_key(self, key: str) -> None:
        """Take a press of a panic key, from any thread."""
        self.kill.press(key)

    def panic_now(self, source: str) -> None:
        """Flatten without asking, from any thread: a signal said so."""
        self.kill.fire(source)

    @on(PanicPressed)
    async def _panic_pressed(self, message: PanicPressed) -> None:
        await self.kill.show(message)

    # telling

    def tell(
        self, text: str, *, title: str = "", severity: SeverityLevel = "information", timeout: float = 6
    ) -> None:
        """Show a toast; its text is never taken as markup, nor obeyed by the terminal."""
        self.notify(clean_lines(text), title=clean(title), severity=severity, timeout=timeout, markup=False)
