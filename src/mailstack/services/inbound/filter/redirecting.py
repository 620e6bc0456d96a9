"""Mail that a script sends on: as forwards go, under a path of ours, sealed, never in circles. RFC 5228 §4.2."""

import asyncio
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace

import structlog

from mailstack.formats.addresses import address_text, parse_mailboxes
from mailstack.formats.headers import every, scan_fields
from mailstack.formats.seven_bit import has_8bit
from mailstack.formats.spam_fields import own_spam_fields, without_own_spam_fields
from mailstack.model.handling import UNASKED, NotifyOn, Returned
from mailstack.model.message import RawMessage
from mailstack.model.principal import MailingList, Posters
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.filter.verdict import Verdict
from mailstack.services.inbound.filter.work import Work
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.trace import delivered_to_field, passed_addresses
from mailstack.services.inbound.trust import is_distrusted, is_laundering, is_path_forged, own_names
from mailstack.services.outbound.complete import encode_binary
from mailstack.sieve.actions import Redirect

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SentOn:
    """is_kept: something was to be sent on that may not be."""

    shipments: list[Shipment]
    is_kept: bool


async def onward(work: Work, verdict: Verdict) -> SentOn:
    shipments: list[Shipment] = []
    is_kept = False
    redirects = [action for action in verdict.actions if isinstance(action, Redirect)]
    reason = await _why_not_onward(work) if redirects else ""
    # RFC 5228 §2.10.3: two scripts may have named the same address.
    sent: set[str] = set()
    for action in redirects:
        targets = await _targets(work, action)
        why = reason or _why_not_as_edited(work, action) or ("" if targets else "there is nobody to send it to")
        plain = action if why else await _in_lines(work, action)
        targets = tuple(target for target in targets if target not in sent)
        if why or plain is None:
            why = why or "it is binary, and cannot be encoded"
            log.info("not redirected", trace=work.letter.trace_id, account=work.account.login, reason=why)
            is_kept = True
        elif targets:
            sent.update(targets)
            shipments += await _shipments(work, plain, targets)
    return SentOn(shipments, is_kept)


async def _why_not_onward(work: Work) -> str:
    """RFC 5228 §4.2, §10: mail must not go round in circles; and what nobody stands for stays where it is."""
    letter, login = work.letter, work.account.login
    if login in passed_addresses(letter.raw) or login in passed_addresses(work.message.raw):
        return "loop"
    if is_path_forged(work.sender) or is_distrusted(work.sender):
        return "the checks of its sender"
    names = await own_names(work.forwarding, work.sender)
    return "the checks of its sender" if is_laundering(work.sender, login, names) else ""


def _may_post(mailing_list: MailingList, own: Set[str]) -> bool:
    """RFC 6134 §2.7: a script reaches nobody whom its owner could not write to."""
    match mailing_list.post:
        case Posters.ANYONE:
            posters: Collection[str] = own
        case Posters.MEMBERS:
            posters = mailing_list.members
        case Posters.NAMED:
            posters = mailing_list.posters
        case Posters.OWNERS:
            posters = ()
    return not own.isdisjoint((*posters, *mailing_list.owners))


def _why_not_as_edited(work: Work, action: Redirect) -> str:
    """RFC 5293 §9: an edit may make a mail another's, and we would vouch for that with our name. RFC 6409 §6.1: nobody
    writes in another's name."""
    if action.raw is None:
        return ""
    before, after = scan_fields(work.message.raw), scan_fields(action.raw)
    own = set(work.account.address_keys)
    for name in (b"from", b"sender"):
        values = every(after, name)
        named = {address_text(one).casefold() for value in values for one in parse_mailboxes(value)}
        if values != every(before, name) and (len(values) != 1 or not named or not named <= own):
            return "its author was changed"
    return ""


async def _targets(work: Work, action: Redirect) -> tuple[str, ...]:
    own = set(work.account.address_keys)
    if action.list_name:
        found = await work.knowledge.list_of(work.account, action.list_name)
        if found is None or not _may_post(found, own):
            return ()
        return tuple(member for member in found.members if member not in own)
    return () if action.address.casefold() in own else (action.address,)


async def _in_lines(work: Work, action: Redirect) -> Redirect | None:
    """RFC 3030 §3: what leaves is encoded, so that any server takes it; None where that would harm it."""
    if not work.letter.handling.is_binary:
        return action
    lines = await asyncio.to_thread(encode_binary, work.message.raw if action.raw is None else action.raw)
    return None if lines is None else replace(action, raw=lines)


async def _shipments(work: Work, action: Redirect, targets: tuple[str, ...]) -> list[Shipment]:
    # RFC 3461 §5.2.1: who sent it was told of success by us, if anybody was.
    wished = work.letter.notifications.get(work.account.login, UNASKED).without_success()
    handling = replace(work.letter.handling, is_binary=False)
    if action.notify is not None:
        # RFC 6009 §5.1.
        events = frozenset() if action.notify.upper() == "NEVER" else _events(action.notify)
        wished = replace(wished, notify_on=events)
    if action.ret is not None:
        handling = replace(handling, returned=Returned(action.ret.upper()))
    letter = replace(
        work.letter,
        received=without_own_spam_fields(work.letter.received),
        left_out=_left_out(work.letter),
        handling=handling,
        notifications=dict.fromkeys(targets, wished),
        is_suspicious=False,
    )
    if action.raw is not None:
        letter = replace(
            letter,
            raw=action.raw,
            received=_way(work, action.raw),
            left_out=sorted((*_return_paths(action.raw), *own_spam_fields(action.raw))),
            is_8bit=has_8bit(action.raw),
        )
    onward = Onward(address=work.account.login, targets=targets)
    return await work.forwarding.shipments(letter, Resolution(onward=(onward,)), letter.authentication)


def _left_out(letter: Letter) -> Sequence[tuple[int, int]]:
    """What it scored for the account is nobody else's; out of the queue, it stands in the mail."""
    return letter.left_out if letter.received else own_spam_fields(letter.raw)


def _way(work: Work, edited: RawMessage) -> bytes:
    """RFC 9228 §4: who sent the mail on before, as far as the edit took that away: two scripts would send it to each
    other for ever."""
    gone = (passed_addresses(work.letter.raw) | passed_addresses(work.message.raw)) - passed_addresses(edited)
    return b"".join(map(delivered_to_field, sorted(gone)))


def _events(notify: str) -> frozenset[NotifyOn]:
    return frozenset(NotifyOn(word.strip().upper()) for word in notify.split(","))


def _return_paths(raw: RawMessage) -> tuple[tuple[int, int], ...]:
    """RFC 5321 §4.4: it is put there where the mail ends, and no way ends here now."""
    return tuple((found.start, found.end) for found in scan_fields(raw) if found.name == b"return-path")
