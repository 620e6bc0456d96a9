"""Who is banned, letting somebody off, and banning somebody by hand: as `mailstack ban` does."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from mailstack.model.errors import Invalid
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.asked import peer_host
from mailstack.services.bans_by_hand import NETWORK, ban, named_peer

PATH = "/admin/bans"
MOST_SHOWN = 500
LONGEST_REASON = 200
MOST_DIGITS = 4
UNITS = {"minutes": MINUTE_MS, "hours": HOUR_MS, "days": DAY_MS}
NEW = {"address": "", "length": "7", "unit": "days", "reason": ""}
"""What the form begins with: the command's own."""


async def show(visit: Visit) -> Response:
    return await _page(visit, NEW)


async def add(visit: Visit) -> Response:
    form = await visit.form()
    given = {name: form.get(name, [""])[0].strip() for name in NEW}
    try:
        peer, length_ms = _peer(visit, given["address"]), _length_ms(given)
        reason = _reason(given["reason"])
    except Invalid as fault:
        return await _page(visit, given, fault=fault.detail)
    service = visit.service
    made = await ban(service.store.bans, peer, reason=reason, length_ms=length_ms, now=service.clock())
    visit.note("ban", banned=made.peer, reason=made.reason, length_s=length_ms // 1000)
    return visit.back_to(PATH, "ban")


async def lift(visit: Visit) -> Response:
    peer = (await visit.form()).get("peer", [""])[0]
    if not await visit.service.store.bans.lift(peer):
        return visit.back_to(PATH, "no-ban")
    visit.note("lift ban", banned=peer)
    return visit.back_to(PATH, "lift")


async def _page(visit: Visit, given: Mapping[str, str], fault: str = "") -> Response:
    found = await visit.service.store.bans.in_force(now=visit.service.clock())
    return visit.page(
        "bans.html",
        PATH,
        status=422 if fault else 200,
        bans=found[:MOST_SHOWN],
        count=len(found),
        is_off=visit.service.conduct.rules is None,
        given=given,
        units=[*UNITS],
        fault=fault,
    )


def _peer(visit: Visit, text: str) -> str:
    """Raises Invalid."""
    peer = named_peer(text)
    if not visit.service.conduct.watches(peer.removesuffix(NETWORK)):
        raise Invalid(f"the spec says that {peer} is never banned")
    if peer in _own_peers(visit):
        raise Invalid(f"you are at {peer} yourself, and would be out")
    return peer


def _own_peers(visit: Visit) -> Sequence[str]:
    try:
        return (named_peer(peer_host(visit.request)),)
    except Invalid:
        return ()


def _length_ms(given: Mapping[str, str]) -> int:
    """Raises Invalid."""
    text, unit = given["length"], UNITS.get(given["unit"], 0)
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS or not int(text) or not unit:
        raise Invalid("for how long is a number of minutes, hours or days")
    return int(text) * unit


def _reason(text: str) -> str:
    """Raises Invalid."""
    if len(text) > LONGEST_REASON or not text.isprintable():
        raise Invalid(f"the reason is one line of at most {LONGEST_REASON} letters")
    return text
