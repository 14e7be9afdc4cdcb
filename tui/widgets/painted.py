"""A grid that is painted from frames: the rows of the desk and its panes."""

from abc import abstractmethod
from typing import Protocol, cast

from tui.panes.content import Frame
from tui.widgets.grid import Grid


class FrameSource(Protocol):
    """What a painted grid needs of the app."""

    def frame(self) -> Frame:
        """Return the input of the frame to draw now."""
        ...


class Painted(Grid):
    """A grid whose lines follow from a frame and its own size."""

    @abstractmethod
    def paint(self, frame: Frame) -> int:
        """Draw a frame; return how many rows changed."""

    def fill(self) -> None:
        """Paint the frame of this moment."""
        self.paint(cast("FrameSource", self.app).frame())
