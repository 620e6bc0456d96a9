"""Where one queued recipient goes now: a mailbox of ours, a relay, the domain's exchangers, or nowhere yet.

Asked at each attempt, so that a route or a domain that changed counts for mail that waits.
"""

from dataclasses import dataclass

from mailstack.model.errors import Invalid
from mailstack.ports.accounts import Accounts
from mailstack.services.outbound.route import Direct, Hold, Relay, RouteTable
from mailstack.services.outbound.sender import forward_address


@dataclass(frozen=True, slots=True)
class Local:
    """The domain is received here."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No address at all."""

    detail: str


@dataclass(frozen=True, slots=True)
class ToRelay:
    relay: Relay


@dataclass(frozen=True, slots=True)
class ToDomain:
    """is_ours: we are a backup of it, and what it takes to reach the primary is for us to mend."""

    domain: str
    is_ours: bool = False


Destination = Local | Nowhere | ToRelay | ToDomain | Hold


async def destination(
    accounts: Accounts, routes: RouteTable, recipient: str, *, is_backup: bool = False
) -> Destination:
    try:
        address = forward_address(recipient)
    except Invalid as fault:
        return Nowhere(fault.detail)
    if not address.domain or await accounts.domain(address.domain) is not None:
        return ToDomain(address.domain, is_ours=True) if is_backup and address.domain else Local()
    match routes.way(address.domain):
        case Relay() as relay:
            return ToRelay(relay)
        case Direct():
            return ToDomain(address.domain)
        case Hold() as hold:
            return hold
