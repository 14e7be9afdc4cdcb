"""Render the real screens to pictures: `python docs/make_pictures.py [--png] [--out docs/pictures]`.

SVG needs nothing more; PNG needs cairosvg. The screens are the console's own, fed with the moments of
tests/console_fakes.py, so a picture shows what the program shows.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
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
)
from tui.app import ConsoleApp  # noqa: E402
from tui.settings import ConsoleSettings  # noqa: E402

SIZES = ((80, 24), (120, 40), (200, 50))


def moments() -> dict[str, tuple[Sequence[Snapshot], Sequence[str]]]:
    """Return what to show: by name the snapshots to play and the keys to press."""
    busy = (snapshot(ticks=ticks(-1)), snapshot())
    return {
        "busy": (busy, ()),
        "start": ((empty_snapshot(),), ()),
        "trouble": ((trouble_snapshot(),), ()),
        "flattening": ((flattening_snapshot(),), ()),
        "arm": ((empty_snapshot(),), ("a", "p", "a")),
        "flatten": (busy, ("f12",)),
        "leave": (busy, ("ctrl+q",)),
        "risk-mode": (busy, ("m",)),
        "help": (busy, ("question_mark",)),
        "palette": (busy, ("ctrl+p",)),
        "zoom": (busy, ("3", "z")),
    }


async def render(
    snapshots: Sequence[Snapshot], keys: Sequence[str], *, size: tuple[int, int], theme: str
) -> str:
    """Return one screen as SVG."""
    link = FakeLink(snapshots)

    async def connect() -> FakeLink:
        return link

    app = ConsoleApp(connect, settings=ConsoleSettings(theme=theme), clock=lambda: 100.0, driver_class=None)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.2)
        app.draw()
        await pilot.press(*keys)
        await pilot.pause(0.2)
        return app.export_screenshot(title="trader-tui", simplify=True)


def main() -> None:
    """Write the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--png", action="store_true", help="write PNG beside SVG")
    parser.add_argument("--theme", action="append", help="default: dark and light")
    parser.add_argument("--only", action="append", help="names of moments")
    parser.add_argument("--size", action="append", help="for example 120x40")
    options = parser.parse_args()
    sizes = [tuple(map(int, text.split("x"))) for text in options.size] if options.size else SIZES
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (snapshots, keys) in moments().items():
        if options.only and name not in options.only:
            continue
        for width, height in sizes:
            for theme in options.theme or ("dark", "light"):
                svg = asyncio.run(render(snapshots, keys, size=(width, height), theme=theme))
                target = options.out / f"{name}-{width}x{height}-{theme}.svg"
                target.write_text(svg, "utf-8")
                if options.png:
                    _png(svg, target.with_suffix(".png"), width)


def _png(svg: str, target: Path, width: int) -> None:
    import cairosvg  # noqa: PLC0415 - only pictures as PNG need it

    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("font-size: 20px", "font-size: 20.26px")
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(target), output_width=width * 10)


if __name__ == "__main__":
    main()
