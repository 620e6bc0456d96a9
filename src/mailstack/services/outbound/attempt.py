"""One attempt for recipients of one mail that go the same way: the hosts in their order, until one has answered.

RFC 5321 §5.1. No queue here: what an outcome means for the mail is queue's.
"""

from collections.abc import AsyncGenerator, Sequence

from mailstack.model.delivery import Deferred, Delivered, Failed, NextHop, Outcome, QueueItem, SmtpReply, TlsMode
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.mx import Hosts, exchangers
from mailstack.services.outbound.service import OutboundService

Answered = list[tuple[QueueItem, Outcome]]


async def attempt(
    service: OutboundService, way: ToRelay | ToDomain, items: Sequence[QueueItem], content: bytes
) -> AsyncGenerator[Answered, None]:
    """Every item once, as soon as nothing can change its outcome: what one host took must not be forgotten when the
    attempt is cut short at the next."""
    hops = await _hops(service, way)
    if isinstance(hops, SmtpReply):
        # The sender cannot help it when our primary is not to be found, and must not have the mail back for it.
        is_final = hops.code >= 500 and not (isinstance(way, ToDomain) and way.is_ours)
        ended = Failed(reply=hops, host="") if is_final else Deferred(reply=hops, host="")
        yield [(item, ended) for item in items]
        return
    left = list(items)
    for others, hop in zip(reversed(range(len(hops))), hops, strict=True):
        answers = list(zip(left, await _deliver(service, hop, left, content), strict=True))
        settled = [(item, outcome) for item, outcome in answers if not (others and _may_ask_another(outcome))]
        if settled:
            yield settled
        left = [item for item, outcome in answers if others and _may_ask_another(outcome)]
        if not left:
            return


async def _hops(service: OutboundService, way: ToRelay | ToDomain) -> Sequence[NextHop] | SmtpReply:
    if isinstance(way, ToRelay):
        return (way.relay.hop,)
    found = await exchangers(service.resolver, way.domain, own_host=service.hostname, token=service.token)
    if not isinstance(found, Hosts):
        return found
    return [
        NextHop(host=name, port=service.exchanger_port, tls=TlsMode.OPPORTUNISTIC, is_exchanger=True)
        for name in found.names
    ]


async def _deliver(
    service: OutboundService, hop: NextHop, items: Sequence[QueueItem], content: bytes
) -> Sequence[Outcome]:
    first = items[0]
    return await service.transport.deliver(
        hop,
        reverse_path=first.reverse_path,
        recipients=[item.recipient for item in items],
        content=content,
        is_8bit=first.is_8bit,
        smtp_utf8=first.smtp_utf8,
    )


def _may_ask_another(outcome: Outcome) -> bool:
    """Only where no server took part, or the one that did turned us away or is closing: others' answers are the
    domain's answer, and a connection lost after the last dot may have left the mail behind."""
    match outcome:
        case Deferred():
            return not outcome.host or outcome.is_turned_away or outcome.reply.code == 421
        case Failed():
            # RFC 5321 §3.1: a greeting of 554 is about that host, and says nothing about the domain's others.
            return outcome.is_turned_away
        case Delivered():
            return False
