"""Who is let in: administrators, who have signed in within the last twelve hours."""

from enum import StrEnum

from starlette.requests import Request

from mailstack.model.instant import HOUR_MS
from mailstack.model.principal import Role
from mailstack.servers.admin.service import AdminService
from mailstack.services.identity.web_logins import WebLogin

LONGEST_MS = 12 * HOUR_MS


class Why(StrEnum):
    """What somebody is told who has to sign in."""

    NOBODY = ""
    NO_ADMIN = "You are signed in, but not as an administrator."
    TOO_LONG_AGO = "It is a while since you signed in. Please sign in again."


class TurnedAway(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


async def admitted(service: AdminService, request: Request) -> WebLogin:
    """Raises TurnedAway; Refused where a page of another site asks."""
    found = await service.signed_in.find(request)
    if found is None:
        raise TurnedAway(Why.NOBODY)
    if Role.ADMIN not in found.account.roles:
        raise TurnedAway(Why.NO_ADMIN)
    if service.clock() - found.session.created_at >= LONGEST_MS:
        raise TurnedAway(Why.TOO_LONG_AGO)
    return found
