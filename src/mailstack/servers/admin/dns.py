"""DNS: each record as the spec wants it, as its provider has it, and as name servers show it.

What the spec wants comes first; how it stands is asked zone by zone, once the page is there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind

PATH = "/admin/dns"
ASKED_AT_ONCE = 5
"""Of more zones, those that are opened are asked: each may have servers that do not answer."""
OK = "ok"
NAME, ASK = "q", "ask"
EVERY = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneShown:
    """found: as app.api_dns has it. argument: what asks for it."""

    found: Mapping[str, Any]
    is_asked: bool

    @property
    def argument(self) -> str:
        return urlencode({"zone": self.found["zone"]})


async def show(visit: Visit) -> Response:
    name, ask = _given(visit)
    return visit.page("dns.html", PATH, name=name, argument=urlencode({NAME: name, ASK: ask}))


async def show_zones(visit: Visit) -> Response:
    name, ask = _given(visit)
    try:
        found = await visit.told(CallKind.RECORDS, {})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    zones = [zone for zone in found["zones"] if name.strip().casefold() in zone["zone"]]
    is_asked = ask == EVERY or len(zones) <= ASKED_AT_ONCE
    values = {
        "zones": [ZoneShown(found=zone, is_asked=is_asked) for zone in zones],
        "is_edited": found["spec_edited"],
        "ask_all": "" if is_asked else urlencode({NAME: name, ASK: EVERY}),
    }
    return page("dns_zones.html", values)


async def show_zone(visit: Visit) -> Response:
    zone = visit.request.query_params.get("zone", "")
    try:
        found = await visit.told(CallKind.ZONE, {"zone": zone})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    values = {"records": found["records"], "look": found, "counts": _counts(found["records"])}
    return page("dns_zone.html", {**values, "argument": urlencode({"zone": zone})})


async def show_around(visit: Visit) -> Response:
    try:
        found = await visit.told(CallKind.AROUND_DNS, {})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("dns_remarks.html", {"remarks": found["remarks"], "is_all": True})


def _given(visit: Visit) -> tuple[str, str]:
    query = visit.request.query_params
    return query.get(NAME, ""), query.get(ASK, "")


def _counts(records: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, int]]:
    """By state, what is wrong first."""
    return sorted(Counter(record["state"] for record in records).items(), key=lambda each: each[0] == OK)
