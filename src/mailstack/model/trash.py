"""Accounts that were destroyed and whose mail is still kept."""

from dataclasses import dataclass

from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant

KEPT_MS = 30 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedAccount:
    """login: its address when it was destroyed. messages: 0 for one that never had any. kept_until: then it is
    removed for good, within a day."""

    account_id: AccountId
    login: str
    destroyed_at: Instant
    messages: int
    size_bytes: int

    @property
    def kept_until(self) -> Instant:
        return Instant(self.destroyed_at + KEPT_MS)
