"""What is told of a mail because a script says so, or failed. It never has the mail come again: what cannot be queued
is lost, and logged. But for a refusal, where nothing else is done with the mail: its sender would never hear of it.
"""

from collections.abc import Awaitable

import structlog

from mailstack.formats.digest import digest_message
from mailstack.model.errors import DomainError
from mailstack.model.handling import UNASKED
from mailstack.model.instant import DAY_MS, SECOND_MS, Instant
from mailstack.model.message import NewMessage
from mailstack.model.sieve_memory import Purpose
from mailstack.services.inbound.filter import letters
from mailstack.services.inbound.filter.filing import file_copy
from mailstack.services.inbound.filter.shelf import Origin
from mailstack.services.inbound.filter.verdict import Ran, Verdict
from mailstack.services.inbound.filter.work import Work
from mailstack.sieve.actions import FileInto, Notify, Reject, Report, TrackDuplicate, Vacation

TOLD_MS = 90 * DAY_MS
"""For so long, nobody is told again of a fault that they know."""

log = structlog.get_logger()


async def refuse(work: Work, action: Reject) -> None:
    """Where nothing else is done with the mail, it is not gone before this is queued. Raises TryAgainLater."""
    wished = work.letter.notifications.get(work.account.login, UNASKED)
    reason = letters.why_no_refusal(work.sender, wished, action.kind)
    if reason:
        _untold(work, action.kind.value, reason)
        return
    raw = work.pen.refusal(work.letter, work.account, action)
    await work.delivery.deliver([letters.to(work.letter, raw, (work.letter.reverse_path,))])


async def tell(work: Work, verdict: Verdict) -> None:
    """And whatever else is left to do once the mail is where it was to go. Raises nothing: else it came there again."""
    await _quietly(work, "duplicate", _track(work, verdict))
    for action in verdict.actions:
        match action:
            case Vacation():
                await _quietly(work, "vacation", _answer(work, action))
            case Notify():
                await _quietly(work, "notify", _notify(work, action))
            case Report():
                await _quietly(work, "report", _report(work, action))
            case Reject() if verdict.refusal is None:
                await _quietly(work, action.kind.value, refuse(work, action))
            case _:
                pass
    for ran in verdict.ran:
        await _quietly(work, "fault", _tell_of_fault(work, ran))


async def _quietly(work: Work, what: str, doing: Awaitable[None]) -> None:
    try:
        await doing
    except DomainError as fault:
        _untold(work, what, fault.detail)
    except Exception:  # a bug met here must not bring the mail again and again
        log.exception("not told", trace=work.letter.trace_id, account=work.account.login, what=what)


def _untold(work: Work, what: str, reason: str) -> None:
    log.info("not told", trace=work.letter.trace_id, account=work.account.login, what=what, reason=reason)


async def _track(work: Work, verdict: Verdict) -> None:
    """RFC 7352 §3: not before the mail is where it was to go."""
    now = work.letter.received_at
    seen = [
        (action.unique_id, Instant(now + action.period_s * SECOND_MS))
        for action in verdict.actions
        if isinstance(action, TrackDuplicate)
    ]
    if seen:
        await work.knowledge.memory.note(work.account.account_id, Purpose.SEEN, seen)


async def _answer(work: Work, action: Vacation) -> None:
    letter, account = work.letter, work.account
    reason = letters.why_no_answer(work.sender, letter, work.message.raw, account, action)
    if reason or not await _is_first_answer(work, action):
        _untold(work, "vacation", reason or "its sender was answered before")
        return
    raw = work.pen.answer(letter, work.message.raw, account, action)
    await work.delivery.deliver([letters.to(letter, raw, (letter.reverse_path,))])
    await _copy(work, raw, action.fcc)


async def _is_first_answer(work: Work, action: Vacation) -> bool:
    """RFC 5230 §4.2; RFC 6131 §2: with `:seconds 0`, every mail is answered."""
    if action.period_s == 0:
        return True
    # Whoever here has sent it on has put another path around the sender's, each day another.
    sender = work.forwarding.sender_behind(work.letter.reverse_path, now=work.letter.received_at)
    key = f"{len(action.handle)}:{action.handle}{sender.casefold()}"
    return await _claim(work, Purpose.ANSWERED, key, action.period_s * SECOND_MS)


async def _claim(work: Work, purpose: Purpose, key: str, period_ms: int) -> bool:
    """False: somebody has had it already."""
    now = work.letter.received_at
    until = Instant(now + period_ms)
    return await work.knowledge.memory.claim(work.account.account_id, purpose, key, now=now, until=until)


async def _notify(work: Work, action: Notify) -> None:
    reason = letters.why_no_notification(work.sender, work.message.raw)
    if reason:
        _untold(work, "notify", reason)
        return
    raw, paths, reverse_path = work.pen.notification(work.letter, work.message.raw, work.account, action)
    await work.delivery.deliver([letters.to(work.letter, raw, paths, reverse_path=reverse_path)])
    await _copy(work, raw, action.fcc)


async def _report(work: Work, action: Report) -> None:
    reason = letters.why_no_report(work.letter, work.message.raw, work.account, action)
    if reason:
        _untold(work, "report", reason)
        return
    raw = work.pen.report(work.letter, work.message.raw, work.account, action)
    await work.delivery.deliver([letters.to(work.letter, raw, (action.address,))])


async def _copy(work: Work, raw: bytes, into: FileInto | None) -> None:
    if into is None:
        return
    try:
        await file_copy(work, raw, into)
    except DomainError as fault:  # RFC 8580 §3: what was sent is sent
        log.warning("no copy", trace=work.letter.trace_id, account=work.account.login, fault=fault.detail)


async def _tell_of_fault(work: Work, ran: Ran) -> None:
    """Of a server's script, whoever runs the server reads in the log."""
    if not ran.fault or ran.origin not in (Origin.OWN, Origin.SPEC):
        return
    now = work.letter.received_at
    key = f"{ran.fault}\0{ran.content.decode('utf-8', 'replace')}"
    if await _claim(work, Purpose.TOLD, key, TOLD_MS):
        raw = work.pen.failure(work.letter, work.account, ran)
        told = NewMessage(raw=raw, received_at=now, digest=digest_message(raw))
        await work.delivery.append(told, work.account, is_suspicious=False)
