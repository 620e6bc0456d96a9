"""What outbound work is done with: the ports and facts of one generation."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mailstack.ports.accounts import Accounts
from mailstack.ports.resolver import SecureResolver
from mailstack.ports.transport import Transport
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.limits import LimitTable
from mailstack.services.outbound.route import RouteTable
from mailstack.services.outbound.schedule import Schedule
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.outbound.suppression import Suppression
from mailstack.services.outbound.warming import Warming

SMTP_PORT = 25  # RFC 5321 §4.5.4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundService:
    """token: random bytes. exchanger_port: of mail exchangers; another one in tests only. is_backup: what is for our
    own domains goes on to their primary."""

    hostname: str
    accounts: Accounts
    delivery: Delivery
    forwarding: Forwarding
    lists: Lists
    routes: RouteTable
    transport: Transport
    resolver: SecureResolver
    sts: StsLookup
    warming: Warming
    suppression: Suppression
    token: Callable[[int], bytes]
    schedule: Schedule = field(default_factory=Schedule)
    exchanger_port: int = SMTP_PORT
    limits: LimitTable = field(default_factory=LimitTable)
    is_backup: bool = False
