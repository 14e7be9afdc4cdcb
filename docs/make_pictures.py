"""Render the real screens to pictures: `python docs/make_pictures.py [--all] [--png] [--out docs/pictures]`.

Without --all: those that the README shows. SVG needs nothing more; PNG needs cairosvg. The screens are the
console's own, fed with the moments of tests/console_fakes.py, so a picture shows what the program shows.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.api import Snapshot  # noqa: E402 - the path comes first
from tests.console_fakes import (  # noqa: E402
    FakeLink,
    empty_snapshot,
    flattening_snapshot,
    snapshot,
    ticks,
    trouble_snapshot,
    venue_snapshot,
)
from tests.sight_fakes import sights  # noqa: E402
from tui.app import ConsoleApp  # noqa: E402
from tui.settings import ConsoleSettings  # noqa: E402

SIZES = ((80, 24), (120, 40), (200, 50))
THEMES = ("dark", "light")
README = (
    ("busy", (200, 50), "dark"),
    ("busy", (80, 24), "dark"),
    ("busy", (120, 40), "light"),
    ("trouble", (120, 40), "dark"),
    ("flatten", (120, 40), "dark"),
    ("chart", (120, 40), "dark"),
)


def moments() -> dict[str, tuple[Sequence[Snapshot], Sequence[str]]]:
    """Return what to show: by name the snapshots to play and the keys to press."""
    busy = (snapshot(ticks=ticks(-1)), snapshot())
    return {
        "busy": (busy, ()),
        "start": ((empty_snapshot(),), ()),
        "trouble": ((trouble_snapshot(),), ()),
        "venue": ((venue_snapshot(),), ("8",)),
        "flattening": ((flattening_snapshot(),), ()),
        "arm": ((empty_snapshot(),), ("a", "p", "a")),
        "flatten": (busy, ("f12",)),
        "leave": (busy, ("ctrl+q",)),
        "risk-mode": (busy, ("m",)),
        "help": (busy, ("question_mark",)),
        "palette": (busy, ("ctrl+p",)),
        "zoom": (busy, ("3", "z")),
        "chart": (busy, ("9", "z")),
        "book": (busy, ("0", "z")),
    }


async def render(
    snapshots: Sequence[Snapshot], keys: Sequence[str], *, size: tuple[int, int], theme: str
) -> str:
    """Return one screen as SVG."""
    link = FakeLink(snapshots)
    link.sights = sights()

    async def connect() -> FakeLink:
        return link

    app = ConsoleApp(connect, settings=ConsoleSettings(theme=theme), clock=lambda: 100.0, driver_class=None)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.2)
        app.draw()
        await pilot.press(*keys)
        await pilot.pause(0.4)  # panes that ask have their answers
        app.draw()
        await pilot.pause()
        return app.export_screenshot(title="trader-tui", simplify=True)


def main() -> None:
    """Write the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--png", action="store_true", help="write PNG beside SVG")
    parser.add_argument("--all", action="store_true", help="every moment at every size in every theme")
    parser.add_argument("--only", action="append", help="names of moments, implies --all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known = moments()
    chosen = product(options.only or known, SIZES, THEMES) if options.all or options.only else README
    for name, size, theme in chosen:
        snapshots, keys = known[name]
        svg = asyncio.run(render(snapshots, keys, size=size, theme=theme))
        target = options.out / f"{name}-{size[0]}x{size[1]}-{theme}.svg"
        target.write_text(svg, "utf-8")
        if options.png:
            _png(svg, target.with_suffix(".png"), size[0])


def _png(svg: str, target: Path, width: int) -> None:
    import cairosvg

    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("font-size: 20px", "font-size: 20.26px")
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(target), output_width=width * 10)


if __name__ == "__main__":
    main()
