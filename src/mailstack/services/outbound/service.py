"""What outbound work is done with: the ports and facts of one generation."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mailstack.ports.accounts import Accounts
from mailstack.ports.resolver import Resolver
from mailstack.ports.transport import Transport
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.outbound.route import RouteTable
from mailstack.services.outbound.schedule import Schedule

SMTP_PORT = 25  # RFC 5321 §4.5.4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundService:
    """postmaster: who gets mail for a postmaster nobody declared. token: random bytes. exchanger_port: of mail
    exchangers; another one in tests only. is_backup: what is for our own domains goes on to their primary."""

    hostname: str
    postmaster: str | None
    accounts: Accounts
    delivery: Delivery
    routes: RouteTable
    transport: Transport
    resolver: Resolver
    token: Callable[[int], bytes]
    schedule: Schedule = field(default_factory=Schedule)
    exchanger_port: int = SMTP_PORT
    is_backup: bool = False
