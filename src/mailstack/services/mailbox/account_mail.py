"""One account's mail: who it belongs to, and the ports through which it is reached."""

from dataclasses import dataclass

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.ports.changes import Changes
from mailstack.ports.mailboxes import Mailboxes
from mailstack.ports.messages import Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMail:
    """Every use case on mailboxes takes one, so none can reach another account's mail by mistake."""

    account: Account
    mailboxes: Mailboxes
    messages: Messages
    changes: Changes

    @property
    def account_id(self) -> AccountId:
        return self.account.account_id
