"""One mail from outside, looked at and scored for all who would get it. Nothing that happens here keeps it out: what
fails has found nothing, and a mail that could not be looked at is taken as one that nobody looks at.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.spam.correspondents import author_in
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.experience import Experience
from mailstack.services.spam.named_senders import NamedSenders
from mailstack.services.spam.policies import Policies
from mailstack.services.spam.scoring import Scoring
from mailstack.services.spam.sender import sender_of
from mailstack.spam.features import features_in
from mailstack.spam.seen import look_at

DEADLINE_S = 30
"""Those who are asked have shorter ones; this is for one that forgot."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """hostname: ours. named: whom the spec lets in and keeps out. experience: is told what mail came to; None where
    nobody remembers senders."""

    hostname: str
    policies: Policies
    scoring: Scoring
    named: NamedSenders
    experience: Experience | None = None

    async def judged(self, mail: InboundMail, accounts: Sequence[Account | None]) -> Mapping[AccountId | None, Judged]:
        """accounts: None for whoever has none here, and is found under None. Nobody for whom mail is not scored."""
        scored = [account for account in accounts if self.policies.of(account).is_scored]
        if not scored:
            return {}
        try:
            async with asyncio.timeout(DEADLINE_S):
                examined = await self._examined(mail)
                found = await self.judge(examined, scored)
                self._remember(examined, found)
                return found
        except Exception:  # a bug met here must not keep a mail from coming in
            log.exception("not scored", trace=mail.trace_id)
            return {}

    async def judge(self, mail: Examined, accounts: Sequence[Account | None]) -> Mapping[AccountId | None, Judged]:
        """Likewise, of all of them."""
        scores = await self.scoring.scores(mail, accounts)
        found: dict[AccountId | None, Judged] = {}
        for account in accounts:
            account_id = None if account is None else account.account_id
            score, named = scores[account_id], self.named.finding(mail, account)
            if named is not None:
                score = replace(score, findings=(named, *score.findings))
            found[account_id] = Judged(score=score, policy=self.policies.of(account))
        return found

    def _remember(self, mail: Examined, found: Mapping[AccountId | None, Judged]) -> None:
        if self.experience is not None:
            kept = [account_id for account_id, judged in found.items() if account_id and not judged.is_junk]
            self.experience.judged(mail, [judged.score for judged in found.values()], kept=kept)

    async def _examined(self, mail: InboundMail) -> Examined:
        if len(mail.raw) > LARGE_BYTES:
            return await asyncio.to_thread(examine, mail, self.hostname)
        return examine(mail, self.hostname)


def examine(mail: InboundMail, hostname: str) -> Examined:
    """hostname: ours."""
    found, hop = mail.authentication, mail.hop(hostname)
    seen = look_at(mail.raw)
    sender = None
    if found is not None:
        sender = sender_of(
            found,
            peer_host=hop.peer_host,
            peer_name=hop.named,
            ehlo_domain=hop.called,
            protocol=hop.protocol,
            reverse_path=mail.reverse_path,
        )
    return Examined(
        raw=mail.raw,
        seen=seen,
        features=features_in(seen, sender),
        sender=sender,
        authentication=found,
        author=author_in(seen.root.fields),
        peer_host=mail.peer_host,
        ehlo_domain=mail.ehlo_domain,
        reverse_path=mail.reverse_path,
        received_at=mail.received_at,
        trace_id=mail.trace_id,
        recipients=tuple(recipient.text for recipient in mail.recipients),
    )
