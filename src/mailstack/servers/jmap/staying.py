"""Who goes on with a connection once they are let in: for as long as what let them in holds."""

from starlette.requests import Request

from mailstack.servers.http.line import Guest
from mailstack.servers.http.problem import Refused
from mailstack.servers.http.signed_in_line import SignedInGuest
from mailstack.servers.jmap.login import WRONG
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.standing import has_standing


async def staying(guest: Guest, service: JmapService, request: Request) -> Guest:
    """The last that is waited for before the guest begins: from then on it is sent away when its login has ended, and
    before, nobody knew of it. Raises Refused, and then the guest is lost."""
    try:
        return await _staying(guest, service, request)
    except BaseException:  # also where the client went away
        guest.lost()
        raise


async def _staying(guest: Guest, service: JmapService, request: Request) -> Guest:
    if "authorization" in request.headers:
        if not await has_standing(service.accounts, guest.account):
            raise Refused(WRONG)
        return guest
    web_login = await service.signed_in.find(request)
    if web_login is None:
        raise Refused(WRONG)
    return SignedInGuest(guest, web_login, service.signed_in.web_logins, service.bus)
