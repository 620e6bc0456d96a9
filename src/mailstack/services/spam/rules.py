"""What rules find of a mail: those of this server's makers, and those that its spec adds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.model.spam import Finding
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.spam.examined import Examined
from mailstack.spam.rules.evidence import Evidence, Ours
from mailstack.spam.rules.own import NO_RULES, OwnRules
from mailstack.spam.rules.rule import findings_of
from mailstack.spam.rules.table import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """A Source. own: those of the spec."""

    ours: Ours
    own: OwnRules = NO_RULES

    async def findings(self, mail: Examined) -> Sequence[Finding]:
        # Archives take a while to be looked into.
        if len(mail.raw) > LARGE_BYTES:
            return await asyncio.to_thread(self._findings, mail)
        return self._findings(mail)

    def _findings(self, mail: Examined) -> Sequence[Finding]:
        evidence = evidence_of(mail, self.ours)
        return (*findings_of(RULES, evidence), *self.own.findings(evidence))


def evidence_of(mail: Examined, ours: Ours) -> Evidence:
    return Evidence(
        raw=mail.raw,
        seen=mail.seen,
        tokens=frozenset(mail.features.tokens),
        authentication=mail.authentication,
        author=mail.author,
        standing=mail.correspondent.standing,
        peer_host=mail.peer_host,
        ehlo_domain=mail.ehlo_domain,
        reverse_path=mail.reverse_path,
        received_at=mail.received_at,
        ours=ours,
    )
