"""Receiving and submission of one blueprint, over whatever ports they are given: the server's own, or others."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from mailstack.app.blueprint import Blueprint
from mailstack.app.sockets import https_port
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.conduct import BanRules
from mailstack.model.errors import Invalid
from mailstack.model.instant import SECOND_MS, Clock
from mailstack.model.networks import LOOPBACK, UNNAMED, Networks, networks_of
from mailstack.model.resource import ReceivingBody, ServerBody
from mailstack.net.teller import Teller
from mailstack.ports.accounts import Accounts
from mailstack.ports.greylist import Greylist
from mailstack.ports.messages import Intake
from mailstack.ports.resolver import Resolver
from mailstack.ports.submitted import Submitted
from mailstack.ports.unsubscribed import Unsubscribed
from mailstack.servers.http.sites import HTTPS_PORT
from mailstack.servers.sasl import SaslService
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.service import SmtpService
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.blocklists import Blocklists
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.greylisting import Greylisting
from mailstack.services.inbound.pipeline import InboundPipeline
from mailstack.services.inbound.stages.receiving import Judges, Receiving, SenderPolicy
from mailstack.services.lists.copies import Copies
from mailstack.services.lists.distribution import Distribution
from mailstack.services.lists.lists import Lists
from mailstack.services.lists.members import Members
from mailstack.services.outbound.allowance import Allowance
from mailstack.services.outbound.submit import Submission
from mailstack.services.spam.acquaintances import Acquainted


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWork:
    """What mail is received and submitted with. token: random bytes. resolver: None where no sender is checked. gate:
    None where nothing is asked of who connects. acquainted: as of Submission. judging: None where nobody looks whether
    mail is spam."""

    accounts: Accounts
    messages: Intake
    delivery: Delivery
    lists: Lists
    submitted: Submitted
    conduct: Conduct
    gate: Gate | None
    judging: Judges | None
    clock: Clock
    token: Callable[[int], bytes]
    resolver: Resolver | None = None
    acquainted: Acquainted | None = None
    teller: Teller = field(default_factory=Teller)


def smtp_service(
    blueprint: Blueprint,
    work: MailWork,
    *,
    sasl: SaslService,
    signing_keys: Mapping[str, Sequence[SigningKey]],
    tls: ssl.SSLContext | None,
    plaintext_is_secure: Callable[[str], bool],
) -> SmtpService:
    """Raises Invalid where nothing is applied yet."""
    server = _server(blueprint)
    return SmtpService(
        hostname=server.hostname,
        limits=Limits(
            message_bytes=server.message_size_bytes,
            recipients=server.recipients,
            connections_per_ip=server.connections_per_ip,
            connections_per_account=server.connections_per_account,
        ),
        tls=tls,
        sasl=sasl,
        inbound=InboundPipeline(receiving=_receiving(blueprint, work, server.hostname)),
        submission=_submission(work, server.hostname, signing_keys),
        conduct=work.conduct,
        clock=work.clock,
        token=work.token,
        plaintext_is_secure=plaintext_is_secure,
        teller=work.teller,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWork:
    """What lists need besides the blueprint. resolver: as of MailWork."""

    accounts: Accounts
    unsubscribed: Unsubscribed
    signing_keys: Mapping[str, Sequence[SigningKey]]
    clock: Clock
    resolver: Resolver | None = None


def lists_of(blueprint: Blueprint, work: ListWork) -> Lists:
    """Raises Invalid where nothing is applied yet."""
    server = _server(blueprint)
    forwarding = forwarding_of(blueprint, work.accounts, work.signing_keys)
    copies = Copies(
        secret=blueprint.key_for("unsubscribe"), site=_site(blueprint, server), signing_keys=work.signing_keys
    )
    members = Members(forwarding=forwarding, unsubscribed=work.unsubscribed, clock=work.clock)
    return Lists(distribution=Distribution(members=members, copies=copies, resolver=work.resolver), clock=work.clock)


def forwarding_of(
    blueprint: Blueprint, accounts: Accounts, signing_keys: Mapping[str, Sequence[SigningKey]]
) -> Forwarding:
    """Raises Invalid where nothing is applied yet."""
    return Forwarding(
        hostname=_server(blueprint).hostname,
        accounts=accounts,
        postmaster=blueprint.postmaster,
        signing_keys=signing_keys,
        path_key=blueprint.key_for("reverse paths"),
    )


def _server(blueprint: Blueprint) -> ServerBody:
    server = blueprint.server
    if server is None:
        raise Invalid("nothing is applied yet: no server to be")
    return server


def _site(blueprint: Blueprint, server: ServerBody) -> str:
    """Where the machine's own pages are, "" without https."""
    port = https_port(blueprint.listeners)
    return "" if port is None else f"https://{server.hostname}" + ("" if port == HTTPS_PORT else f":{port}")


def ban_rules_of(blueprint: Blueprint, server: ServerBody) -> BanRules | None:
    bans = server.bans
    if bans is None:
        return None
    # A proxy would be banned for its clients, this machine for whatever runs on it, and one that nobody names for all.
    never = networks_of((*bans.never, *server.proxy_from, *blueprint.receiving.trusted_peers, UNNAMED))
    return BanRules(
        after=bans.after,
        first_ms=bans.first_s * SECOND_MS,
        longest_ms=bans.longest_s * SECOND_MS,
        never=Networks((*never.networks, *LOOPBACK.networks)),
    )


def gate_of(receiving: ReceivingBody, resolver: Resolver, greylist: Greylist, *, clock: Clock) -> Gate:
    return Gate(
        resolver=resolver,
        dns_deadline_s=receiving.dns_deadline_s,
        trusted=networks_of(receiving.trusted_peers),
        blocklists=Blocklists(resolver, receiving.blocklists, clock=clock),
        greylisting=None if receiving.greylist == "off" else Greylisting(greylist, clock=clock),
        greylists_all=receiving.greylist == "all",
    )


def sender_policy(receiving: ReceivingBody, resolver: Resolver) -> SenderPolicy:
    return SenderPolicy(
        resolver=resolver,
        dns_deadline_s=receiving.dns_deadline_s,
        enforces_dmarc=receiving.dmarc == "enforce",
        refuses_spf_fail=receiving.spf_fail == "reject",
        defers_without_dns=receiving.on_dns_failure == "defer",
        trusted_sealers=frozenset(receiving.trusted_sealers),
        trusted_peers=tuple(map(ip_network, receiving.trusted_peers)),
        backups=receiving.backups,
    )


def _receiving(blueprint: Blueprint, work: MailWork, hostname: str) -> Receiving:
    return Receiving(
        hostname=hostname,
        accounts=work.accounts,
        messages=work.messages,
        delivery=work.delivery,
        forwarding=work.lists.forwarding,
        lists=work.lists,
        senders=sender_policy(blueprint.receiving, work.resolver) if work.resolver is not None else None,
        is_backup=blueprint.receiving.is_backup,
        gate=work.gate,
        judging=work.judging,
    )


def _submission(work: MailWork, hostname: str, signing_keys: Mapping[str, Sequence[SigningKey]]) -> Submission:
    return Submission(
        hostname=hostname,
        accounts=work.accounts,
        delivery=work.delivery,
        forwarding=work.lists.forwarding,
        lists=work.lists,
        signing_keys=signing_keys,
        allowance=Allowance(work.submitted, clock=work.clock),
        acquainted=work.acquainted,
        clock=work.clock,
        token=work.token,
    )
