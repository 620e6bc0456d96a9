"""What is done for whom: for an account as it has it, else as its domain has it, else as the server does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailstack.model.principal import Account
from mailstack.model.spam import DEFAULT_POLICY, SpamPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """domains: by name, those that have their own."""

    server: SpamPolicy = DEFAULT_POLICY
    domains: Mapping[str, SpamPolicy] = field(default_factory=dict)

    def of(self, account: Account | None) -> SpamPolicy:
        """None: of whoever has no account here. Where the server does not score, nobody is scored for."""
        if account is None or not self.server.is_scored:
            return self.server
        return account.spam or self.domains.get(account.login.rpartition("@")[2], self.server)
