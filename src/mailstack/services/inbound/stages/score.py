"""DATA: what it scores as spam, for each account and for whoever else would get it. Where that is too much for all, its
sender hears so while connected; else those for whom it is have it in Junk. Postmaster and abuse are reached (RFC 5321
§4.5.1), whoever else it is for. No list gets junk.

No mail is scored that was checked before: of peers whom the spec trusts. But of our backups, who take mail from
strangers as we do; to refuse it then would have them send notices to whoever it names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import structlog

from mailstack.formats.authres import results_by
from mailstack.model.address import parse_address
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.inbound.stages.keepers import kept_by_keepers
from mailstack.services.inbound.stages.listed import ALWAYS_REACHED
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.lists.names import AtList, Purpose, address_for

LOGGED_RULES = 5

log = structlog.get_logger()


async def score(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    is_by_backup = _is_by_a_backup(receiving, mail)
    if receiving.judging is None or receiving.is_backup or (_is_trusted(receiving, mail) and not is_by_backup):
        return mail
    asked = list(_asked(mail))
    # Who brings what somebody else has sent says nothing of it.
    seen = replace(mail, peer_host="", ehlo_domain="") if is_by_backup else mail
    found = await receiving.judging.judged(seen, asked)
    if not found:
        return mail
    judged = replace(mail, judged=found)
    refused = _refusal(judged) if may_be_refused(receiving, mail) else None
    _tell(mail, asked, found, is_refused=refused is not None)
    return refused or await _unposted(receiving, judged)


def may_be_refused(receiving: Receiving, mail: InboundMail) -> bool:
    """For what is in it: there is one reply for all of its recipients."""
    is_reached = any(recipient.address.local_part.casefold() in ALWAYS_REACHED for recipient in mail.recipients)
    return not is_reached and not _is_by_a_backup(receiving, mail)


def refused_as_spam(mail: InboundMail, judged: Judged) -> Reject:
    """It never says which rules it met: who sends spam would try until it meets none."""
    recipient = mail.recipients[0].address
    postmaster = f"postmaster@{recipient.domain}" if recipient.domain.isascii() else "the postmaster"
    is_for_virus = judged.score.virus and not judged.score.keeps_virus
    told = "it has a virus" if is_for_virus else f"score {judged.score.points:.1f}"
    return Reject(
        reason=Reason.SPAM,
        detail=", ".join(_rules(judged)),
        told=f"{told}; write to {postmaster} if it is none",
    )


def _is_trusted(receiving: Receiving, mail: InboundMail) -> bool:
    return receiving.senders is not None and receiving.senders.trusts(mail.peer_host)


def _is_by_a_backup(receiving: Receiving, mail: InboundMail) -> bool:
    senders = receiving.senders
    if senders is None or not senders.backups or not _is_trusted(receiving, mail):
        return False
    return bool(results_by(mail.raw, senders.backups))


def _asked(mail: InboundMail) -> Iterator[Account | None]:
    """Each once; None for whoever has no account here."""
    found: dict[AccountId | None, Account | None] = {}
    for to in _resolutions(mail):
        found.update((account.account_id, account) for account in to.accounts)
        for onward in to.onward:
            owner = onward.owner
            if owner is not None:
                found[owner.account_id] = owner
            elif all(account.login != onward.address for account in to.accounts):
                found[None] = None
        if any(_posts(to)):
            found[None] = None
    yield from found.values()


def _resolutions(mail: InboundMail) -> Iterator[Resolution]:
    return (recipient.resolution for recipient in mail.recipients if recipient.resolution is not None)


def _refusal(mail: InboundMail) -> Reject | None:
    of_others = mail.judged.get(None)
    is_posted = any(any(_posts(to)) for to in _resolutions(mail))
    if is_posted and of_others is not None and of_others.is_junk:
        # A list multiplies it under its own name, and has no mailbox to put it aside.
        return refused_as_spam(mail, of_others)
    verdicts = list(_verdicts(mail))
    refused = [verdict for verdict in verdicts if verdict is not None and verdict.is_refused]
    if not refused or len(refused) < len(verdicts):
        return None
    return refused_as_spam(mail, min(refused, key=lambda verdict: verdict.score.points))


async def _unposted(receiving: Receiving, mail: InboundMail) -> InboundMail:
    """Their owners keep it."""
    spam = mail.judged.get(None)
    if spam is None or not spam.is_junk:
        return mail
    for recipient in mail.recipients:
        found = recipient.resolution
        posts = () if found is None else tuple(_posts(found))
        if found is None or not posts:
            continue
        left = replace(recipient, resolution=replace(found, lists=tuple(at for at in found.lists if at not in posts)))
        mail = mail.to(tuple(left if each is recipient else each for each in mail.recipients))
        owners = [parse_address(address_for(at.mailing_list, Purpose.OWNER)) for at in posts]
        mail = await kept_by_keepers(receiving, mail, left, at=owners, spam=spam)
    return mail


def _posts(to: Resolution) -> Iterator[AtList]:
    return (each for each in to.lists if each.purpose is Purpose.POST)


def _verdicts(mail: InboundMail) -> Iterator[Judged | None]:
    """Of all who would get it; None of whoever takes all mail."""
    for to in _resolutions(mail):
        yield from (mail.judged.get(account.account_id) for account in to.accounts)
        yield from map(mail.verdict_of, to.onward)
        yield from (None for _ in to.external)
        for each in to.lists:
            yield mail.judged.get(None) if each.purpose is Purpose.POST else None


def _tell(
    mail: InboundMail,
    asked: Sequence[Account | None],
    found: Mapping[AccountId | None, Judged],
    *,
    is_refused: bool,
) -> None:
    """One line for all who have the same."""
    lines: dict[tuple[str, float, tuple[str, ...]], list[str]] = {}
    for account in asked:
        judged = found.get(None if account is None else account.account_id)
        if judged is not None:
            came_to = "refused" if is_refused else "junk" if judged.is_junk else "ham"
            line = (came_to, judged.score.points, tuple(_rules(judged)))
            lines.setdefault(line, []).append("" if account is None else account.login)
    for (came_to, points, rules), logins in lines.items():
        log.info(
            "scored", trace=mail.trace_id, accounts=logins[:LOGGED_RULES], score=points, result=came_to, rules=rules
        )


def _rules(judged: Judged) -> Iterator[str]:
    """Those that say most."""
    found = sorted(judged.score.findings, key=lambda finding: -abs(finding.points))
    if judged.score.virus:
        yield f"virus {judged.score.virus}"
    yield from (f"{finding.rule} {finding.points:.1f}" for finding in found[:LOGGED_RULES])
