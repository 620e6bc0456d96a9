"""Who goes on with a connection once they are let in: for as long as what let them in holds."""

from starlette.requests import Request

from mailstack.servers.http.line import Guest
from mailstack.servers.http.problem import Refused
from mailstack.servers.http.signed_in_line import SignedInGuest
from mailstack.servers.jmap.login import WRONG
from mailstack.servers.jmap.service import JmapService


async def staying(guest: Guest, service: JmapService, request: Request) -> Guest:
    """Passwords, of accounts and of apps, are servers.standing's; this is about cookies. Raises Refused, and then the
    guest is lost."""
    if "authorization" in request.headers:
        return guest
    try:
        web_login = await service.signed_in.find(request)
        if web_login is None:
            raise Refused(WRONG)  # it has just ended
    except BaseException:
        guest.lost()
        raise
    return SignedInGuest(guest, web_login, service.signed_in.web_logins, service.bus)
