"""The states of mail, all of them from the head of an account's change log. RFC 8621 §1.5, RFC 9425."""

from collections.abc import Collection
from dataclasses import dataclass

from mailstack.model.changes import LogHead
from mailstack.model.ids import AccountId
from mailstack.model.states import AccountStates, States, StateType
from mailstack.ports.accounts import Accounts
from mailstack.ports.changes import Changes
from mailstack.services.mailbox.quota import state_of_quota


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStates:
    """Works as services.states.source.StateSource."""

    changes: Changes
    accounts: Accounts

    async def states(self, account_ids: Collection[AccountId]) -> AccountStates:
        heads = await self.changes.heads(account_ids)
        quotas = await self.accounts.quotas(heads) if heads else {}
        return {account_id: _states(head, quotas.get(account_id)) for account_id, head in heads.items()}


def _states(head: LogHead, quota_bytes: int | None) -> States:
    log = str(head.mod_seq)
    return {
        StateType.MAILBOX: log,
        StateType.EMAIL: log,
        StateType.THREAD: log,
        StateType.EMAIL_DELIVERY: str(head.message_id),
        StateType.QUOTA: state_of_quota(head.used_bytes, quota_bytes),
    }
