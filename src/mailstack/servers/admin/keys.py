"""Certificates and DKIM keys, as they are held: what they are for, and where they stand in their lives."""

from starlette.responses import Response

from mailstack.model.resource import DkimKeyBody, Kind, body_of
from mailstack.servers.admin.certificates import figures_of
from mailstack.servers.admin.visit import Visit

PATH = "/admin/keys"


async def show(visit: Visit) -> Response:
    store = visit.service.store
    held = (await store.state.snapshot((Kind.CERTIFICATE, Kind.DKIM_KEY))).resources
    keys = [body_of(DkimKeyBody, each) for (kind, _), each in held.items() if kind is Kind.DKIM_KEY]
    return visit.page(
        "keys.html",
        PATH,
        certificates=figures_of(held, await store.issuance.failures(), visit.service.clock()),
        keys=sorted(keys, key=lambda key: (key.domain, key.algorithm, key.since, key.selector)),
    )
