"""What is asked of who connects, before their mail is looked at; the stages of RCPT go by it."""

from dataclasses import dataclass

from mailstack.model.networks import Networks
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.blocklists import Blocklists
from mailstack.services.inbound.greylisting import Greylisting


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """trusted: who is asked nothing. greylisting: None: nobody has to come again; greylists_all: not only those who
    look like no mail server. dns_deadline_s: for all that DNS is asked of who looks so."""

    resolver: Resolver
    dns_deadline_s: float
    trusted: Networks
    blocklists: Blocklists
    greylisting: Greylisting | None = None
    greylists_all: bool = False
