"""One attempt for recipients of one mail that go the same way: the hosts in their order, until one has answered.

RFC 5321 §5.1, RFC 7672 §2. No queue here: what an outcome means for the mail is queue's.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from mailstack.formats.dsn import without_header
from mailstack.model.delivery import (
    Deferred,
    Delivered,
    Envelope,
    EnvelopeRecipient,
    Failed,
    HopProtocol,
    NextHop,
    Outcome,
    QueueItem,
    SmtpReply,
    TlsMode,
)
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import QueueItemId
from mailstack.model.source import Origin
from mailstack.services.outbound.destination import ToDomain, ToRelay, is_elsewhere
from mailstack.services.outbound.mx import Hosts, exchangers
from mailstack.services.outbound.promises import TERMS, TlsWish, as_promised, is_for_tls, strict_policy, unprotected
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.tlspolicy import excluded, policy_for

Answered = list[tuple[QueueItem, Outcome]]


async def attempt(
    service: OutboundService,
    way: ToRelay | ToDomain,
    items: Sequence[QueueItem],
    content: bytes,
    *,
    hosts: Hosts | SmtpReply,
    wish: TlsWish,
) -> AsyncGenerator[Answered, None]:
    """Every item once, as soon as nothing can change its outcome: what one host took must not be forgotten when the
    attempt is cut short at the next. hosts: as hosts_of has them. wish: as of promises.tls_wish."""
    is_ours = not is_elsewhere(way)
    if isinstance(hosts, SmtpReply):
        # The sender cannot help it when our primary is not to be found, and must not have the mail back for it.
        is_final = hosts.code >= 500 and not is_ours
        ended = Failed(reply=hosts, host="") if is_final else Deferred(reply=hosts, host="", is_own_fault=is_ours)
        yield [(item, ended) for item in items]
        return
    # RFC 8689 §3: it is what recipients ask for that is passed over, not what the operator asks of a relay.
    wish = TlsWish.UNSAID if wish is TlsWish.OPTIONAL and isinstance(way, ToRelay) else wish
    steps = [(terms, name) for terms in TERMS[wish] for name in hosts.names]
    left, lacking = list(items), set[QueueItemId]()
    for at, (terms, name) in enumerate(steps, 1):
        hop = await _hop(service, way, name, hosts, terms)
        answers = list(zip(left, await _deliver(service, way, hop, left, content, terms), strict=True))
        lacking.update(item.item_id for item, outcome in answers if is_for_tls(outcome))
        following = steps[at][0] if at < len(steps) else None
        asked = [
            (item, outcome, _is_open(outcome, terms, following, lacked_tls=item.item_id in lacking))
            for item, outcome in answers
        ]
        left = [item for item, _, is_open in asked if is_open]
        settled = [(item, outcome) for item, outcome, is_open in asked if not is_open]
        if settled:
            if terms is TlsWish.REQUIRED:
                settled = [(item, as_promised(outcome)) for item, outcome in settled]
            yield [(item, _our_affair(outcome) if is_ours else outcome) for item, outcome in settled]
            # Once they are written down: a count that is cut short is no loss, an outcome is.
            if _is_judge(way):
                await service.suppression.note(settled)
        if isinstance(way, ToDomain) and way.warming:
            await service.warming.note(way.warming, [outcome for _, outcome in answers])
        if not left:
            return


def _is_open(outcome: Outcome, terms: TlsWish, following: TlsWish | None, *, lacked_tls: bool) -> bool:
    """Is the next host asked, too. following: on which terms, None where there is no next. lacked_tls: at one of the
    hosts so far: easier terms are for those alone whom they may help."""
    return following is not None and (following is terms or lacked_tls) and _may_ask_another(outcome)


def _is_judge(way: ToRelay | ToDomain) -> bool:
    """Whether it may be believed who has no mailbox: not a mailbox server next door, where somebody makes one today."""
    return is_elsewhere(way) and not (isinstance(way, ToRelay) and way.relay.hop.protocol is HopProtocol.LMTP)


def _our_affair(outcome: Outcome) -> Outcome:
    """A primary that was not reached, or is closing, is soon back, and knocked at more often than strangers are."""
    if isinstance(outcome, Deferred) and _may_ask_another(outcome):
        return replace(outcome, is_own_fault=True)
    return outcome


async def hosts_of(service: OutboundService, way: ToRelay | ToDomain) -> Hosts | SmtpReply:
    if isinstance(way, ToRelay):
        return Hosts((way.relay.hop.host,))
    return await exchangers(service.resolver, way.domain, own_host=service.hostname, token=service.token)


async def _hop(
    service: OutboundService, way: ToRelay | ToDomain, name: str, hosts: Hosts, terms: TlsWish
) -> NextHop | Deferred | Failed:
    """The outcome where it is not to be used for now."""
    if isinstance(way, ToRelay):
        refusal = unprotected(way.relay.hop) if terms is TlsWish.REQUIRED else None
        return refusal or way.relay.hop
    hop = NextHop(host=name, port=service.exchanger_port, tls=TlsMode.OPPORTUNISTIC, least=way.least, is_exchanger=True)
    if terms is TlsWish.OPTIONAL:
        return hop  # RFC 8689 §3, §8.4: the domain's policies do not count; what is our own to demand does
    try:
        policy = await policy_for(service.resolver, service.sts, way.domain, hop, hosts.found)
    except TryAgainLater as fault:
        return Deferred(reply=SmtpReply(code=451, status="4.4.3", text=fault.detail), host="")
    if isinstance(policy, Deferred):
        # RFC 7672 §2.1.2: a host whose records are forged, or not to be had, gets nothing; the next may.
        return _judged(policy, hop)
    if terms is TlsWish.REQUIRED:
        strict = strict_policy(policy, way.domain, hosts.found)
        if isinstance(strict, Failed):
            return strict
        policy = strict
    passed_over = excluded(policy, name)
    return replace(hop, policy=policy) if passed_over is None else _judged(passed_over, hop)


def _judged(outcome: Deferred, hop: NextHop) -> Deferred:
    """Of a host that was not spoken to, with what there was to be."""
    return outcome if outcome.tls is None else replace(outcome, tls=replace(outcome.tls, least=hop.least))


async def _deliver(
    service: OutboundService,
    way: ToRelay | ToDomain,
    hop: NextHop | Deferred | Failed,
    items: Sequence[QueueItem],
    content: bytes,
    terms: TlsWish,
) -> Sequence[Outcome]:
    if not isinstance(hop, NextHop):
        return [hop] * len(items)
    first, handling = items[0], items[0].handling
    if handling.requires_tls and terms is not TlsWish.REQUIRED:
        # RFC 8689 §2: nobody is told REQUIRETLS where it was not kept on the way. §5: the notice is redacted then.
        handling, content = replace(handling, requires_tls=False), without_header(content)
    to = way.relay.hop.host if isinstance(way, ToRelay) else way.domain
    envelope = Envelope(
        reverse_path=first.reverse_path,
        recipients=tuple(EnvelopeRecipient(address=item.recipient, notification=item.notification) for item in items),
        is_8bit=first.is_8bit,
        smtp_utf8=first.smtp_utf8,
        trace_id=first.trace_id,
        handling=handling,
        # Who puts a mail off until its sender has come again (greylisting) looks for the same address.
        origin=Origin(among=way.sources, mark=f"{first.mail_id} {to}"),
    )
    return await service.transport.deliver(hop, envelope, content)


def _may_ask_another(outcome: Outcome) -> bool:
    """Only where no server took part, or the one that did turned us away or is closing: others' answers are the
    domain's answer, and a connection lost after the last dot may have left the mail behind."""
    match outcome:
        case Deferred():
            return not outcome.host or outcome.is_turned_away or outcome.reply.code == 421
        case Failed():
            # RFC 5321 §3.1: a greeting of 554 is about that host, and says nothing about the domain's others.
            # RFC 8689 §4.2.1: nor does what it lacks of what the mail asks for.
            return outcome.is_turned_away or is_for_tls(outcome)
        case Delivered():
            return False
