"""The kill-switch in the console: two presses, or a signal, and the engine is told; then the screen is."""

from typing import TYPE_CHECKING

from engine.api import Phase, Snapshot
from tui.actions import FLATTEN_WINDOW_S, key_name
from tui.messages import PanicPressed
from tui.panic import PanicWatch, Press

if TYPE_CHECKING:
    from tui.app import ConsoleApp
    from tui.widgets.grid import Grid

ANSWER_S = 0.5  # how long the engine may take to show that it flattens


class KillSwitch:
    """Takes presses from any thread and tells the engine in that same thread; shows the rest in the app's."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._bar: Grid | None = None  # the consequences, while the window is open
        self._doubted: Snapshot | None = None  # what was seen last when the engine did not confirm
        self.watch = PanicWatch(app.keymap["flatten"], app.clock, FLATTEN_WINDOW_S)

    def rebind(self, keys: tuple[str, ...]) -> None:
        """Take presses of other keys from now on."""
        self.watch = PanicWatch(keys, self._app.clock, FLATTEN_WINDOW_S)

    # any thread

    def press(self, key: str) -> None:
        """Take a press of a panic key; the second of a pair flattens."""
        match self.watch.press(key):
            case Press.FIRST:
                self._app.post_message(PanicPressed(key, fired=False))
            case Press.FIRE:
                self.fire(key)
            case Press.OTHER:
                return

    def fire(self, source: str) -> None:
        """Flatten without asking; the engine is told before anybody else."""
        error = self._tell_engine()
        self._app.post_message(PanicPressed(source, fired=True, error=error))

    def _tell_engine(self) -> str:
        """Return what went wrong, empty where nothing did. A lost stream is no reason not to try."""
        link = self._app.link
        if link is None:
            return "no engine is connected"
        try:
            link.panic()
        except Exception as error:  # noqa: BLE001 - whatever broke, the operator must be told the other way
            return str(error) or type(error).__name__
        return ""

    # the app's thread

    async def show(self, pressed: PanicPressed) -> None:
        """Show the consequences after the first press, what became of it after the second."""
        from tui.screens.flatten import FlattenBar, consequences  # noqa: PLC0415 - needed when it is needed

        app = self._app
        await self.hide()
        if not pressed.fired:
            app.clear_notifications()  # they would cover what the second press does
            self._bar = FlattenBar(app.palette, consequences(app.frame(), key_name(pressed.key)))
            await app.screen.mount(self._bar)
        elif pressed.error:
            self._unheard(pressed.error)
        else:
            app.tell("Flatten sent.", title="FLATTEN", severity="warning")
            app.set_timer(ANSWER_S, self.check)

    def keep_up(self) -> None:
        """Take away what does not hold any more: consequences after their window, a doubt that is settled."""
        if self._bar is not None and not self.watch.waiting:
            self._app.call_next(self.hide)
        doubted, latest = self._doubted, self._app.latest
        if doubted is not None and latest is not None and latest.flatten.since != doubted.flatten.since:
            self._doubted = None
            self._app.clear_notifications()
            self._app.tell("The engine took the flatten after all.", title="FLATTEN", severity="warning")

    async def hide(self) -> None:
        """Take the consequences away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            await bar.remove()

    def check(self) -> None:
        """Say so where the engine does not show that it flattens."""
        if not self._shows():
            self._unheard(f"the engine does not show it after {ANSWER_S} s")

    def _shows(self) -> bool:
        """Tell whether what was seen last shows a flatten."""
        latest = self._app.latest
        return latest is not None and latest.status.phase in (Phase.FLATTENING, Phase.HALTED)

    def _unheard(self, why: str) -> None:
        text = why.removeprefix("FLATTEN IS NOT CONFIRMED: ").rstrip(".") + "."
        if "flatten --direct" not in text:
            text += " Run `trader-tui flatten` in another shell, or `trader-tui flatten --direct`."
        self._doubted = self._app.latest
        self._app.tell(text, title="FLATTEN NOT CONFIRMED", severity="error", timeout=60)
