"""Who is banned, and letting somebody off."""

from starlette.responses import Response

from mailstack.servers.admin.visit import Visit

PATH = "/admin/bans"
MOST_SHOWN = 500


async def show(visit: Visit) -> Response:
    found = await visit.service.store.bans.in_force(now=visit.service.clock())
    return visit.page("bans.html", PATH, bans=found[:MOST_SHOWN], count=len(found))


async def lift(visit: Visit) -> Response:
    peer = (await visit.form()).get("peer", [""])[0]
    if await visit.service.store.bans.lift(peer):
        visit.note("lift ban", banned=peer)
    return visit.back_to(PATH)
