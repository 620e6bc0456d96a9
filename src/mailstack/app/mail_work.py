"""Receiving and submission of one blueprint, over whatever ports they are given: the server's own, or others."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from mailstack.app.blueprint import Blueprint
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.errors import Invalid
from mailstack.model.instant import Clock
from mailstack.model.resource import ReceivingBody
from mailstack.ports.accounts import Accounts
from mailstack.ports.messages import Intake
from mailstack.ports.resolver import Resolver
from mailstack.servers.sasl import SaslService
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.service import SmtpService
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.pipeline import InboundPipeline
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from mailstack.services.outbound.submit import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWork:
    """What mail is received and submitted with. token: random bytes. resolver: None where no sender is checked. gate:
    None where nothing is asked of who connects."""

    accounts: Accounts
    messages: Intake
    delivery: Delivery
    conduct: Conduct
    gate: Gate | None
    clock: Clock
    token: Callable[[int], bytes]
    resolver: Resolver | None = None


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
    server = blueprint.server
    if server is None:
        raise Invalid("nothing is applied yet: no server to be")
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
        submission=_submission(blueprint, work, server.hostname, signing_keys),
        conduct=work.conduct,
        clock=work.clock,
        token=work.token,
        plaintext_is_secure=plaintext_is_secure,
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
    )


def _receiving(blueprint: Blueprint, work: MailWork, hostname: str) -> Receiving:
    return Receiving(
        hostname=hostname,
        postmaster=blueprint.postmaster,
        accounts=work.accounts,
        messages=work.messages,
        delivery=work.delivery,
        senders=sender_policy(blueprint.receiving, work.resolver) if work.resolver is not None else None,
        is_backup=blueprint.receiving.is_backup,
        gate=work.gate,
    )


def _submission(
    blueprint: Blueprint, work: MailWork, hostname: str, signing_keys: Mapping[str, Sequence[SigningKey]]
) -> Submission:
    return Submission(
        hostname=hostname,
        postmaster=blueprint.postmaster,
        accounts=work.accounts,
        delivery=work.delivery,
        signing_keys=signing_keys,
        clock=work.clock,
        token=work.token,
    )
