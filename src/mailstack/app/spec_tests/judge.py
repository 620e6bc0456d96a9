"""Whether what happened is what was expected: the differences, one for each thing that is otherwise. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from mailstack.app.spec_tests.judging import told
from mailstack.app.spec_tests.mail import LATER, Happened
from mailstack.app.spec_tests.result import Difference
from mailstack.model.delivery import SmtpReply
from mailstack.model.spam import Judged
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.sections.tests import ANY_CODE, Expectation, Refusal, Scored, Send


def judge_mail(expect: Expectation, send: Send, happened: Happened) -> Iterator[Difference]:
    """A mail of which anything is expected to come must come to that and nothing else; one that only must not reach
    somebody, or be answered, may come to anything else."""
    yield from _failures(happened)
    yield from _not_delivered(expect, happened)
    yield from _answers(expect.answered, happened)
    if expect.spam is not None:
        yield from _spam(expect.spam, happened.judged)
    wanted = (expect.delivered, expect.forwarded, expect.rejected, expect.discarded, expect.notified)
    if all(each is None for each in wanted):
        return
    yield from _copies(expect.delivered or {}, happened)
    yield from _leaving(expect.forwarded or {}, happened)
    yield from _same("discarded", expect.discarded or (), happened.scripts.discarding)
    yield from _same("notified", expect.notified or (), happened.scripts.notified)
    yield from _refusals(expect.rejected, send, happened)


def judge_records(expect: Expectation, records: Sequence[RecordSet]) -> Iterator[Difference]:
    """records: those of the name and type in question."""
    values = [value for record in records for value in record.values]
    found = _listed(values) or "no such record"
    if expect.absent is not None and expect.absent is bool(values):
        yield Difference(what="absent", expected="no such record" if expect.absent else "a record", found=found)
    for text in expect.contains or ():
        if not any(text in value for value in values):
            yield Difference(what="contains", expected=_quoted(text), found=found)
    if expect.equals is not None and sorted(expect.equals) != sorted(values):
        yield Difference(what="equals", expected=_listed(expect.equals), found=found)
    if expect.count is not None and expect.count != len(values):
        yield Difference(what="count", expected=str(expect.count), found=f"{len(values)}: {found}")


def _not_delivered(expect: Expectation, happened: Happened) -> Iterator[Difference]:
    for login in expect.not_delivered or ():
        if login in happened.copies:
            found = _copy(login, happened.copies[login])
            yield Difference(what="not_delivered", expected=f"no copy for {login}", found=found)


def _failures(happened: Happened) -> Iterator[Difference]:
    """Nobody expects one: the mail is kept then, and the script's work left undone."""
    for login, fault in happened.scripts.failed.items():
        yield Difference(what="scripts", found=f"{login}: {fault}")


def _answers(wanted: bool | Sequence[str] | None, happened: Happened) -> Iterator[Difference]:
    answering = happened.scripts.answering
    match wanted:
        case None:
            return
        case True:
            if not answering:
                yield Difference(what="answered", expected="an answer to the sender")
        case False:
            yield from _same("answered", (), answering)
        case logins:
            yield from _same("answered", logins, answering)


def _spam(wanted: Scored, judged: Mapping[str, Judged]) -> Iterator[Difference]:
    """For everybody who would get it."""
    if not judged:
        yield Difference(what="spam", expected=_spam_words(wanted), found="nobody looked whether it is spam")
    for name, each in judged.items():
        if not _is_so(wanted, each):
            yield Difference(what="spam", expected=_spam_words(wanted), found=f"{name}: {told(each)}")


def _is_so(wanted: Scored, judged: Judged) -> bool:
    points, low, high = judged.score.points, wanted.at_least, wanted.under
    return wanted.junk in (None, judged.is_junk) and (low is None or points >= low) and (high is None or points < high)


def _spam_words(wanted: Scored) -> str:
    junk = {None: (), True: ("junk",), False: ("no junk",)}[wanted.junk]
    bounds = {"at least": wanted.at_least, "under": wanted.under}
    return " and ".join(
        (*junk, *(f"{word} {points:g} points" for word, points in bounds.items() if points is not None))
    )


def _same(what: str, wanted: Collection[str], found: Collection[str]) -> Iterator[Difference]:
    for name in wanted:
        if name not in found:
            yield Difference(what=what, expected=name)
    for name in found:
        if name not in wanted:
            yield Difference(what=what, found=name)


def _copies(wanted: Mapping[str, Sequence[str]], happened: Happened) -> Iterator[Difference]:
    for login, mailboxes in wanted.items():
        found = happened.copies.get(login, ())
        if sorted(mailboxes) != sorted(found):
            yield Difference(
                what="delivered",
                expected=_copy(login, mailboxes),
                found=_copy(login, found) if found else _why_none(login, happened),
            )
    for login, mailboxes in happened.copies.items():
        if login not in wanted:
            yield Difference(what="delivered", found=_copy(login, mailboxes))


