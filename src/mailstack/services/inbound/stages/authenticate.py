"""DATA: who sent it: SPF, DKIM, ARC and the host's name side by side, then DMARC, under one deadline for all of DNS.

Finds out and decides nothing: that is judge's. RFC 7208, RFC 6376, RFC 8617, RFC 8601 §3, RFC 9989.
"""

import asyncio

from mailstack.mailauth import iprev
from mailstack.mailauth.arc import verify as arc
from mailstack.mailauth.dkim import verify as dkim
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dmarc import check as dmarc
from mailstack.mailauth.dmarc.author import author_of
from mailstack.mailauth.spf import check as spf
from mailstack.model.instant import Instant
from mailstack.model.verdict import Authentication
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.stages.dns_budget import DnsBudget
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy

SENDERS_SHARE = 0.75
"""Of the time for DNS: what senders, signers and sealers name, anybody may have made slow. The rest is left for whether
they stand for the author."""


async def authenticate(receiving: Receiving, mail: InboundMail) -> InboundMail:
    policy = receiving.senders
    if policy is None or policy.trusts(mail.peer_host):
        return mail
    return mail.authenticated(await _authentication(policy, receiving.hostname, mail))


async def _authentication(policy: SenderPolicy, hostname: str, mail: InboundMail) -> Authentication:
    now = mail.received_at
    message = SignedMessage(mail.raw)
    if len(mail.raw) > LARGE_BYTES:
        await asyncio.to_thread(_hash_bodies, message, now)
    resolver = DnsBudget(policy.resolver, deadline_s=policy.dns_deadline_s * SENDERS_SHARE)
    authors = DnsBudget(policy.resolver, deadline_s=policy.dns_deadline_s)
    host = {"peer": mail.peer_host, "helo": mail.ehlo_domain, "receiver": hostname}
    async with asyncio.TaskGroup() as group:
        named = group.create_task(iprev.check(resolver, mail.peer_host))
        helo = group.create_task(spf.check_helo(resolver, **host, now=now))
        mail_from = group.create_task(spf.check(resolver, **host, mail_from=mail.reverse_path, now=now))
        chain = group.create_task(arc.verify_message(resolver, message, now=now, trusted=policy.trusted_sealers))
        published = group.create_task(dmarc.published(authors, author_of(mail.raw)))
        signatures = [group.create_task(verdict) for verdict in dkim.verdicts(resolver, message, now=now)]
    verdicts = tuple(signature.result() for signature in signatures)
    return Authentication(
        iprev=named.result(),
        helo=helo.result(),
        mail_from=mail_from.result(),
        dkim=verdicts,
        arc=chain.result(),
        dmarc=await dmarc.check(authors, published.result(), mail_from.result(), verdicts),
    )


def _hash_bodies(message: SignedMessage, now: Instant) -> None:
    """What takes long of a large message."""
    dkim.hash_bodies(message, now=now)
    arc.hash_body(message)
