"""What stages work with: the ports and facts of one generation."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.networks import address_of
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.ports.accounts import Accounts
from mailstack.ports.messages import Intake
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.lists.lists import Lists


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPolicy:
    """How senders are checked, and what follows. dns_deadline_s: for all questions about one mail. trusted_sealers: as
    A-labels. trusted_peers: who is not checked. backups: our backup mail exchangers, who
    bring what they have checked."""

    resolver: Resolver
    dns_deadline_s: float
    enforces_dmarc: bool
    refuses_spf_fail: bool
    defers_without_dns: bool
    trusted_sealers: Collection[str]
    trusted_peers: Sequence[IPv4Network | IPv6Network]
    backups: Collection[str] = ()

    def trusts(self, peer_host: str) -> bool:
        peer = address_of(peer_host)
        return peer is not None and any(peer in network for network in self.trusted_peers)


class Judges(Protocol):
    """What mail scores as spam: services.spam.judging.Judging."""

    async def judged(
        self, mail: InboundMail, accounts: Sequence[Account | None]
    ) -> Mapping[AccountId | None, Judged]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """hostname: ours, for Received fields. senders: None where nobody is checked. is_backup: mail is kept for a better
    mail exchanger of its domain. gate: None where nothing is asked of who connects. judging: None where nobody looks
    whether mail is spam."""

    hostname: str
    accounts: Accounts
    messages: Intake
    delivery: Delivery
    forwarding: Forwarding
    lists: Lists
    senders: SenderPolicy | None = None
    is_backup: bool = False
    gate: Gate | None = None
    judging: Judges | None = None