def _why_none(login: str, happened: Happened) -> str:
    if happened.leaving.get(login) == LATER:
        return f"{login} cannot take it now: it waits in the queue"
    if happened.refused is not None:
        return f"the mail was refused: {happened.refused}"
    return ""


def _leaving(wanted: Mapping[str, str | None], happened: Happened) -> Iterator[Difference]:
    leaving = {address: way for address, way in happened.leaving.items() if way != LATER}
    for address, way in wanted.items():
        found = leaving.get(address, "")
        if not found or way not in (None, found):
            yield Difference(
                what="forwarded",
                expected=address if way is None else f"{address} by way of {way}",
                found=f"{address} by way of {happened.way(address)}" if found else "",
            )
    for address in leaving:
        if address not in wanted:
            yield Difference(what="forwarded", found=f"{address} by way of {happened.way(address)}")


def _refusals(wanted: Refusal | None, send: Send, happened: Happened) -> Iterator[Difference]:
    if wanted is None:
        yield from _unexpected_refusals(happened, allowed=())
    elif wanted.by:
        yield from _refused_by(wanted, happened)
    elif wanted.to:
        yield from _refused_recipients(wanted, happened)
        yield from _unexpected_refusals(happened, allowed=wanted.to)
    else:
        yield from _refused_whole(wanted, send, happened)


def _refused_by(refusal: Refusal, happened: Happened) -> Iterator[Difference]:
    """Where all scripts refuse it, the mail as a whole is refused, in their words."""
    refusing = happened.scripts.refusing
    for login in refusal.by:
        if login not in refusing or not _is_meant(refusal, refusing[login]):
            expected = f"{_refusal(refusal)} by {login}"
            yield Difference(what="rejected", expected=expected, found=str(refusing.get(login, "")))
    for login, reply in refusing.items():
        if login not in refusal.by:
            yield Difference(what="rejected", found=f"by {login}: {reply}")
    if happened.refused is not None and not refusing:
        yield Difference(what="rejected", found=f"the mail: {happened.refused}")
    for recipient, reply in happened.refusals.items():
        yield Difference(what="rejected", found=f"{recipient}: {reply}")


def _refused_whole(refusal: Refusal, send: Send, happened: Happened) -> Iterator[Difference]:
    """By one reply, or by one for each recipient, all of which are as expected."""
    if happened.refused is not None:
        replies = [happened.refused]
    elif happened.scripts.refusing and not (happened.refusals or happened.copies or happened.leaving):
        # All of it, though not while the sender was connected: a notice says so.
        replies = list(happened.scripts.refusing.values())
    else:
        taken = [recipient for recipient in dict.fromkeys(send.to) if recipient not in happened.refusals]
        if taken:
            found = f"the mail was taken for {_listed(taken)}"
            yield Difference(what="rejected", expected=_refusal(refusal), found=found)
        replies = list(happened.refusals.values())
    for reply in replies:
        if not _is_meant(refusal, reply):
            yield Difference(what="rejected", expected=_refusal(refusal), found=str(reply))


def _refused_recipients(refusal: Refusal, happened: Happened) -> Iterator[Difference]:
    for recipient in refusal.to:
        reply = happened.refusals.get(recipient)
        if reply is None or not _is_meant(refusal, reply):
            expected = f"{_refusal(refusal)} for {recipient}"
            yield Difference(what="rejected", expected=expected, found=str(reply or "the recipient was taken"))


def _unexpected_refusals(happened: Happened, allowed: Sequence[str]) -> Iterator[Difference]:
    if happened.refused is not None:
        yield Difference(what="rejected", found=f"the mail: {happened.refused}")
    else:
        for login, reply in happened.scripts.refusing.items():
            yield Difference(what="rejected", found=f"by {login}: {reply}")
    for recipient, reply in happened.refusals.items():
        if recipient not in allowed:
            yield Difference(what="rejected", found=f"{recipient}: {reply}")


def _is_meant(refusal: Refusal, reply: SmtpReply) -> bool:
    has_code = refusal.code in (ANY_CODE, reply.status, str(reply.code))
    return has_code and refusal.text.casefold() in reply.text.casefold()


def _refusal(refusal: Refusal) -> str:
    code = "any refusal" if refusal.code == ANY_CODE else f"refusal {refusal.code}"
    return f"{code} with {_quoted(refusal.text)}" if refusal.text else code


def _copy(login: str, mailboxes: Sequence[str]) -> str:
    return f"{login}: {', '.join(mailboxes)}"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(_quoted, values))


def _quoted(text: str) -> str:
    return f'"{text}"'
