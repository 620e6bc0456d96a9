"""Mail of each hour as bars that a page can draw without a script: rectangles in a box of WIDTH by HEIGHT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BAR, GAP = 20, 6
HEIGHT = 90
STACKED = ("received", "deferred", "refused")
"""From below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    kind: str
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """highest: mails of the fullest hour."""

    bars: Sequence[Bar]
    width: int
    height: int
    bar_width: int
    highest: int


def chart_of(hours: Sequence[Mapping[str, Any]]) -> Chart:
    """hours: as app.mail_figures has them."""
    highest = max((sum(hour[kind] for kind in STACKED) for hour in hours), default=0)
    bars: list[Bar] = []
    for number, hour in enumerate(hours):
        below = 0
        for kind in STACKED:
            # Rounded where it ends, so that a stack is as high as its sum; what there is, is seen.
            top = max(_scaled(below + hour[kind], highest), _scaled(below, highest) + bool(hour[kind]))
            height = top - _scaled(below, highest)
            if height:
                bars.append(Bar(kind=kind, x=number * (BAR + GAP), y=HEIGHT - top, height=height))
            below += hour[kind]
    return Chart(
        bars=bars,
        width=len(hours) * (BAR + GAP) - GAP,
        height=HEIGHT,
        bar_width=BAR,
        highest=highest,
    )


def _scaled(count: int, highest: int) -> int:
    return round(count * HEIGHT / highest) if highest else 0
