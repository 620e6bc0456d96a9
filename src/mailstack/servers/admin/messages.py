"""What became of a mail: looked for in what this node has told, by address, Message-ID or trace.

All that is shown was chosen by whoever sends mail: the templates escape it, and nothing of it becomes markup or a path.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.mail_chart import Chart, chart_of
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind

PATH = "/admin/messages"
LONGEST = 320
"""Characters of what is looked for."""
PERIODS: Mapping[str, tuple[str, int]] = {
    "1h": ("the last hour", HOUR_MS),
    "1d": ("the last day", DAY_MS),
    "7d": ("the last week", 7 * DAY_MS),
    "30d": ("the last 30 days", 30 * DAY_MS),
    "all": ("as far as it goes back", 3650 * DAY_MS),
}
DEFAULT_PERIOD = "7d"
SHOWN_HOURS = 24
SOON_MS = MINUTE_MS
"""Nothing is later than this, unless clocks differ."""


async def show(visit: Visit) -> Response:
    what, period = _given(visit)
    argument = urlencode({"what": what, "since": period})
    return visit.page("messages.html", PATH, what=what, period=period, periods=PERIODS, argument=argument)


async def show_found(visit: Visit) -> Response:
    what, period = _given(visit)
    now = visit.service.clock()
    asked = {"what": what, "since": max(0, now - PERIODS[period][1]), "until": now + SOON_MS}
    try:
        found = await visit.told(CallKind.MAILS, asked)
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    mails = [{"story": story, "argument": _of_trace(story["trace"])} for story in found["stories"]]
    return page("messages_found.html", {"found": found, "mails": mails, "what": what, "period": PERIODS[period][0]})


async def show_figures(visit: Visit) -> Response:
    """Of the last day, for the first page."""
    now = visit.service.clock()
    since = Instant(now // HOUR_MS * HOUR_MS - (SHOWN_HOURS - 1) * HOUR_MS)
    try:
        found = await visit.told(CallKind.MAIL_FIGURES, {"since": since, "until": now + SOON_MS})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("mail_figures.html", {"found": found, "chart": _chart(found)})


def _chart(found: Mapping[str, Any]) -> Chart:
    return chart_of(found["hours"])


def _of_trace(trace: str) -> str:
    return urlencode({"what": trace, "since": "all"})


def _given(visit: Visit) -> tuple[str, str]:
    query = visit.request.query_params
    period = query.get("since", DEFAULT_PERIOD)
    return query.get("what", "").strip()[:LONGEST], period if period in PERIODS else DEFAULT_PERIOD
