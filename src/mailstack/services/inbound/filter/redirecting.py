"""Mail that a script sends on: as forwards go, under a path of ours, sealed, never in circles. RFC 5228 §4.2."""

from dataclasses import dataclass, replace

import structlog

from mailstack.formats.headers import scan_fields
from mailstack.model.handling import UNASKED, NotifyOn, Returned
from mailstack.model.message import RawMessage
from mailstack.services.inbound.deliver import Shipment
from mailstack.services.inbound.filter.verdict import Verdict
from mailstack.services.inbound.filter.work import Work
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.trace import passed_addresses
from mailstack.services.inbound.trust import is_distrusted, is_laundering, is_path_forged, own_names
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
    for action in redirects:
        targets = await _targets(work, action)
        if reason or not targets:
            why = reason or "there is nobody to send it to"
            log.info("not redirected", trace=work.letter.trace_id, account=work.account.login, reason=why)
            is_kept = True
        else:
            shipments += await _shipments(work, action, targets)
    return SentOn(shipments, is_kept)


async def _why_not_onward(work: Work) -> str:
    """RFC 5228 §4.2, §10: mail must not go round in circles; and what nobody stands for stays where it is."""
    letter, login = work.letter, work.account.login
    if login in passed_addresses(letter.raw) or login in passed_addresses(work.message.raw):
        return "loop"
    if is_path_forged(letter) or is_distrusted(letter):
        return "the checks of its sender"
    names = await own_names(work.forwarding, letter)
    return "the checks of its sender" if is_laundering(letter, login, names) else ""


async def _targets(work: Work, action: Redirect) -> tuple[str, ...]:
    own = {work.account.login, *work.account.addresses}
    if action.list_name:
        found = await work.knowledge.list_of(work.account, action.list_name)
        return () if found is None else tuple(member for member in found.members if member not in own)
    return () if action.address.casefold() in own else (action.address,)


async def _shipments(work: Work, action: Redirect, targets: tuple[str, ...]) -> list[Shipment]:
    # RFC 3461 §5.2.1: who sent it was told of success by us, if anybody was.
    wished = work.letter.notifications.get(work.account.login, UNASKED).without_success()
    handling = work.letter.handling
    if action.notify is not None:
        # RFC 6009 §5.1.
        events = frozenset() if action.notify.upper() == "NEVER" else _events(action.notify)
        wished = replace(wished, notify_on=events)
    if action.ret is not None:
        handling = replace(handling, returned=Returned(action.ret.upper()))
    letter = replace(work.letter, handling=handling, notifications=dict.fromkeys(targets, wished), is_suspicious=False)
    if action.raw is not None:
        letter = replace(letter, raw=action.raw, received=b"", left_out=_return_paths(action.raw))
    onward = Onward(address=work.account.login, targets=targets)
    return await work.forwarding.shipments(letter, Resolution(onward=(onward,)), letter.authentication)


def _events(notify: str) -> frozenset[NotifyOn]:
    return frozenset(NotifyOn(word.strip().upper()) for word in notify.split(","))


def _return_paths(raw: RawMessage) -> tuple[tuple[int, int], ...]:
    """RFC 5321 §4.4: it is put there where the mail ends, and no way ends here now."""
    return tuple((found.start, found.end) for found in scan_fields(raw) if found.name == b"return-path")
