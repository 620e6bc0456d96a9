"""Senders whom a server, a domain or an account lets in or keeps out by name: with more points than all else has."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailstack.model.principal import Account
from mailstack.model.spam import Finding, SpamPolicy
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.policies import Policies
from mailstack.services.spam.rules import evidence_of
from mailstack.spam.allow_block import AllowBlock, claimed_of, match_of
from mailstack.spam.rules.evidence import Ours

POINTS = 100.0
ALLOWED, BLOCKED = "allowed", "blocked"
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSenders:
    policies: Policies
    ours: Ours

    def finding(self, mail: Examined, account: Account | None) -> Finding | None:
        """account: None for whoever has none here."""
        levels = [_listed(policy) for policy in self._policies(account) if policy.allow or policy.block]
        if not levels:
            return None
        evidence = evidence_of(mail, self.ours)
        found = match_of(levels, evidence)
        if found is None:
            claimed = claimed_of(levels, evidence)
            why = f"{claimed} is let in here, and nothing proves that this is from there"
            return None if claimed is None else Finding(rule=ALLOWED, points=0.0, why=why)
        if found.is_allowed:
            return Finding(rule=ALLOWED, points=-POINTS, why=f"{found.entry} is let in here")
        return Finding(rule=BLOCKED, points=POINTS, why=f"{found.entry} is kept out here")

    def _policies(self, account: Account | None) -> Iterator[SpamPolicy]:
        if account is not None:
            if account.spam is not None:
                yield account.spam
            domain = self.policies.domains.get(account.login.rpartition("@")[2])
            if domain is not None:
                yield domain
        yield self.policies.server


@lru_cache(maxsize=REMEMBERED)
def _listed(policy: SpamPolicy) -> AllowBlock:
    return AllowBlock(allow=policy.allow, block=policy.block)
