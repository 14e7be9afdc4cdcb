"""How colours look to people: contrast, and what is left of a difference to those who lack a kind of cone.

Contrast is WCAG 2.1's ratio of relative luminances (1.4.3, https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio).

Dichromats are simulated after Viénot, Brettel and Mollon, "Digital video colourmaps for checking the
legibility of displays by dichromats", Color Research and Application 24 (1999), 243-252: linear RGB becomes
LMS, the missing cone's signal is replaced by the one that the others imply, and the way back gives what is
seen. The difference of two colours is CIE 1976's, their distance in L*a*b* under D65; 2.3 is just noticed.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

Triple = tuple[float, float, float]
TO_LMS = ((17.8824, 43.5161, 4.11935), (3.45565, 27.1554, 3.86714), (0.0299566, 0.184309, 1.46709))
FROM_LMS = (
    (0.0809444479, -0.130504409, 0.116721066),
    (-0.0102485335, 0.0540193266, -0.113614708),
    (-0.000365296938, -0.00412161469, 0.693511405),
)
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE_D65 = (0.95047, 1.0, 1.08883)


class Vision(StrEnum):
    """Who looks."""

    ALL_CONES = "all cones"
    PROTANOPIA = "protanopia"  # no long-wave cones: 1 % of men
    DEUTERANOPIA = "deuteranopia"  # no medium-wave cones: 1 % of men


def contrast(front: str, back: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Return WCAG's relative luminance of `#rrggbb`."""
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True))


def difference(one: str, other: str, vision: Vision) -> float:
    """Return how far two colours are apart for somebody."""
    return math.dist(lab(seen(linear(one), vision)), lab(seen(linear(other), vision)))


def linear(color: str) -> Triple:
    """Return the three channels of `#rrggbb` as light, 0 to 1."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def seen(light: Triple, vision: Vision) -> Triple:
    """Return the light that looks to everybody as this one does to somebody."""
    long, medium, short = times(TO_LMS, light)
    match vision:
        case Vision.ALL_CONES:
            return light
        case Vision.PROTANOPIA:
            long = 2.02344 * medium - 2.52581 * short
        case Vision.DEUTERANOPIA:
            medium = 0.494207 * long + 1.24827 * short
    red, green, blue = (min(1.0, max(0.0, part)) for part in times(FROM_LMS, (long, medium, short)))
    return red, green, blue


def lab(light: Triple) -> Triple:
    """Return CIE 1976 L*a*b* of linear sRGB."""
    x, y, z = (_root(part / white) for part, white in zip(times(TO_XYZ, light), WHITE_D65, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def times(matrix: Sequence[Triple], vector: Triple) -> Triple:
    """Return a matrix times a vector."""
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _light(channel: float) -> float:
    return channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4


def _root(value: float) -> float:
    return value ** (1 / 3) if value > (6 / 29) ** 3 else value / (3 * (6 / 29) ** 2) + 4 / 29
